"""The corpus becomes the windows that the notebook trained on."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from bh_bridge.data import Windows, collate_nothing, order_checksum, read_tokens
from torch.utils.data import DataLoader, RandomSampler


@pytest.mark.parametrize("text", [b"ab\r\ncd", b"ab\ncd", b"ab\rcd"])
def test_newlines_of_every_system_are_one_line_feed(tmp_path: Path, text: bytes) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(text)
    assert bytes(read_tokens(str(corpus), 128).tolist()) == b"ab\ncd"


def test_bytes_at_or_above_the_vocabulary_are_left_out(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(b"aZbz")
    assert bytes(read_tokens(str(corpus), ord("b")).tolist()) == b"aZ"


# Tokens 10 to 15, windows of 3: by hand. A window at every token that has 3 tokens and one more after it.
TOKENS = torch.arange(10, 16, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("label_shift", "labels"),
    [
        ("double", [[11, 12, 13], [12, 13, 14], [13, 14, 15]]),  # shifted here, and once more in the model: t+2
        ("causal", [[10, 11, 12], [11, 12, 13], [12, 13, 14]]),  # shifted in the model alone: t+1
    ],
)
def test_windows_and_their_labels(label_shift: str, labels: list[list[int]]) -> None:
    windows = Windows(TOKENS, 3, label_shift)
    assert len(windows) == len(TOKENS) - 3
    batch = windows.__getitems__([0, 1, 2])
    assert batch["input_ids"].tolist() == [[10, 11, 12], [11, 12, 13], [12, 13, 14]]
    assert batch["labels"].tolist() == labels
    assert batch["input_ids"].dtype == torch.int64


def test_one_window_is_the_same_alone_and_in_a_batch() -> None:
    windows = Windows(TOKENS, 3, "double")
    batch = windows.__getitems__([2, 0])
    for row, index in enumerate([2, 0]):
        assert {name: tensor.tolist() for name, tensor in windows[index].items()} == {
            name: tensor[row].tolist() for name, tensor in batch.items()
        }


def test_a_text_that_is_too_short_has_no_windows() -> None:
    assert len(Windows(TOKENS[:3], 3, "double")) == 0


def test_windows_side_by_side_do_not_overlap() -> None:
    windows = Windows(torch.arange(0, 10, dtype=torch.uint8), 3, "double", stride=3)
    assert windows.__getitems__(list(range(len(windows))))["input_ids"].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_loader_gives_whole_batches_as_they_are() -> None:
    loader = DataLoader(Windows(TOKENS, 3, "causal"), batch_size=2, collate_fn=collate_nothing)
    assert [batch["input_ids"].shape[0] for batch in loader] == [2, 1]


@pytest.mark.parametrize("has_own_stream", [False, True])
def test_the_order_of_a_sampler_is_told_without_moving_any_random_stream(has_own_stream: bool) -> None:
    torch.manual_seed(3)
    own = torch.Generator().manual_seed(4) if has_own_stream else None
    sampler = RandomSampler(range(9), generator=own)
    told = order_checksum(sampler)
    expected = np.array(list(sampler), dtype="<i8")  # what is drawn next: nothing was drawn before
    assert sorted(expected) == list(range(9))
    assert told == hashlib.sha256(expected).hexdigest()
