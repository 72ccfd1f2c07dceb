"""Operations on a model: create, read and set tensors, run forward, generate, save, move."""

from __future__ import annotations

import difflib
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import torch
from transformers import PreTrainedModel

from bh_bridge.bridge import registry
from bh_bridge.bridge.messages import (
    ModelCreate,
    ModelCreateReply,
    ModelForward,
    ModelForwardReply,
    ModelGenerate,
    ModelGenerateReply,
    ModelSave,
    ModelSaveReply,
    ModelSetTensor,
    ModelSetTensorReply,
    ModelTensor,
    ModelTensorReply,
    ModelTo,
    ModelToReply,
    Options,
    Parameter,
)
from bh_bridge.errors import ConfigInvalid, TensorNotFound
from bh_bridge.models.families import embedding_of, head_of
from bh_bridge.models.model import build_model, save_model
from bh_bridge.storage.durable import replace_directory
from bh_bridge.storage.model_directory import demand_free, write_save_manifest
from bh_bridge.tensors import DTYPE_NAMES, DTYPES, resolve_device

FRACTIONS = {"temperature", "top_p"}


def create(request: ModelCreate) -> ModelCreateReply:
    """Operation `model.create`: a model with its initial state, new or from a directory in HF layout."""
    config = request["config"]
    model = build_model(
        config,
        request["norm"],
        request["dtype"],
        request["init"],
        request["seed"],
        request["from"],
        request["init_seed"],
        request["draws"],
    )
    embedding = embedding_of(model)
    if (rows := len(embedding)) != config["vocab_size"]:
        raise ConfigInvalid(
            f"model.vocab_size is {config['vocab_size']}, but the model has {rows} rows: set it to {rows}"
        )
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    head = cast("Any", head_of(model))
    parameters = [
        Parameter(name=name, shape=list(parameter.shape), dtype=_dtype_name(parameter))
        for name, parameter in model.named_parameters()
    ]
    return {
        "handle": registry.keep(model),
        "parameter_count": sum(parameter.numel() for parameter in model.parameters()),
        "parameters": parameters,
        "norm": request["norm"],
        "embedding": names[id(embedding)],
        "head": None if head is None else names[id(head.weight)],
    }


def tensor(request: ModelTensor) -> ModelTensorReply:
    """Operation `model.tensor`: write a parameter's raw little-endian bytes to `path`."""
    return _write(_parameter(request).detach(), request["path"])


@torch.no_grad()
def set_tensor(request: ModelSetTensor) -> ModelSetTensorReply:
    """Operation `model.set_tensor`: fill a parameter from raw bytes of the same shape, rounding another dtype."""
    parameter = _parameter(request)
    if list(parameter.shape) != request["shape"]:
        raise ConfigInvalid(f"{request['name']} has shape {list(parameter.shape)}, not {request['shape']}")
    data = torch.from_numpy(np.fromfile(request["path"], dtype=np.uint8))
    parameter.copy_(data.view(DTYPES[request["dtype"]]).view(parameter.shape))
    return {}


@torch.no_grad()
def forward(request: ModelForward) -> ModelForwardReply:
    """Operation `model.forward`: logits of token ids [batch, tokens], written to `path` as [batch, tokens, vocab]."""
    model: PreTrainedModel = registry.find(request["handle"])
    model.eval()
    tokens = _token_ids(request["tokens"], model)
    output: Any = model(input_ids=tokens)
    logits = output["logits"] if isinstance(output, Mapping) else output[-1]  # a tuple ends with them
    return _write(logits, request["path"])


@torch.no_grad()
def generate(request: ModelGenerate) -> ModelGenerateReply:
    """Operation `model.generate`: token ids of the prompt and its continuation."""
    model: PreTrainedModel = registry.find(request["handle"])
    model.eval()
    tokens = _token_ids([request["tokens"]], model, new_tokens=request["options"].get("max_new_tokens") or 0)
    if request["seed"] is not None:
        torch.manual_seed(request["seed"])
    if not hasattr(model, "generate"):  # a model of the user's own
        return {"tokens": _generate_by_forward(model, tokens, request["options"])}
    options = request["options"]
    # transformers rejects int, and JSON writes 2.0 as 2.
    fractions = {name: float(options[name]) for name in FRACTIONS if name in options}
    # No token ends or pads a text, whatever the defaults of the configuration.
    generator: Any = model  # `generate` comes from a mixin that the type checker does not follow
    output = generator.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        eos_token_id=None,
        pad_token_id=0,
        **{**options, **fractions},
    )
    return {"tokens": output[0].tolist()}


def _generate_by_forward(model: Any, tokens: torch.Tensor, options: Options) -> list[int]:
    """Continue a prompt [1, tokens] of a model without `generate`, with the options of transformers' own."""
    if options.get("top_p", 1.0) < 1.0:
        raise ConfigInvalid("top_p: a model of your own supports temperature and top_k only")
    for _ in range(options.get("max_new_tokens") or 0):
        output: Any = model(input_ids=tokens)
        logits = (output["logits"] if isinstance(output, Mapping) else output[-1])[:, -1].float()
        if options.get("do_sample"):
            logits = logits / options.get("temperature", 1.0)
            if kept := min(options.get("top_k") or 0, logits.shape[-1]):
                logits = logits.masked_fill(logits < logits.topk(kept).values[:, -1:], -torch.inf)
            chosen = torch.multinomial(logits.softmax(-1), 1)
        else:
            chosen = logits.argmax(-1, keepdim=True)
        tokens = torch.cat([tokens, chosen], dim=1)
    return tokens[0].tolist()


def _token_ids(rows: list[list[int]], model: PreTrainedModel, new_tokens: int = 0) -> torch.Tensor:
    """Token ids [batch, tokens] on the model's device; ConfigInvalid if the model has no embedding for them."""
    vocab = len(embedding_of(model))
    positions: int = getattr(getattr(model, "config", None), "max_position_embeddings", None) or sys.maxsize
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or 0 in lengths:
        raise ConfigInvalid(
            f"all rows need the same number of tokens, at least one: their lengths are {sorted(lengths)}"
        )
    length = lengths.pop() + new_tokens
    if length > positions:
        raise ConfigInvalid(f"{length} tokens, including the new ones, exceed the model's {positions} positions")
    largest = max(max(row) for row in rows)
    if largest >= vocab:
        raise ConfigInvalid(f"token {largest} is not in the vocabulary of {vocab}")
    return torch.tensor(rows, device=embedding_of(model).device)


def save(request: ModelSave) -> ModelSaveReply:
    """Operation `model.save`: write the model in HF layout into a directory without losing other files."""
    model = registry.find(request["handle"])
    target = Path(request["directory"])
    demand_free(target, overwrite=request["overwrite"])
    target.parent.mkdir(parents=True, exist_ok=True)
    with replace_directory(target, tag=f".{secrets.token_hex(4)}") as directory:
        save_model(model, directory)
        write_save_manifest(directory)
    return {}


def to(request: ModelTo) -> ModelToReply:
    """Operation `model.to`: move the model to a device."""
    model = registry.find(request["handle"])
    model.to(resolve_device(request["device"]))
    return {"device": str(embedding_of(model).device)}


def _parameter(request: ModelTensor | ModelSetTensor) -> torch.nn.Parameter:
    model: PreTrainedModel = registry.find(request["handle"])
    parameters = dict(model.named_parameters(remove_duplicate=False))
    name = request["name"]
    if name not in parameters:
        near = _nearest(name, list(parameters))
        raise TensorNotFound(f"the model has no tensor {name!r}" + (f"; did you mean {near!r}?" if near else ""))
    return parameters[name]


def _nearest(name: str, names: list[str]) -> str | None:
    """The closest name, comparing whole names and endings with the same number of parts."""
    parts = name.count(".") + 1
    endings = {".".join(full.split(".")[-parts:]): full for full in reversed(names)}
    near = difflib.get_close_matches(name, [*names, *endings], n=1)
    return endings.get(near[0], near[0]) if near else None


def _dtype_name(tensor: torch.Tensor) -> Literal["BF16", "F16", "F32", "F64"]:
    """Models have no tensors of other dtypes."""
    return cast("Any", DTYPE_NAMES[tensor.dtype])


def _write(tensor: torch.Tensor, path: str) -> ModelTensorReply:
    plain = tensor.detach().cpu().contiguous()
    plain.reshape(-1).view(torch.uint8).numpy().tofile(path)
    return {"dtype": _dtype_name(plain), "shape": list(plain.shape)}
