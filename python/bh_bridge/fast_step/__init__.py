"""The fast step: hand-written loss and gradients of a GPT-2, optionally compiled, with bits of their own."""

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
    """Why the fast step does not support a model, naming the field; None if it does."""
    if not isinstance(model, GPT2LMHeadModel):
        return f"model.type is {model.config.model_type}: engine fast supports only GPT-2"
    config = model.config
    dropout = {name: getattr(config, name) for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop")}
    for name, probability in dropout.items():
        if probability:
            return f"model.{name} is {probability}: engine fast does not support dropout"
    if config.activation_function != "gelu_new":
        return f"model.activation_function is {config.activation_function}: engine fast supports only gelu_new"
    if config.reorder_and_upcast_attn:
        return "model.reorder_and_upcast_attn is true: engine fast supports only plain attention"
    if not all(isinstance(block.ln_1, nn.LayerNorm | RMSNorm) for block in model.transformer.h):
        return "model.norm: engine fast supports only LayerNorm and RMSNorm"
    return None


def obstacle_on(device: torch.device, dtypes: Iterable[torch.dtype]) -> str | None:
    """Report a dtype that a device cannot multiply, such as bfloat16 on old Macs; None if it supports all."""
    for dtype in dtypes:
        try:
            torch.ones(2, 2, dtype=dtype, device=device).mm(torch.ones(2, 2, dtype=dtype, device=device))
        except (RuntimeError, TypeError):
            return f"device {device.type} cannot multiply {str(dtype).removeprefix('torch.')}"
    return None


class Batch(NamedTuple):
    """Tokens and labels, int64 [batch, length], and the number by which the sum of losses is divided."""

    tokens: torch.Tensor
    labels: torch.Tensor
    items: torch.Tensor


class FastStep:
    """The steps of one model. The compiled graph computes batches of one shape, [batch, length]."""

    def __init__(self, model: GPT2LMHeadModel, narrow: torch.dtype, batch: tuple[int, int]) -> None:
        """narrow: the dtype of products. batch: the shape of batches, except for a smaller last one of an epoch."""
        self._weights: dict[str, torch.Tensor] = dict(model.named_parameters())
        self._shape = shape_of(model, narrow)
        self._batch = batch
        self._compute: Any = loss_and_gradients

    def compile(self, why: str) -> StepMethod:
        """Compile the step for batches of the usual shape, or report why that failed. The model is unchanged.

        why: the reason to report on success.
        """
        device = next(iter(self._weights.values())).device
        nothing = torch.zeros(self._batch, dtype=torch.int64, device=device)
        count = torch.ones((), dtype=torch.int64, device=device)
        self._compute, method = compiled(loss_and_gradients, why, self._weights, nothing, nothing, count, self._shape)
        return method

    @torch.no_grad()
    def add_gradients(self, tokens: torch.Tensor, labels: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Add the gradients of a batch to those of the weights; return the loss of the batch."""
        compute = self._compute if tokens.shape == self._batch else loss_and_gradients
        loss, grads = compute(self._weights, tokens, labels, count, self._shape)
        add_to_gradients(self._weights, grads)
        return loss


def add_to_gradients(weights: Mapping[str, torch.Tensor], grads: Mapping[str, torch.Tensor]) -> None:
    """Add gradients to those of the weights, by name."""
    for name, weight in weights.items():
        weight.grad = grads[name] if weight.grad is None else weight.grad.add_(grads[name])


def obstacle_to_compiling(device: torch.device) -> str | None:
    """Why a step cannot be compiled here; None if it can."""
    if device.type != "cpu":
        return "it supports only the CPU"
    return "there is no C++ compiler (g++)" if _compiler() is None else None


def compiled(function: Callable[..., Any], why: str, *arguments: Any) -> tuple[Callable[..., Any], StepMethod]:
    """Compile a function into one graph for arguments of these shapes; return it unchanged if that fails.

    why: the reason to report on success.
    """
    began = time.perf_counter()
    try:
        _keep_compiled()
        prepare_compiler(MAX_GRAPHS)
        began = time.perf_counter()  # excludes the import of the compiler
        graph = torch.compile(function, fullgraph=True, dynamic=False)
        with torch.no_grad():
            graph(*arguments)
    except Exception as error:  # of a compiler, a disk or an installation
        first_line = str(error).strip().split("\n", 1)[0]
        return function, StepMethod(
            "compiled", False, f"compiling failed: {first_line}", seconds=time.perf_counter() - began
        )
    return graph, StepMethod("compiled", True, why, seconds=time.perf_counter() - began)


def _compiler() -> str | None:
    return shutil.which(os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++"))


def _keep_compiled() -> None:
    """Store compiled steps in the user's cache unless configured otherwise; torch stores them in /tmp."""
    default = compiled_folder()
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bh-bridge" / "compiled"
    if os.environ.get(CACHE, default) == default:
        with contextlib.suppress(OSError):  # an unwritable home directory: they stay in /tmp
            folder.mkdir(parents=True, exist_ok=True)
            os.environ[CACHE] = str(folder)
