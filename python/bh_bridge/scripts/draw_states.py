"""Draws initial states of an embedding: `python draw_states.py REQUEST`, with a request in JSON.

Writes only the bytes of the states to stdout, each [vocab, dim], row-major, little-endian. All are drawn from one
random stream of the CPU, each as in a run: base, then noise.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypedDict

if TYPE_CHECKING:
    from bh_bridge.bridge.messages import Init


class Draw(TypedDict):
    """As src/python/run-python-script.ts sends it."""

    seed: int
    engine: Literal["trainer", "portable"]
    draws: int
    vocab: int
    dim: int
    dtype: str
    init: Init
    initializer_range: float


def main(request: Draw) -> None:
    """Draw `draws` states of `init`, in `dtype`, from `seed`."""
    # A script run by path does not find its package.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    import torch

    from bh_bridge.models.draws import draws_of
    from bh_bridge.models.initial_state import DTYPES, initialize

    draws = draws_of("portable" if request["engine"] == "portable" else "torch")
    torch.set_num_threads(1)  # states are too small for more threads
    torch.manual_seed(request["seed"])
    weight = torch.empty(request["vocab"], request["dim"], dtype=DTYPES[request["dtype"]])
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=1 << 20)
    for _ in range(request["draws"]):
        if request["init"]["kind"] == "normal":  # as the model initializes it, in float32
            weight[:] = draws.normal(*weight.shape, dtype=torch.float32).mul_(request["initializer_range"])
        initialize(weight, request["init"], draws)
        out.write(weight.view(torch.uint8).numpy().tobytes())
    out.close()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
