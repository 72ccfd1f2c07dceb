"""What engine `portable` calls, however its C code runs: native/portable.h, on the tensors of torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import torch

BATCH_REFUSED = "memory is missing, or a token or the length of the batch is out of the range of the model"
SHAPE_REFUSED = "engine portable cannot open a model of this shape: the shape is impossible, or memory is missing"


class Shape(NamedTuple):
    """The architecture of a model, as `bh_shape` of native/portable.h: sixteen int32, then two float32."""

    vocabulary: int
    positions: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_size: int
    inner: int
    norm: int  # 0: RMSNorm, 1: LayerNorm
    mlp: int  # 0: GELU, 1: SwiGLU
    rope: int
    head_norm: int
    attention_bias: int
    mlp_bias: int
    out_first: int
    tied: int
    epsilon: float
    rope_theta: float


class AdamwSettings(NamedTuple):
    """The settings of an update of one weight, as `bh_adamw_settings`: five float64, then an int64."""

    learning_rate: float
    beta1: float
    beta2: float
    epsilon: float
    weight_decay: float
    step: int  # from 1


class Update(NamedTuple):
    """The tensors of an update of one bfloat16 weight. Moments are bfloat16 or float32; master, if any, is float32."""

    weight: torch.Tensor
    gradient: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    master: torch.Tensor | None


class Steps(Protocol):
    """The state of a training: buffers and threads for a model of one shape. Not for two threads at once."""

    sizes: list[int]  # elements of each tensor, in the order of native/portable.h

    def gradients(
        self,
        weights: Sequence[torch.Tensor],
        gradients: Sequence[torch.Tensor] | None,
        tokens: torch.Tensor,
        targets: torch.Tensor,
        items: float,
        accumulate: bool = False,
    ) -> float:
        """Compute the loss of a batch, and its gradients unless `gradients` is None.

        weights, gradients: bfloat16, contiguous, on the CPU. tokens, targets: int32 `[batch, length]`; a negative
        target is none. The loss is the sum over the positions divided by `items`. With `accumulate`, gradients are
        added. ValueError if a token or the length is out of range; nothing is written then.
        """
        ...

    def close(self) -> None:
        """Free buffers and threads."""
        ...


class Library(Protocol):
    """A build of the C code."""

    name: str  # such as native-v3, linux-arm64 or wasm
    sha256: str  # of the file

    def recipe(self) -> int:
        """The version of the recipe."""
        ...

    def self_check(self) -> str:
        """The hash of a small fixed training: 16 hexadecimal digits, equal for all builds of a recipe."""
        ...

    def open(self, shape: Shape, scales: Sequence[float], threads: int) -> Steps:
        """Prepare a training. scales: the factor of the attention scores of each layer."""
        ...

    def clip(self, gradients: Sequence[torch.Tensor], max_norm: float) -> float:
        """Return the norm of bfloat16 gradients; with max_norm > 0, scale them in place."""
        ...

    def adamw(self, updates: Sequence[Update], settings: AdamwSettings) -> None:
        """Update weights and their moments in place."""
        ...

    def normals(self, values: torch.Tensor) -> None:
        """Replace uniform float32 numbers in [0, 1) by normal ones. Their count is a multiple of 16."""
        ...

    def unit_vector(self, values: torch.Tensor, narrow: bool) -> None:
        """Divide a float32 vector by its norm in place; with `narrow`, every result is rounded to bfloat16."""
        ...


def check_tensor(tensor: torch.Tensor, *dtypes: torch.dtype, size: int | None = None) -> None:
    """Assert that C can read a tensor: dtype, device, layout, and number of elements."""
    assert tensor.dtype in dtypes, f"expected {dtypes}, got {tensor.dtype}"
    assert tensor.is_cpu, f"expected a tensor on the CPU, got {tensor.device}"  # device.type takes five times as long
    assert tensor.is_contiguous(), "expected a contiguous tensor"
    assert size is None or tensor.numel() == size, f"expected {size} elements, got {tensor.numel()}"


def check_tensors(tensors: Sequence[torch.Tensor], sizes: Sequence[int]) -> None:
    """Assert that C can read the weights or gradients of a model."""
    assert len(tensors) == len(sizes), f"expected {len(sizes)} tensors, got {len(tensors)}"
    for tensor, size in zip(tensors, sizes, strict=True):
        check_tensor(tensor, torch.bfloat16, size=size)


def check_batch(
    sizes: Sequence[int],
    weights: Sequence[torch.Tensor],
    gradients: Sequence[torch.Tensor] | None,
    tokens: torch.Tensor,
    targets: torch.Tensor,
) -> tuple[int, int]:
    """Assert that C can read a batch, int32 `[batch, length]`, and the tensors of a model; return batch and length."""
    check_tensors(weights, sizes)
    if gradients is not None:
        check_tensors(gradients, sizes)
    check_tensor(tokens, torch.int32)
    check_tensor(targets, torch.int32, size=tokens.numel())
    batch, length = tokens.shape
    return batch, length


def check_update(update: Update) -> bool:
    """Assert that the tensors of an update fit together; return whether the moments are float32."""
    weight, gradient, first, second, master = update
    size = weight.numel()
    check_tensors((weight, gradient), (size, size))
    check_tensor(first, torch.bfloat16, torch.float32, size=size)
    check_tensor(second, first.dtype, size=size)
    if master is not None:
        check_tensor(master, torch.float32, size=size)
    return first.dtype == torch.float32
