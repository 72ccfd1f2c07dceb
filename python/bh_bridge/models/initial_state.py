"""The initial states of the embedding."""

from __future__ import annotations

import torch

from bh_bridge.bridge.messages import Init, PythonInit
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.draws import Draws
from bh_bridge.models.own_code import call, load

# Dtypes of the weights. With `float32-master`, the optimizer keeps a float32 copy of bfloat16 weights.
DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float32-master": torch.bfloat16}
NOISE_DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32}


@torch.no_grad()
def initialize(weight: torch.Tensor, init: Init, draws: Draws) -> None:
    """Fill the embedding [vocab, hidden] with its initial state, drawn on the CPU: the base, then the noise.

    normal: unchanged, as initialized by the model.  singular: the same unit vector in every row.
    snowball: one N(0, 1) vector plus N(0, sigma) per row.  file: rows set later by `set_tensor`.
    unit-noise: one unit vector plus N(0, sigma) per row, computed in noise_dtype.  python: a function fills them.
    Other kinds are computed in float32; the result is rounded to the dtype of the weight.
    """
    vocab, hidden = weight.shape
    if init["kind"] == "singular":
        weight[:] = draws.unit_vector(hidden, torch.float32)
    elif init["kind"] == "snowball":
        base = draws.normal(hidden, dtype=torch.float32)
        weight[:] = base + draws.normal(vocab, hidden, dtype=torch.float32) * init["sigma"]
    elif init["kind"] == "unit-noise":
        dtype = NOISE_DTYPES[init["noise_dtype"]]
        base = draws.unit_vector(hidden, dtype)
        weight[:] = base + draws.normal(vocab, hidden, dtype=dtype) * init["sigma"]
    elif init["kind"] == "python":
        _fill(weight, init)


def _fill(weight: torch.Tensor, init: PythonInit) -> None:
    """Let a function of the user's own fill the embedding, or copy the tensor that it returns."""
    own = load(init["code"], init["function"], "init.code", "init.function")
    found = call(own, init["code"], "init.function", weight)
    if found is None:
        return
    if not isinstance(found, torch.Tensor) or found.shape != weight.shape:
        shape = list(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise ConfigInvalid(
            f"init.function: {init['function']} must fill the embedding in place or return a tensor of its shape "
            f"{list(weight.shape)}, and returned {shape}"
        )
    weight.copy_(found)
