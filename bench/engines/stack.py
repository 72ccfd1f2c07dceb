"""Gradients of K models in a stack, against each by itself: processor time of a step of the notebook's model and batch.

In turn, one thread, engine `fast`; what follows a step (clipping, AdamW, recording) is the same either way.

usage: .venv/bin/python bench/engines/stack.py [--models 4] [--rounds 15] [--device cpu]
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "python"))
from bh_bridge.fast_step import Batch, FastStep
from bh_bridge.gpu.stack import FastStack
from bh_bridge.models.model import build_model
from torch import nn
from transformers import GPT2LMHeadModel

parser = argparse.ArgumentParser()
parser.add_argument("--models", type=int, default=4)
parser.add_argument("--rounds", type=int, default=15)
parser.add_argument("--device", default="cpu")
options = parser.parse_args()
is_cuda = options.device.startswith("cuda")
torch.set_num_threads(1)

SIZES = {"vocab_size": 128, "n_positions": 128, "n_embd": 64, "n_layer": 2, "n_head": 2}
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


def models() -> list[GPT2LMHeadModel]:
    made = [
        build_model({**SIZES, **NO_DROPOUT}, "rmsnorm", "bfloat16", {"kind": "singular"}, seed)
        for seed in range(options.models)
    ]
    return [cast("GPT2LMHeadModel", nn.Module.to(model, options.device)) for model in made]


def seconds(step: Callable[[], None]) -> float:
    """On a GPU by the clock, which waits for it; else processor time, which other processes hardly touch."""
    if is_cuda:
        torch.cuda.synchronize()
    began = time.perf_counter() if is_cuda else time.process_time()
    step()
    if is_cuda:
        torch.cuda.synchronize()
    return (time.perf_counter() if is_cuda else time.process_time()) - began


tokens, labels = torch.randint(0, 128, (2, 32, 128), device=options.device)
batch = Batch(tokens, labels, torch.tensor(tokens.numel(), device=options.device))
alone = [FastStep(model, torch.bfloat16) for model in models()]
stack = FastStack(models(), torch.bfloat16, options.models, None if is_cuda else "it requires CUDA")
batches = dict.fromkeys(range(options.models), batch)


def each_alone() -> None:
    for step in alone:
        step.add_gradients(*batch)


def together() -> None:
    stack.gradients(batches)


for _ in range(5):
    each_alone()
    together()
times = [(seconds(each_alone), seconds(together)) for _ in range(options.rounds)]
one, other = (1000 * statistics.median(column) for column in zip(*times, strict=True))
print(f"torch {torch.__version__}, {options.device}, one thread, {options.rounds} rounds, medians")
print(f"  {options.models} steps one after the other   {one:.1f} ms")
print(f"  one step of a stack of {options.models}      {other:.1f} ms")
print(f"  ratio                          {one / other:.2f}")
