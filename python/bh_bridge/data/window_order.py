"""The order of the windows of an epoch: torch.randperm, stored as one tensor."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Generator, Iterable, Iterator
from typing import Any, cast

import torch
from accelerate.data_loader import SeedableRandomSampler
from torch.utils.data import BatchSampler, DataLoader, SequentialSampler

PART = 1 << 16  # windows converted to Python numbers at a time
HASHED = 1 << 20  # windows hashed at a time


def shrink_order(loader: DataLoader[Any]) -> str:
    """Make a data loader of Trainer store its order in less memory; return the checksum of the first epoch's order.

    The checksum is the SHA-256 of the window numbers, int64 little-endian.
    """
    batches = cast("BatchSampler", loader.batch_sampler)
    if isinstance(batches.sampler, SeedableRandomSampler):
        batches.sampler = WindowOrder(batches.sampler)
        return _checksum(batches.sampler.first_epoch())
    if not isinstance(batches.sampler, SequentialSampler):
        raise TypeError(f"the order of {type(batches.sampler).__name__} is unknown")
    count = len(batches.sampler)
    return _checksum(torch.arange(start, min(start + HASHED, count)) for start in range(0, count, HASHED))


def _checksum(parts: Iterable[torch.Tensor]) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part.numpy().astype("<i8").tobytes())
    return hashed.hexdigest()


class WindowOrder(SeedableRandomSampler):
    """SeedableRandomSampler with the same order, in four instead of forty bytes per window."""

    def __init__(self, sampler: SeedableRandomSampler) -> None:
        super().__init__(sampler.data_source)
        self.initial_seed = sampler.initial_seed
        self.set_epoch(sampler.epoch)
        self._drawn: tuple[int, torch.Tensor] | None = None  # a seed and its order

    def __iter__(self) -> Generator[int, None, None]:
        yield from itertools.chain.from_iterable(self._parts())

    def first_epoch(self) -> Iterable[torch.Tensor]:
        """The order of the first epoch, in parts."""
        return self._order(self.initial_seed).split(HASHED)

    def _parts(self) -> Iterator[list[int]]:
        for part in self._order(self.epoch + self.initial_seed).split(PART):
            yield part.tolist()
        self.set_epoch(self.epoch + 1)

    def _order(self, seed: int) -> torch.Tensor:
        """torch.randperm of a seed. The last order is cached, because its epoch follows its checksum."""
        if self._drawn is None or self._drawn[0] != seed:
            self._drawn = None  # memory for one order, not two
            self._drawn = (seed, random_order(len(self), seed))
        return self._drawn[1]


def random_order(count: int, seed: int) -> torch.Tensor:
    """torch.randperm of a seed, as int32 if that suffices, which does not change the numbers."""
    dtype = torch.int32 if count < 1 << 31 else torch.int64
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed), dtype=dtype)
