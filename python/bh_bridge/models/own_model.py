"""A model of the user's own: any nn.Module with `forward(input_ids, labels)`, built, saved and loaded as it is."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from weakref import WeakKeyDictionary

import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers.modeling_outputs import CausalLMOutput

from bh_bridge.bridge.messages import PythonConfig
from bh_bridge.errors import ConfigInvalid
from bh_bridge.hf_internals import accept_tied_weights
from bh_bridge.models.own_code import call, load
from bh_bridge.process.renewal import LibraryState

WEIGHTS = "model.safetensors"
COPY = "modeling_own.py"


@dataclasses.dataclass(frozen=True)
class OwnModel:
    """The class of a model and the request that names it."""

    config: PythonConfig
    build: Any
    """Its class."""


_BUILT: WeakKeyDictionary[nn.Module, tuple[OwnModel, nn.Parameter]] = WeakKeyDictionary()


def described(config: Mapping[str, Any]) -> OwnModel:
    """Execute the code of a request, before random numbers are drawn; ConfigInvalid if it has no such class."""
    own: Any = config
    found = load(own["code"], own["class"], "model.code", "model.class")
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise ConfigInvalid(f"model.class: {own['class']} of {own['code']['path']} is not a class of torch.nn.Module")
    return OwnModel(own, found)


def new(own: OwnModel) -> Any:
    """A new model; ConfigInvalid with the line of its constructor that fails, or without an embedding."""
    model: nn.Module = call(own.build, own.config["code"], "model.fields", **own.config["fields"])
    _BUILT[model] = (own, _embedding(own, model))
    model.register_forward_hook(_as_trainer_expects)
    accept_tied_weights(model)
    return model


def is_own(model: nn.Module) -> bool:
    """Whether a model is of the user's own code."""
    return model in _BUILT


def embedding(model: nn.Module) -> nn.Parameter:
    """The embedding [vocab, hidden] of a model of `new`."""
    return _BUILT[model][1]


def require_loss(model: nn.Module, length: int, with_labels: bool) -> None:
    """ConfigInvalid unless the model returns a loss, or without labels anything that a loss is computed of.

    Tried on one window without gradients or a trace in the random streams. What the forward pass itself raises is left
    to the training, since the model may need its device or autocast.
    """
    if not is_own(model):
        return
    own = _BUILT[model][0]
    before, was_training = LibraryState(), model.training
    tokens = torch.zeros(1, length, dtype=torch.int64, device=next(model.parameters()).device)
    try:
        with torch.no_grad():
            output = model.eval()(**{"input_ids": tokens, **({"labels": tokens} if with_labels else {})})
    except Exception:
        return
    finally:
        before.restore()
        model.train(was_training)
    if not with_labels:
        return
    loss = output.get("loss") if isinstance(output, Mapping) else output[0] if output else None
    if not (isinstance(loss, torch.Tensor) and loss.dim() == 0):
        found = f"a tensor of shape {list(loss.shape)}" if isinstance(loss, torch.Tensor) else "none"
        raise ConfigInvalid(
            f"model.class: forward(input_ids, labels) of {own.config['class']} must return its loss, a scalar, as "
            f'(loss, logits), as {{"loss": …}} or as an object with .loss; its loss is {found}'
        )


def save(model: nn.Module, directory: Path) -> None:
    """Save the weights, a copy of the code, and a config.json that names both."""
    own = _BUILT[model][0].config
    weights: dict[str, torch.Tensor] = {}
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if id(tensor) not in seen:  # tied weights are saved once, by their first name
            seen.add(id(tensor))
            weights[name] = tensor.detach().cpu().contiguous()
    save_file(weights, directory / WEIGHTS, metadata={"format": "pt"})
    (directory / COPY).write_text(own["code"]["source"], encoding="utf-8")
    name = next(name for name, weight in model.named_parameters() if weight is embedding(model))
    facts = {field: own[field] for field in ("class", "fields", "vocab_size")}
    code = {"path": COPY, "sha256": own["code"]["sha256"]}
    saved = {
        "model_type": "python",
        **facts,
        "embedding": name,
        "code": code,
        "dtype": str(embedding(model).dtype).removeprefix("torch."),
    }
    (directory / "config.json").write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")


def load_weights(model: nn.Module, directory: Path) -> Any:
    """Fill a model from a directory of `save`; ConfigInvalid naming tensors that do not match."""
    weights = load_file(directory / WEIGHTS)
    own = model.state_dict(keep_vars=True)
    filled = {id(own[name]) for name in weights if name in own}
    wrong = [name for name in weights if name not in own or own[name].shape != weights[name].shape]
    wrong += [name for name, tensor in own.items() if id(tensor) not in filled]
    if wrong:
        raise ConfigInvalid(f"model.from: these tensors of {directory} do not match the model: {', '.join(wrong[:5])}")
    model.load_state_dict(weights, strict=False, assign=False)
    return model


def _embedding(own: OwnModel, model: nn.Module) -> nn.Parameter:
    name = own.config["embedding"]
    matrices = {each: weight for each, weight in model.named_parameters(remove_duplicate=False) if weight.dim() == 2}
    listed = ", ".join(f'"{each}"' for each in list(matrices)[:5])
    if name is not None:
        if name not in matrices:
            near = difflib.get_close_matches(name, list(matrices), n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"it has {listed or 'no matrix'}"
            raise ConfigInvalid(f'model.embedding: the model has no matrix "{name}": {hint}')
        return matrices[name]
    if not hasattr(model, "get_input_embeddings"):
        raise ConfigInvalid(
            f"model.embedding: {own.config['class']} has no get_input_embeddings(): "
            f"set model.embedding to the name of its embedding, one of {listed or 'no matrix'}"
        )
    weight = getattr(call(cast("Any", model).get_input_embeddings, own.config["code"], "model.class"), "weight", None)
    if not any(weight is each for each in matrices.values()):
        raise ConfigInvalid(
            "model.embedding: the weight of get_input_embeddings() is not a parameter [vocab, hidden] of the model: "
            f"return the embedding, or set model.embedding to one of {listed or 'no matrix'}"
        )
    return weight  # pyright: ignore[reportReturnType]


def _as_trainer_expects(_: nn.Module, _inputs: Any, output: Any) -> Any:
    """Trainer takes tuples and mappings; an object with `.loss` and a loss alone become such."""
    if isinstance(output, torch.Tensor):
        return (output,)
    if isinstance(output, Mapping | tuple | list) or not hasattr(output, "loss"):
        return output
    return CausalLMOutput(loss=output.loss, logits=getattr(output, "logits", None))
