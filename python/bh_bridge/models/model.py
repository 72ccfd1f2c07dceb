"""Builds, loads and saves models, with random numbers drawn in the order of the notebook."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Literal, TypedDict, cast

import numpy as np
import torch
from torch import nn
from transformers import GenerationConfig, PreTrainedConfig, PreTrainedModel, logging

from bh_bridge import tensors
from bh_bridge.bridge.messages import Init, Json, ModelConfig
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models import own_model
from bh_bridge.models.draws import Draws, PortableDraws, draws_of
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
from bh_bridge.models.initial_weights import draw_weights
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
    draws: Literal["torch", "portable"] = "torch",
) -> PreTrainedModel:
    """Build a model on the CPU.

    config: the family (`type`, default GPT-2) and the fields of its configuration in transformers.
    Random numbers are drawn in this order: the model's own initialization, norms, then the initial embedding.
    directory: a saved model (HF layout) whose weights replace the initialization.
    init_seed: draws the embedding as in a run with this seed; all other weights are drawn from `seed`.
    draws: "portable" draws GPT-2, Llama and Qwen3 with the same bits on every machine and with every version of
    transformers. Those of "torch" depend on both. Other families always draw with torch; TypeScript refuses them.
    """
    logging.set_verbosity_error()  # suppresses its warning about `loss_type`
    kind = config.get("type", DEFAULT_FAMILY)
    if kind == "python":
        described: Any = own_model.described(config)
    else:
        described = architecture(kind, {name: value for name, value in config.items() if name != "type"})
    _require_memory(described, kind, norm)
    drawn = draws_of(draws)
    stream = None
    if init_seed is not None and init_seed != seed:
        if directory is None:
            _drawn_model(described, kind, norm, init_seed, drawn)
        else:
            seed_all(init_seed)
        stream = torch.get_rng_state()
    if directory is None:
        model = _drawn_model(described, kind, norm, seed, drawn)
    else:
        seed_all(seed)
        model = load_model(directory, described, kind, norm)
    nn.Module.to(model, dtype=DTYPES[dtype])
    if stream is not None:
        torch.set_rng_state(stream)
    initialize(embedding_of(model), init, drawn)
    return model


def _drawn_model(described: PreTrainedConfig, kind: str, norm: str, seed: int, draws: Draws) -> PreTrainedModel:
    """A new model with weights drawn from `seed`; torch's stream continues after them."""
    seed_all(seed)
    model = new_model(described, kind, norm)
    if isinstance(draws, PortableDraws):  # the order of transformers' own draws depends on its version
        seed_all(seed)
        draw_weights(model, draws)
    return model


def _require_memory(described: PreTrainedConfig, kind: str, norm: str) -> None:
    """ConfigInvalid if the weights in float32, in which the model is built, exceed the memory of this machine.

    TypeScript has already checked the families in FAMILIES.
    """
    if kind in FAMILIES or kind == "python":  # of a model of the user's own only its constructor knows the size
        return
    try:
        with torch.device("meta"):  # shapes alone
            weights = sum(parameter.numel() for parameter in new_model(described, kind, norm).parameters())
    except (NotImplementedError, RuntimeError):  # the family computes with its weights while it is built
        return
    needed, memory = 4 * weights, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > memory:
        raise ConfigInvalid(
            f"model: its {weights:,} weights need {needed:,} bytes and this machine has {memory:,}: make it smaller"
        )


def seed_all(seed: int) -> None:
    """Seed the random streams of torch and NumPy."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)


def new_model(described: PreTrainedConfig, kind: str, norm: str) -> PreTrainedModel:
    """A new model with the family's own initialization; ConfigInvalid if it has no norm to replace."""
    if kind == "python":
        return own_model.new(cast("Any", described))
    model: Any = model_class(kind, norm)(described)
    if getattr(model, "replaced_norms", None) == 0:
        raise ConfigInvalid(f"model.norm: a {kind} has no norm to replace: set it to native")
    return model


def blueprint_of(model: PreTrainedModel) -> Blueprint:
    """The blueprint from which `model_of` makes a model of the same shape."""
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
    """A model of the same shape on the CPU, with arbitrary weights."""
    described = config_class(blueprint["kind"]).from_dict(blueprint["config"])
    model = new_model(described, blueprint["kind"], blueprint["norm"])
    nn.Module.to(model, dtype=tensors.DTYPES[blueprint["dtype"]])
    return model


def load_model(directory: str, described: PreTrainedConfig, kind: str, norm: str) -> PreTrainedModel:
    """Load only the tensors of a saved model.

    Its config.json is ignored, because it can name code, kernels to download or another model. The request defines the
    architecture.
    """
    if kind == "python":
        return own_model.load_weights(own_model.new(cast("Any", described)), Path(directory))
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
            f"{directory} is not a {name} with {norm}: these tensors do not match: {', '.join(map(str, wrong[:5]))}"
        )
    return model


def load_like(model: PreTrainedModel, directory: Path) -> PreTrainedModel:
    """Load a saved model of the same shape as a given one."""
    shape = blueprint_of(model)
    described = config_class(shape["kind"]).from_dict(shape["config"])
    return load_model(str(directory), described, shape["kind"], shape["norm"])


def save_model(model: PreTrainedModel, directory: Path) -> None:
    """Save a model in HF layout, with the source of classes that transformers lacks, so that it can load the model."""
    if own_model.is_own(model):
        own_model.save(model, directory)
        share_tensors(directory)
        return
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
    """Write the type and the classes of a model that transformers lacks into its config.json."""
    path = directory / "config.json"
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["model_type"] = kind
    saved["architectures"] = [model.__name__]
    saved["auto_map"] = {
        "AutoConfig": f"{source.stem}.{config.__name__}",
        "AutoModelForCausalLM": f"{source.stem}.{model.__name__}",
    }
    path.write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
