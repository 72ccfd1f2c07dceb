"""Make the files that the recipes of docs/bring-your-own.md name, with plain libraries alone."""

import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

folder = Path(sys.argv[1])
(folder / "story.txt").write_text("The quick brown fox jumps over the lazy dog. " * 200, encoding="utf-8")

# A series of checkpoints whose weights move on from step to step.
draws = np.random.default_rng(1)
weights = {"wte.weight": draws.normal(0, 0.02, (256, 32)), "h.0.mlp.c_fc.weight": draws.normal(0, 0.02, (32, 128))}
for step in (0, 100, 200, 300):
    checkpoint = folder / f"series/checkpoint-{step}"
    checkpoint.mkdir(parents=True)
    save_file({name: value.astype(np.float32) for name, value in weights.items()}, checkpoint / "model.safetensors")
    weights = {name: value + draws.normal(0, 0.005, value.shape) for name, value in weights.items()}
