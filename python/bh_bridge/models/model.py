"""A model from a configuration: norms, dtype and initial state, drawn in the notebook's order; and how it is saved."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypedDict, cast

import numpy as np
import torch
from torch import nn
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel, logging

from bh_bridge import tensors
from bh_bridge.bridge.messages import Init, Json, ModelConfig
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.families import (
    DEFAULT_FAMILY,
    FAMILIES,
    architecture,
    config_class,
    embedding_of,
    family_of,
    model_class,
    replaced_norm,
    source_with_norms,
)
from bh_bridge.models.initial_state import DTYPES, initialize
from bh_bridge.models.modeling_gpt2_rmsnorm import GPT2RMSNormConfig, GPT2RMSNormLMHeadModel
from bh_bridge.models.modeling_tinylm import TinyLMConfig, TinyLMForCausalLM
from bh_bridge.storage.durable import share_tensors

GPT2_SOURCE = Path(__file__).with_name("modeling_gpt2_rmsnorm.py")
OTHER_SOURCE = Path(__file__).with_name("modeling_other_norms.py")
TINYLM_SOURCE = Path(__file__).with_name("modeling_tinylm.py")


class Blueprint(TypedDict):
    """The shape of a model: architecture, norm and dtype."""

    kind: str
    config: dict[str, Json]
    norm: str
    dtype: str


def build_model(
    config: ModelConfig,
    norm: str,
    dtype: str,
    init: Init,
    seed: int,
    directory: str | None = None,
    init_seed: int | None = None,
) -> PreTrainedModel:
    """Build the model on the CPU, where one seed draws the same numbers on every machine.

    config: `type`, the family, GPT-2 when it is left out; and the fields of its configuration in transformers.
    The order fixes the random stream: seeds, the model's own initialisation, norms, dtype, then the initial embedding.
    With `directory` the weights are those of a saved model (HF layout) in place of an initialisation. With an
    `init_seed` the embedding begins as in a run whose seed is that one, and all other weights as `seed` draws them.
    """
    logging.set_verbosity_error()  # its warning on `loss_type` tells what the bits depend on and the tests pin
    kind = config.get("type", DEFAULT_FAMILY)
    described = architecture(kind, {name: value for name, value in config.items() if name != "type"})
    _require_memory(described, kind, norm)
    stream = None if init_seed in (None, seed) else _stream_after_weights(described, kind, norm, directory, init_seed)
    seed_all(seed)
    model = new_model(described, kind, norm) if directory is None else load_model(directory, described, kind, norm)
    nn.Module.to(model, dtype=DTYPES[dtype])
    if stream is not None:
        torch.set_rng_state(stream)
    initialize(embedding_of(model), init)
    return model


def _require_memory(described: PreTrainedConfig, kind: str, norm: str) -> None:
    """ConfigInvalid for a model whose weights do not fit into this machine, as it would be built: in float32.

    Of the families whose weights TypeScript counts it has done so already.
    """
    if kind in FAMILIES:
        return
    try:
        with torch.device("meta"):  # shapes alone
            weights = sum(parameter.numel() for parameter in new_model(described, kind, norm).parameters())
    except (NotImplementedError, RuntimeError):  # a family that computes with its weights as it is built
        return
    needed, memory = 4 * weights, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise ConfigInvalid(
            f"model: its {weights:,} weights need {needed:,} bytes and this machine has {memory:,}: make it smaller"
        )


def seed_all(seed: int) -> None:
    """Begin the random streams of torch and NumPy."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)


def _stream_after_weights(
    described: PreTrainedConfig, kind: str, norm: str, directory: str | None, seed: int | None
) -> torch.Tensor:
    """Where torch's stream stands when the weights have been drawn from `seed`: there the initial state begins."""
    assert seed is not None
    seed_all(seed)
    if directory is None:
        new_model(described, kind, norm)
    return torch.get_rng_state()


def new_model(described: PreTrainedConfig, kind: str, norm: str) -> PreTrainedModel:
    """A model of a family with its own initialisation; ConfigInvalid when it has no norm to replace."""
    model: Any = model_class(kind, norm)(described)
    if getattr(model, "replaced_norms", None) == 0:
        raise ConfigInvalid(f"model.norm: a {kind} has no norm that could be replaced: set it to native")
    return model


def blueprint_of(model: PreTrainedModel) -> Blueprint:
    """What `model_of` makes a model of the same shape of: architecture, norm and dtype, as JSON has them."""
    kind = model.config.model_type
    return {
        "kind": kind,
        "config": json.loads(model.config.to_json_string(use_diff=False)),
        "norm": "rmsnorm"
        if isinstance(model, GPT2RMSNormLMHeadModel)
        else replaced_norm(model) or family_of(kind).own_norm,
        "dtype": tensors.DTYPE_NAMES[embedding_of(model).dtype],
    }


def model_of(blueprint: Blueprint) -> PreTrainedModel:
    """A model of the same shape on the CPU, whose weights mean nothing."""
    described = config_class(blueprint["kind"]).from_dict(blueprint["config"])
    model = new_model(described, blueprint["kind"], blueprint["norm"])
    nn.Module.to(model, dtype=tensors.DTYPES[blueprint["dtype"]])
    return model


def load_model(directory: str, described: PreTrainedConfig, kind: str, norm: str) -> PreTrainedModel:
    """Load the tensors of a saved model, and nothing else of it.

    Its config.json can name code of its own, kernels to download, another model: the architecture is the request's,
    and a model with replaced norms is loaded by the class of our own.
    """
    loaded: Any = model_class(kind, norm).from_pretrained(
        directory,
        config=described,
        generation_config=GenerationConfig(),
        dtype="auto",
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
    )
    model, report = loaded
    wrong = [*report["missing_keys"], *report["unexpected_keys"], *report["mismatched_keys"]]
    if wrong:
        name = family_of(kind).title or f"model of type {kind}"
        raise ConfigInvalid(
            f"{directory} does not hold a {name} with {norm}: {', '.join(map(str, wrong[:5]))} do not fit"
        )
    return model


def save_model(model: PreTrainedModel, directory: Path) -> None:
    """Save a model in HF layout; what transformers does not have goes along as source: plain transformers loads it."""
    model.save_pretrained(directory)
    share_tensors(directory)
    kind, norm = model.config.model_type, replaced_norm(model)
    if isinstance(model, TinyLMForCausalLM):
        _add_source(directory, TINYLM_SOURCE)
        _name_classes(directory, kind, TINYLM_SOURCE, TinyLMConfig, type(model))
    if isinstance(model, GPT2RMSNormLMHeadModel):
        _add_source(directory, GPT2_SOURCE)
        _name_classes(directory, GPT2RMSNormConfig.model_type, GPT2_SOURCE, GPT2RMSNormConfig, type(model))
    elif norm is not None:
        _add_source(directory, GPT2_SOURCE)
        _add_source(directory, OTHER_SOURCE, source_with_norms(type(model).__mro__[1], kind, norm))
        own = cast("type[PreTrainedConfig]", type(model).config_class)
        _name_classes(directory, own.model_type, OTHER_SOURCE, own, type(model))


def _add_source(directory: Path, source: Path, more: str = "") -> None:
    (directory / source.name).write_text(source.read_text(encoding="utf-8") + more, encoding="utf-8")


def _name_classes(
    directory: Path, kind: str, source: Path, config: type[PreTrainedConfig], model: type[PreTrainedModel]
) -> None:
    """Write into config.json the type of a model that transformers does not have, and where its classes are."""
    path = directory / "config.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["model_type"] = kind
    saved["architectures"] = [model.__name__]
    saved["auto_map"] = {
        "AutoConfig": f"{source.stem}.{config.__name__}",
        "AutoModelForCausalLM": f"{source.stem}.{model.__name__}",
    }
    path.write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
