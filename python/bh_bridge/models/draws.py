"""Random numbers of a run: those of torch, or those of engine `portable`, whose bits are the same on every machine."""

from __future__ import annotations

import math
from typing import Literal, Protocol

import torch

from bh_bridge.portable import library

GROUP = 16  # normal numbers are made in groups, as torch makes them


class Draws(Protocol):
    """Draws on the CPU from torch's global stream."""

    def normal(self, *shape: int, dtype: torch.dtype) -> torch.Tensor:
        """N(0, 1)."""
        ...

    def unit_vector(self, size: int, dtype: torch.dtype) -> torch.Tensor:
        """A normal vector divided by its Euclidean norm."""
        ...


class TorchDraws:
    """torch.randn, whose bits depend on the CPU."""

    def normal(self, *shape: int, dtype: torch.dtype) -> torch.Tensor:
        return torch.randn(*shape, dtype=dtype)

    def unit_vector(self, size: int, dtype: torch.dtype) -> torch.Tensor:
        vector = torch.randn(size, dtype=dtype)
        return vector / vector.norm()


class PortableDraws:
    """Uniform numbers of torch's stream, which are integers divided by a power of two, made normal by the recipe.

    They take the same numbers from the stream as torch.randn of 16 or more elements, and differ from it in the last
    bits only. See native/README.md, "Random numbers".
    """

    def normal(self, *shape: int, dtype: torch.dtype) -> torch.Tensor:
        count = math.prod(shape)
        found = torch.rand(count, dtype=torch.float32)
        whole = count - count % GROUP
        if whole:
            library().normals(found[:whole])
        if whole < count:
            last = torch.rand(GROUP, dtype=torch.float32)
            library().normals(last)
            found[-GROUP:] = last[: min(count, GROUP)]
        return found.to(dtype).view(shape)

    def unit_vector(self, size: int, dtype: torch.dtype) -> torch.Tensor:
        vector = self.normal(size, dtype=dtype).to(torch.float32)
        library().unit_vector(vector, dtype == torch.bfloat16)
        return vector.to(dtype)

    def skip_normal(self, count: int) -> None:
        """Draw as many uniform numbers as `normal` does for `count` elements."""
        self.skip_uniform(count + (GROUP if count % GROUP else 0))

    def skip_uniform(self, count: int) -> None:
        torch.rand(count, dtype=torch.float32)


def draws_of(name: Literal["torch", "portable"]) -> Draws:
    """The draws that `model.create` names."""
    return PortableDraws() if name == "portable" else TorchDraws()
