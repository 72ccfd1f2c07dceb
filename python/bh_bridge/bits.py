"""Equality of tensors bit by bit."""

from __future__ import annotations

import torch

INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes of an element


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal in every bit: neither is −0 equal to 0, nor is a NaN unlike itself."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    integers = INTEGERS[one.element_size()]
    return torch.equal(one.contiguous().view(integers), other.contiguous().view(integers))
