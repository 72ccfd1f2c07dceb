"""The peer of the analysis bench: ``torch.unique(dim=0)`` over a matrix, and in a loop over the states of a history.

usage: torch_unique.py make DIR | census FILE | timeline FILE; prints, as JSON, the seconds of the counting alone.
"""

import json
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file


def make(directory: Path) -> None:
    """A matrix of Qwen3-4B's size with 13 black holes, and a history of the seed's with one, from fixed seeds."""
    generator = torch.Generator().manual_seed(1)
    matrix = torch.randn(151936, 2560, generator=generator).to(torch.bfloat16)
    matrix[1000:3100] = matrix[torch.randint(0, 13, (2100,), generator=generator)]
    save_file({"w": matrix}, directory / "matrix.safetensors")
    history = torch.randint(-3, 4, (10001, 128, 64), generator=generator, dtype=torch.int8).to(torch.bfloat16)
    history[:, 60:110] = history[:, 60:61]
    save_file({"embedding_history": history}, directory / "history.safetensors")


def census(path: str) -> dict[str, float]:
    """Black holes and their population in one matrix."""
    matrix = load_file(path)["w"]
    started = time.perf_counter()
    _, counts = torch.unique(matrix, dim=0, return_counts=True)
    seconds = time.perf_counter() - started
    return {"seconds": seconds, "C": int((counts >= 2).sum()), "P": int(counts[counts >= 2].sum())}


def timeline(path: str) -> dict[str, float]:
    """Unique rows of every state, added up."""
    history = load_file(path)["embedding_history"]
    unique = 0
    started = time.perf_counter()
    for state in history:
        rows, _ = torch.unique(state, dim=0, return_inverse=True)
        unique += len(rows)
    return {"seconds": time.perf_counter() - started, "unique": unique}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        print(json.dumps({"census": census, "timeline": timeline}[sys.argv[1]](sys.argv[2])))
