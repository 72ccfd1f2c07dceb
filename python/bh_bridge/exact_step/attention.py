"""Causal attention with the bits of PyTorch's flash attention on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch

from bh_bridge.exact_step.attention_products import (
    Given,
    Gradients,
    Precision,
    backward_in_products,
    selectable_precisions,
)
from bh_bridge.hf_internals import flash_attention, flash_attention_backward

LONGEST = 512  # up to so many keys the kernel takes all of them at once; beyond, it splits them too
LARGE = 2.0**17  # beside it a number around 1 keeps 7 of float32's 24 bits


def attention(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, scale: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The kernel's own forward: output [batch, heads, length, width], and float32 logsumexp [batch, heads, length]."""
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
    """Of which products the kernel's gradients have the bits on this processor; None: of neither.

    Processors with instructions for bfloat16 add products two at a time, or the even and the odd ones apart. Few sums
    of a training show that, and a check of some batches may miss it; these sums show nothing else.
    """
    trials = [(given, _kernel(given, 1.0)) for given in _sums_that_cancel((2, heads, length, width))]
    for precision in selectable_precisions():
        own = [backward_in_products(given, 1.0, precision) for given, _ in trials]
        if all(all(map(torch.equal, part, kernel)) for part, (_, kernel) in zip(own, trials, strict=True)):
            return precision
    return None


def _sums_that_cancel(shape: tuple[int, int, int, int]) -> Iterator[Given]:
    """Numbers for each kind of sum, over the width, the queries and the keys: random ones around 1, and two that are
    large and opposite, so that every order of adding has other bits.
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
