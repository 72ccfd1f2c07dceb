"""Causal attention with the bits of PyTorch's flash attention on the CPU."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

import torch

from bh_bridge.hf_internals import flash_attention, flash_attention_backward, log_softmax_backward

LONGEST = 512  # the kernel splits the keys beyond this length
LARGE = 2.0**17  # added to it, a number around 1 keeps 7 of the 24 bits of float32
LANES = 16  # float32 numbers in an AVX-512 register, which determine the order of sums
BFLOAT16 = torch.bfloat16

Precision = Literal["ieee", "bf16"]


class Given(NamedTuple):
    """Inputs of the backward pass of attention: bfloat16 [batch, heads, length, width], except logsumexp."""

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
    """The gradients, from batched products that reproduce the kernel.

    The kernel processes queries in blocks and rounds the gradients of keys and values to bfloat16 between them. Here
    each block is a product over all heads of the batch, without the keys that it cannot see.

    precision: of products with float32 results. Their factors are exact in bfloat16, so it only selects the
    instructions and with them the order of the sums.
    """
    with _float32_products(precision):
        return _backward(given, scale)


def selectable_precisions() -> tuple[Precision, ...]:
    """The precisions that the installed PyTorch supports; versions without the setting use `ieee`."""
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
    wide_key = torch.nn.functional.pad(wide_key, (0, 0, 0, 1))  # for the extra column of the last block
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
    """0 for keys that the queries `begin` to `end` see and for one extra column, −inf for later keys."""
    to_come = torch.arange(end)[None, :] > torch.arange(begin, end)[:, None]
    return torch.nn.functional.pad(torch.zeros(to_come.shape).masked_fill_(to_come, float("-inf")), (0, 1))


def _exp(scores: torch.Tensor) -> torch.Tensor:
    """exp with the bits of the kernel, from which `torch.exp` differs in a tenth of cases; the last column is lost.

    The backward pass of log-softmax is grad − exp(output) · sum(grad). With a gradient of −1 in one column and 0 in the
    others, it is exp(output) in those.
    """
    grad = torch.zeros_like(scores)
    grad[..., -1] = -1
    return log_softmax_backward(grad, scores, -1, torch.float32)


def _row_sums(products: torch.Tensor) -> torch.Tensor:
    """Sums over the last dimension in the order of the kernel, which adds 32 products at a time to two registers."""
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


def attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """Forward pass of the kernel: output [batch, heads, length, width] and float32 logsumexp [batch, heads, length]."""
    return flash_attention(query, key, value, 0.0, True, scale=scale)


def attention_backward(given: Given, scale: float) -> Gradients:
    """Gradients of query, key and value."""
    _, heads, length, width = given.query.shape
    precision = precision_of_kernel(heads, length, width)
    return _kernel(given, scale) if precision is None else backward_in_products(given, scale, precision)


def _kernel(given: Given, scale: float) -> Gradients:
    return Gradients(*flash_attention_backward(*given, 0.0, True, scale=scale))


@cache
def precision_of_kernel(heads: int, length: int, width: int) -> Precision | None:
    """The precision whose products have the bits of the kernel on this processor; None if there is none.

    Processors with bfloat16 instructions add products in pairs, or even and odd ones separately. A check of some
    batches may miss the difference, so it is tested with sums that depend on the order.
    """
    trials = [(given, _kernel(given, 1.0)) for given in _sums_that_cancel((2, heads, length, width))]
    for precision in selectable_precisions():
        own = [backward_in_products(given, 1.0, precision) for given, _ in trials]
        if all(all(map(torch.equal, part, kernel)) for part, (_, kernel) in zip(own, trials, strict=True)):
            return precision
    return None


def _sums_that_cancel(shape: tuple[int, int, int, int]) -> Iterator[Given]:
    """Inputs for each kind of sum (over width, queries and keys) whose bits depend on the order of adding.

    They are random numbers around 1 and two large numbers that cancel.
    """
    generator = torch.Generator().manual_seed(0)

    def cancelling(dimension: int) -> torch.Tensor:
        numbers = torch.randn(shape, generator=generator).to(torch.bfloat16)
        place = torch.rand(shape, generator=generator).argsort(dimension)
        return numbers.masked_fill_(place == 0, LARGE).masked_fill_(place == 1, -LARGE)

    ones, nothing = torch.ones(shape, dtype=torch.bfloat16), torch.zeros(shape, dtype=torch.bfloat16)
    first = nothing.clone()
    first[..., 0] = 1  # a gradient whose product with an output is the output's first column
    logsumexp = torch.zeros(shape[:3])
    yield Given(first, ones, cancelling(3), nothing, -first, logsumexp)  # scores: queries · keys
    yield Given(ones, nothing, cancelling(3).roll(1, 3), cancelling(3), nothing, logsumexp)  # gradients · values
    grad, output = cancelling(2), cancelling(2) * first
    grad[..., 0] = 1
    yield Given(
        grad, ones, nothing, nothing, output, logsumexp
    )  # gradients of keys and values, over the queries of a block
    yield Given(first, nothing, cancelling(2), nothing, -first, logsumexp)  # gradients of queries, over the keys
