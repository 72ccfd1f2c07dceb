"""The fast step: loss and gradients of a GPT-2 by hand, compiled where that pays, with bits of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.engines.step_method import StepMethod
from bh_bridge.fast_step.gpt2 import loss_and_gradients, shape_of
from bh_bridge.hf_internals import compiled_folder, prepare_compiler
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm

__all__ = ["Batch", "FastStep", "obstacle", "obstacle_on", "obstacle_to_compiling"]

CACHE = "TORCHINDUCTOR_CACHE_DIR"  # torch's own variable
MAX_GRAPHS = 1_000  # in one process, each for another model: a worker of a sweep trains many


def obstacle(model: PreTrainedModel) -> str | None:
    """What of a model the fast step does not implement, by the name of the field; None where it has all."""
    if not isinstance(model, GPT2LMHeadModel):
        return f"model.type is {model.config.model_type}: engine fast computes GPT-2 alone"
    config = model.config
    dropout = {name: getattr(config, name) for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop")}
    for name, probability in dropout.items():
        if probability:
            return f"model.{name} is {probability}: engine fast has no dropout"
    if config.activation_function != "gelu_new":
        return f"model.activation_function is {config.activation_function}: engine fast has gelu_new alone"
    if config.reorder_and_upcast_attn:
        return "model.reorder_and_upcast_attn is true: engine fast has plain attention"
    if not all(isinstance(block.ln_1, nn.LayerNorm | RMSNorm) for block in model.transformer.h):
        return "the norms of the model: engine fast knows LayerNorm and RMSNorm alone"
    return None


def obstacle_on(device: torch.device, dtypes: Iterable[torch.dtype]) -> str | None:
    """The first of these dtypes that a device cannot multiply, as an old Mac's GPU bfloat16; None where it can all."""
    for dtype in dtypes:
        try:
            torch.ones(2, 2, dtype=dtype, device=device).mm(torch.ones(2, 2, dtype=dtype, device=device))
        except (RuntimeError, TypeError):
            return f"device {device.type} has no products of {str(dtype).removeprefix('torch.')}"
    return None


class Batch(NamedTuple):
    """What a model is to learn from: tokens, labels int64 [batch, length], and what the sum of losses is divided by."""

    tokens: torch.Tensor
    labels: torch.Tensor
    items: torch.Tensor


class FastStep:
    """The steps of one model. Batches of one shape, [batch, length], can go through the compiled graph."""

    def __init__(self, model: GPT2LMHeadModel, narrow: torch.dtype, batch: tuple[int, int]) -> None:
        """narrow: the dtype of products. batch: the shape of all batches but the last of an epoch, which is smaller."""
        self._weights: dict[str, torch.Tensor] = dict(model.named_parameters())
        self._shape = shape_of(model, narrow)
        self._batch = batch
        self._compute: Any = loss_and_gradients

    def compile(self, why: str) -> StepMethod:
        """Compile the step for batches of the one shape, or say why that failed; nothing is computed for the model.

        why: the reason that is given where it is compiled.
        """
        device = next(iter(self._weights.values())).device
        nothing = torch.zeros(self._batch, dtype=torch.int64, device=device)
        count = torch.ones((), dtype=torch.int64, device=device)
        self._compute, told = compiled(loss_and_gradients, why, self._weights, nothing, nothing, count, self._shape)
        return told

    @torch.no_grad()
    def add_gradients(self, tokens: torch.Tensor, labels: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Add the gradients of a batch to those that the weights have; the loss of the batch is the result."""
        compute = self._compute if tokens.shape == self._batch else loss_and_gradients
        loss, grads = compute(self._weights, tokens, labels, count, self._shape)
        add_to_gradients(self._weights, grads)
        return loss


def add_to_gradients(weights: Mapping[str, torch.Tensor], grads: Mapping[str, torch.Tensor]) -> None:
    """Add to the gradients that weights have, by name; where there is none yet, these are taken as they are."""
    for name, weight in weights.items():
        weight.grad = grads[name] if weight.grad is None else weight.grad.add_(grads[name])


def obstacle_to_compiling(device: torch.device) -> str | None:
    """Why a step cannot be compiled here, in a few words; None where it can."""
    if device.type != "cpu":
        return "it is for the CPU"
    return "there is no C++ compiler (g++)" if _compiler() is None else None


def compiled(function: Callable[..., Any], why: str, *arguments: Any) -> tuple[Callable[..., Any], StepMethod]:
    """A function compiled for arguments like these; as it stands where that fails, as without the headers of Python.

    why: the reason that is given where it is compiled.
    """
    began = time.perf_counter()
    try:
        _keep_compiled()
        prepare_compiler(MAX_GRAPHS)
        began = time.perf_counter()  # without the import of the compiler
        graph = torch.compile(function, fullgraph=True, dynamic=False)
        with torch.no_grad():
            graph(*arguments)
    except Exception as error:  # whatever a compiler, a disk or an installation may lack
        first_line = str(error).strip().split("\n", 1)[0]
        return function, StepMethod(
            "compiled", False, f"compiling failed: {first_line}", seconds=time.perf_counter() - began
        )
    return graph, StepMethod("compiled", True, why, seconds=time.perf_counter() - began)


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def _keep_compiled() -> None:
    """Let compiled steps outlive a restart, where the user has not said where: torch puts them into /tmp."""
    default = compiled_folder()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "compiled"
    if os.environ.get(CACHE, default) == default:
        with contextlib.suppress(OSError):  # a home that cannot be written to: then in /tmp after all
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[CACHE] = str(folder)
