"""GPT-2 from a configuration: norms, dtype and initial state, drawn in the notebook's order; and how it is saved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel, PreTrainedModel, logging

from bh_bridge import dtypes
from bh_bridge.errors import ConfigInvalid
from bh_bridge.initial_state import DTYPES, initialize
from bh_bridge.modeling_gpt2_rmsnorm import GPT2RMSNormLMHeadModel, RMSNorm, replace_norms


def build_model(
    config: dict[str, Any], norm: str, dtype: str, init: dict[str, Any], seed: int, directory: str | None = None
) -> GPT2LMHeadModel:
    """Build the model on the CPU, where one seed draws the same numbers on every machine.

    The order fixes the random stream: seeds, GPT-2's own initialisation, norms, dtype, then the initial embedding.
    With `directory` the weights are those of a saved model (HF layout) in place of an initialisation.
    """
    logging.set_verbosity_error()  # its warning on `loss_type` tells what the bits depend on and the tests pin
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    model = new_model(config, norm) if directory is None else load_model(directory, config, norm)
    nn.Module.to(model, dtype=DTYPES[dtype])
    initialize(model.transformer.wte.weight, init)
    return model


def new_model(config: dict[str, Any], norm: str) -> GPT2LMHeadModel:
    """A GPT-2 with its own initialisation, N(0, initializer_range)."""
    model = GPT2LMHeadModel(_architecture(config))
    if norm == "rmsnorm":
        replace_norms(model)
    return model


def _architecture(config: dict[str, Any]) -> GPT2Config:
    # JSON spells 1.0 as 1, which GPT2Config refuses for a fraction.
    fractions = {name: float(config[name]) for name in ("layer_norm_epsilon", "initializer_range") if name in config}
    # A token is a byte: none of them begins or ends a text, whatever GPT2Config's defaults say.
    arguments: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, **config, **fractions}
    return GPT2Config(**arguments)


def blueprint_of(model: GPT2LMHeadModel) -> dict[str, Any]:
    """What `model_of` makes a model of the same shape of: architecture, norm and dtype, as JSON has them."""
    has_rmsnorm = any(isinstance(module, RMSNorm) for module in model.modules())
    return {
        "config": json.loads(model.config.to_json_string(use_diff=False)),
        "norm": "rmsnorm" if has_rmsnorm else "layernorm",
        "dtype": dtypes.DTYPE_NAMES[model.transformer.wte.weight.dtype],
    }


def model_of(blueprint: dict[str, Any]) -> GPT2LMHeadModel:
    """A model of the same shape on the CPU, whose weights mean nothing."""
    model = new_model(blueprint["config"], blueprint["norm"])
    nn.Module.to(model, dtype=dtypes.DTYPES[blueprint["dtype"]])
    return model


def load_model(directory: str, config: dict[str, Any], norm: str) -> GPT2LMHeadModel:
    """Load the tensors of a saved GPT-2, and nothing else of it.

    Its config.json can name code of its own, kernels to download, another model: the architecture is the request's,
    and an RMSNorm model is loaded by the class of our own.
    """
    kind = GPT2RMSNormLMHeadModel if norm == "rmsnorm" else GPT2LMHeadModel
    loaded: Any = kind.from_pretrained(
        directory,
        config=_architecture(config),
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
        raise ConfigInvalid(
            f"{directory} does not hold a GPT-2 with {norm}: {', '.join(map(str, wrong[:5]))} do not fit"
        )
    return model


def save_model(model: PreTrainedModel, directory: Path) -> None:
    """Save a model in HF layout; with RMSNorm its modelling file goes along, so that plain transformers loads it."""
    model.save_pretrained(directory)
    if not any(isinstance(module, RMSNorm) for module in model.modules()):
        return
    source = Path(__file__).with_name("modeling_gpt2_rmsnorm.py")
    (directory / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    path = directory / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["architectures"] = ["GPT2RMSNormLMHeadModel"]
    config["auto_map"] = {"AutoModelForCausalLM": f"{source.stem}.GPT2RMSNormLMHeadModel"}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
