"""The order of windows is that of a plain script with HF's Trainer, and costs a few bytes a window."""

import hashlib
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator, skip_first_batches
from accelerate.data_loader import SeedableRandomSampler
from accelerate.utils import DataLoaderConfiguration
from bh_bridge.data import window_order
from bh_bridge.data.window_order import shrink_order
from tiny_run import MODEL, in_child, train
from torch.utils.data import DataLoader, RandomSampler, SequentialSampler


class Numbers(torch.utils.data.Dataset[int]):
    """Its items are their own numbers."""

    def __init__(self, count: int) -> None:
        self._count = count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> int:
        return index


def prepared(count: int, batch_size: int, seed: int, *, shuffled: bool = True) -> Any:
    """A loader as HF's Trainer makes it."""
    torch.manual_seed(seed)
    numbers = Numbers(count)
    sampler = RandomSampler(numbers) if shuffled else SequentialSampler(numbers)
    accelerator = Accelerator(cpu=True, dataloader_config=DataLoaderConfiguration(use_seedable_sampler=True))
    return accelerator.prepare(DataLoader(numbers, batch_size=batch_size, sampler=sampler))


def epochs(loader: Any, count: int) -> list[list[int]]:
    taken: list[list[int]] = []
    for epoch in range(count):
        loader.set_epoch(epoch)
        taken.append([number for batch in loader for number in batch.tolist()])
    return taken


@pytest.mark.parametrize("count", [1, 7, 1000, 100_001])
@pytest.mark.parametrize("seed", [0, 42, 2**32 + 5])
def test_the_order_is_that_of_the_plain_loader_and_of_randperm(count: int, seed: int) -> None:
    expected = epochs(prepared(count, 4096, seed), 2)
    small = prepared(count, 4096, seed)
    checksum = shrink_order(small)
    assert epochs(small, 2) == expected
    for epoch, order in enumerate(expected):
        assert order == torch.randperm(count, generator=torch.Generator().manual_seed(seed + epoch)).tolist()
    assert checksum == hashlib.sha256(np.array(expected[0], dtype="<i8").tobytes()).hexdigest()


def test_parts_that_are_not_full_lose_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_order, "PART", 7)
    monkeypatch.setattr(window_order, "HASHED", 11)
    expected = epochs(prepared(100, 8, 3), 1)
    small = prepared(100, 8, 3)
    assert shrink_order(small) == hashlib.sha256(np.array(expected[0], dtype="<i8").tobytes()).hexdigest()
    assert epochs(small, 1) == expected


def test_the_order_of_the_text_has_its_own_checksum() -> None:
    loader = prepared(1000, 8, 3, shuffled=False)
    assert shrink_order(loader) == hashlib.sha256(np.arange(1000, dtype="<i8").tobytes()).hexdigest()
    assert epochs(loader, 1) == [list(range(1000))]


def test_an_unknown_sampler_is_refused() -> None:
    loader = DataLoader(Numbers(9), sampler=RandomSampler(Numbers(9)))
    with pytest.raises(TypeError, match="RandomSampler"):
        shrink_order(loader)


@pytest.mark.parametrize("epoch", [0, 1])
def test_skipped_batches_are_those_of_the_plain_loader(epoch: int) -> None:
    def rest(loader: Any) -> list[list[int]]:
        later = skip_first_batches(loader, 1_500)
        later.set_epoch(epoch)
        return [batch.tolist() for batch in islice(later, 3)]

    small = prepared(100_000, 32, 5)
    shrink_order(small)
    assert rest(small) == rest(prepared(100_000, 32, 5))


def test_no_random_stream_moves() -> None:
    loader = prepared(1000, 8, 3)
    before = torch.random.get_rng_state()
    shrink_order(loader)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_no_window_of_the_skipped_batches_is_read() -> None:
    read: list[int] = []

    class Watched(Numbers):
        def __getitem__(self, index: int) -> int:
            read.append(index)
            return index

    sampler = window_order.WindowOrder(SeedableRandomSampler(Watched(3_200_100)))
    sampler._drawn = (sampler.initial_seed, torch.arange(3_200_100, dtype=torch.int32))
    loader = DataLoader(Watched(3_200_100), batch_sampler=torch.utils.data.BatchSampler(sampler, 32, drop_last=False))
    first = next(iter(skip_first_batches(loader, 100_000)))
    assert first.tolist() == read == list(range(3_200_000, 3_200_032))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of memory is reset through /proc")
@pytest.mark.parametrize(("engine", "texts"), [("trainer", 1), ("fast", 2)])
def test_a_window_of_a_large_text_takes_few_bytes_beside_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, texts: int
) -> None:
    """A byte of text, four of its window's number, and less than twelve in all; thirty million of them."""
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)  # engine fast has none
    file = tmp_path / "large.txt"
    file.write_bytes(b"a bounded corpus of sixty-four bytes, the last of which ends it\n" * (480_000 // texts))
    count = 64 * 480_000
    corpus = str(file) if texts == 1 else [{"path": str(file), "windows": count // texts}] * texts
    settings = {"engine": engine, "training__max_steps": 2, "checkpoint__every": None, "record__rows": "live"}

    def task() -> int:
        train(tmp_path / "small", **settings)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is what there is now
        before = kilobytes("VmHWM")
        outcome = train(tmp_path / "large", **settings, data__corpus=corpus, data__held_out=0.01)
        assert outcome["windows"] > 0.98 * count
        return kilobytes("VmHWM") - before

    assert 5 < in_child(task) * 1024 / count < 13


def kilobytes(name: str) -> int:
    [line] = [line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)]
    return int(line.split()[1])
