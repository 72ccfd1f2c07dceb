"""GPT-2 from a configuration: norms, dtype and initial state, drawn in the notebook's order."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel, logging

from bh_bridge.errors import ConfigInvalid
from bh_bridge.modeling_gpt2_rmsnorm import GPT2RMSNormLMHeadModel, replace_norms

# The model's own dtype. A float32 master is kept by the optimizer, beside weights that are bfloat16.
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float32-master": torch.bfloat16}


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
    model = new_model(config, norm) if directory is None else load_model(config, norm, directory)
    nn.Module.to(model, dtype=DTYPES[dtype])
    initialize(model.transformer.wte.weight, init)
    return model


def new_model(config: dict[str, Any], norm: str) -> GPT2LMHeadModel:
    """A GPT-2 with its own initialisation, N(0, initializer_range)."""
    # A token is a byte: none of them begins or ends a text, whatever GPT2Config's defaults say.
    arguments: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None, **_with_fractions(config)}
    model = GPT2LMHeadModel(GPT2Config(**arguments))
    if norm == "rmsnorm":
        replace_norms(model)
    return model


def load_model(config: dict[str, Any], norm: str, directory: str) -> GPT2LMHeadModel:
    """Load a saved GPT-2, with `config` in place of what it says of itself.

    No code of the directory is run: an RMSNorm model is loaded by the class of our own.
    """
    kind = GPT2RMSNormLMHeadModel if norm == "rmsnorm" else GPT2LMHeadModel
    wanted = GPT2Config.from_pretrained(directory, local_files_only=True, **_with_fractions(config))
    loaded: Any = kind.from_pretrained(
        directory, config=wanted, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
    )
    model, report = loaded
    wrong = [*report["missing_keys"], *report["unexpected_keys"], *report["mismatched_keys"]]
    if wrong:
        raise ConfigInvalid(
            f"{directory} does not hold a GPT-2 with {norm}: {', '.join(map(str, wrong[:5]))} do not fit"
        )
    return model


def _with_fractions(config: dict[str, Any]) -> dict[str, Any]:
    """A configuration from JSON, which spells 1.0 as 1; GPT2Config refuses that for a fraction."""
    fractions = {"layer_norm_epsilon", "initializer_range"} & config.keys()
    return config | {name: float(config[name]) for name in fractions}


@torch.no_grad()
def initialize(weight: torch.Tensor, init: dict[str, Any]) -> None:
    """Fill the embedding [vocab, hidden] with its initial state. Draws are float32, on the CPU.

    normal: what GPT-2 drew, N(0, initializer_range).  singular: one unit vector in every row.
    snowball: one N(0, 1) vector plus N(0, sigma) a row, added in float32.  file: rows set afterwards, by `set_tensor`.
    unit-noise: one unit vector plus N(0, sigma) a row, added before or, with noise_dtype bfloat16, after rounding.
    """
    vocab, hidden = weight.shape
    kind = init["kind"]
    if kind == "singular":
        weight[:] = _unit_vector(hidden)
    elif kind == "snowball":
        base = torch.randn(hidden)
        weight[:] = base + torch.randn(vocab, hidden) * init["sigma"]
    elif kind == "unit-noise":
        base = _unit_vector(hidden)
        noise = torch.randn(vocab, hidden) * init["sigma"]
        if init["noise_dtype"] == "bfloat16":
            base, noise = base.to(torch.bfloat16), noise.to(torch.bfloat16)
        weight[:] = base + noise


def _unit_vector(size: int) -> torch.Tensor:
    vector = torch.randn(size)
    return vector / vector.norm()
