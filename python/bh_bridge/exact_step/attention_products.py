"""The backward pass of PyTorch's flash attention on the CPU in batched products.

PyTorch's kernel goes through the queries in blocks and rounds the gradients of keys and values to bfloat16 between
them; here every block is a product over all heads of the batch, and keys that a block cannot see are left out.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

import torch

from bh_bridge.hf_internals import log_softmax_backward

LANES = 16  # float32 in a register of AVX-512, on which the order of the sums rests
BFLOAT16 = torch.bfloat16

Precision = Literal["ieee", "bf16"]


class Given(NamedTuple):
    """What the backward pass of attention begins with: bfloat16 [batch, heads, length, width], all but logsumexp."""

    grad: torch.Tensor  # of the output
    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    output: torch.Tensor
    logsumexp: torch.Tensor  # float32 [batch, heads, length]


class Gradients(NamedTuple):
    """Bfloat16 [batch, heads, length, width]."""

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor


def backward_in_products(given: Given, scale: float, precision: Precision) -> Gradients:
    """The gradients.

    precision: of the products whose result is float32; their factors are bfloat16 as numbers, so that it decides on
    nothing but the instructions, and with them the order of the sums.
    """
    with _float32_products(precision):
        return _backward(given, scale)


def selectable_precisions() -> tuple[Precision, ...]:
    """The precisions that this PyTorch offers: versions that have no setting for it use `ieee`."""
    return ("ieee", "bf16") if hasattr(torch.backends.mkldnn, "matmul") else ("ieee",)


@contextmanager
def _float32_products(precision: Precision) -> Generator[None]:
    if selectable_precisions() == ("ieee",):
        yield
        return
    onednn: Any = torch.backends.mkldnn
    settings = onednn.matmul
    before = settings.fp32_precision
    settings.fp32_precision = precision
    try:
        yield
    finally:
        settings.fp32_precision = before


def _backward(given: Given, scale: float) -> Gradients:
    grad, query, key, value, output, logsumexp = given
    batch, heads, length, width = query.shape
    shape = (batch * heads, length, width)
    narrow_query, narrow_key, narrow_grad = (part.reshape(shape).contiguous() for part in (query, key, grad))
    wide_query, wide_grad = narrow_query.float(), narrow_grad.float()
    wide_key, wide_value = (part.reshape(shape).float() for part in (key, value))
    wide_key = torch.nn.functional.pad(wide_key, (0, 0, 0, 1))  # for the column that the last block has too many
    logsumexp = logsumexp.reshape(shape[:2])
    mean_grad = _row_sums(wide_grad * output.reshape(shape)).neg_()
    query_grad = torch.empty(shape, dtype=BFLOAT16)
    key_grad, value_grad = torch.zeros(2, *shape, dtype=BFLOAT16)
    block = 32 if length < 192 else 64
    for begin in range(0, length, block):
        end = min(begin + block, length)
        scores = _mask(begin, end) - logsumexp[:, begin:end, None]
        scores.baddbmm_(wide_query[:, begin:end], wide_key[:, : end + 1].transpose(1, 2), alpha=scale)
        weights = _exp(scores)[..., :end]
        narrow = weights.to(BFLOAT16)
        value_grad[:, :end].baddbmm_(narrow.transpose(1, 2), narrow_grad[:, begin:end])
        change = torch.baddbmm(
            mean_grad[:, begin:end, None], wide_grad[:, begin:end], wide_value[:, :end].transpose(1, 2)
        )
        narrow = change.mul_(weights).to(BFLOAT16)
        query_grad[:, begin:end] = torch.baddbmm(
            query_grad[:, begin:end], narrow, narrow_key[:, :end], beta=0, alpha=scale
        )
        key_grad[:, :end].baddbmm_(narrow.transpose(1, 2), narrow_query[:, begin:end], alpha=scale)
    return Gradients(query_grad.view(query.shape), key_grad.view(query.shape), value_grad.view(query.shape))


@cache
def _mask(begin: int, end: int) -> torch.Tensor:
    """0 for the keys that the queries `begin` to `end` see and for a column too many, −inf for those to come."""
    to_come = torch.arange(end)[None, :] > torch.arange(begin, end)[:, None]
    return torch.nn.functional.pad(torch.zeros(to_come.shape).masked_fill_(to_come, float("-inf")), (0, 1))


def _exp(scores: torch.Tensor) -> torch.Tensor:
    """exp as the kernel has it; the last column is spent. `torch.exp` is another one, and differs in a tenth of cases.

    The backward pass of log-softmax is grad − exp(output) · sum(grad): with a gradient of −1 in one column and 0 in all
    others it is exp(output) there.
    """
    grad = torch.zeros_like(scores)
    grad[..., -1] = -1
    return log_softmax_backward(grad, scores, -1, torch.float32)


def _row_sums(products: torch.Tensor) -> torch.Tensor:
    """Sums over the last dimension, in the order of the kernel's registers: 32 products at a time into two of them."""
    width = products.shape[-1]
    whole = width - width % (2 * LANES)
    if whole == 0:
        first = products[..., :LANES].clone()
        first[..., : max(width - LANES, 0)] += products[..., LANES:]
        return _in_sequence(first)
    sums = products[..., : 2 * LANES].clone()
    for begin in range(2 * LANES, whole, 2 * LANES):
        sums += products[..., begin : begin + 2 * LANES]
    first, second = sums[..., :LANES], sums[..., LANES:]
    for begin in range(whole, width, LANES):
        rest = products[..., begin : begin + LANES]
        first[..., : rest.shape[-1]] += rest
    sums = first + second
    for half in (8, 4, 2, 1):
        sums = sums[..., :half] + sums[..., half : 2 * half]
    return sums[..., 0]


def _in_sequence(values: torch.Tensor) -> torch.Tensor:
    total = values[..., 0].clone()
    for column in range(1, values.shape[-1]):
        total += values[..., column]
    return total
