"""The corpus becomes the windows that the notebook trained on."""

import math
import random
from pathlib import Path

import pytest
import torch
from bh_bridge.data import corpus as data_module
from bh_bridge.data.corpus import Corpus, Windows, collate_nothing, read_corpus, split_windows
from tiny_run import tokens_of
from torch.utils.data import DataLoader


def corpus_of(*texts: torch.Tensor) -> Corpus:
    return Corpus(torch.cat(texts), [len(text) for text in texts])


@pytest.mark.parametrize("text", [b"ab\r\ncd", b"ab\ncd", b"ab\rcd"])
def test_newlines_of_every_system_are_one_line_feed(tmp_path: Path, text: bytes) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(text)
    assert bytes(tokens_of(corpus, 128).tolist()) == b"ab\ncd"


def test_bytes_at_or_above_the_vocabulary_are_left_out(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes(b"aZbz")
    assert bytes(tokens_of(corpus, ord("b")).tolist()) == b"aZ"


@pytest.mark.parametrize(("vocab_size", "alphabet"), [(256, "aß€\r\n\n"), (128, "ab\r\n\n\r"), (98, "abcd\r\n")])
def test_a_text_that_is_read_in_parts_has_the_tokens_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, vocab_size: int, alphabet: str
) -> None:
    monkeypatch.setattr(data_module, "READ_CHARACTERS", 7)
    corpus = tmp_path / "corpus.txt"
    corpus.write_bytes("".join(random.Random(1).choices(alphabet, k=500)).encode())
    whole = corpus.read_bytes().replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert tokens_of(corpus, vocab_size).tolist() == [byte for byte in whole if byte < vocab_size]


def test_the_tokens_that_occur_are_counted_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_module, "COUNTED_TOKENS", 3)
    for dtype in (torch.uint8, torch.uint16, torch.int32):
        assert corpus_of(torch.tensor([7, 1, 1, 7, 3, 200, 1, 0], dtype=dtype)).live(256) == [0, 1, 3, 7, 200]


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


@pytest.mark.parametrize(
    ("label_shift", "inputs", "labels"),
    [
        ("causal", [[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
        ("double", [[0, 1, 2], [3, 4, 5]], [[1, 2, 3], [4, 5, 6]]),  # the third would end with the label 9
    ],
)
def test_chunks_take_each_token_once(label_shift: str, inputs: list[list[int]], labels: list[list[int]]) -> None:
    data = {"corpus": "text.txt", "windows": "chunks", "label_shift": label_shift, "held_out": 0}
    windows, held_out = split_windows(corpus_of(torch.arange(0, 9, dtype=torch.int32)), 3, data)
    batch = windows.__getitems__(list(range(len(windows))))
    assert (batch["input_ids"].tolist(), batch["labels"].tolist(), held_out) == (inputs, labels, None)
    assert torch.equal(windows.to(torch.device("cpu"))[1]["input_ids"], torch.tensor(inputs[1]))


def test_chunks_of_several_files_begin_and_end_in_one() -> None:
    files = [{"path": "a", "windows": 2}, {"path": "b", "windows": 3}]  # of 2 and 1 of their own
    data = {"corpus": files, "windows": "chunks", "label_shift": "causal", "held_out": 0}
    windows, _ = split_windows(corpus_of(torch.arange(0, 8), torch.arange(20, 25)), 3, data)
    assert windows.__getitems__([0, 1, 2, 3, 4])["input_ids"].tolist() == [[0, 1, 2], [3, 4, 5], *[[20, 21, 22]] * 3]
    assert torch.equal(windows.to(torch.device("cpu"))[2]["input_ids"], torch.tensor([20, 21, 22]))


def test_a_loader_gives_whole_batches_as_they_are() -> None:
    loader = DataLoader(Windows(TOKENS, 3, "causal"), batch_size=2, collate_fn=collate_nothing)
    assert [batch["input_ids"].shape[0] for batch in loader] == [2, 1]


@pytest.mark.parametrize("shares", [[3, 7], [20, 3], [9, 1]])
def test_no_window_crosses_from_one_text_into_the_next(tmp_path: Path, shares: list[int]) -> None:
    names = ["ABCDEFGH", "abcdefghijkl"]
    files = [{"path": str(tmp_path / name), "windows": share} for name, share in zip(names, shares, strict=True)]
    for name in names:
        (tmp_path / name).write_text(name)
    data = {
        "corpus": files,
        "tokenizer": None,
        "documents": "pack",
        "windows": "sliding",
        "label_shift": "double",
        "held_out": 0,
    }
    windows, held_out = split_windows(read_corpus(data, 128), 3, data)
    expected: list[str] = []
    for name, share in zip(names, shares, strict=True):
        own = [name[at : at + 3] for at in range(len(name) - 3)]  # as many as have a token after them
        expected += [own[math.floor(place * len(own) / share)] for place in range(share)]
    batch = windows.batch(torch.arange(len(windows)))
    assert [bytes(inputs.tolist()).decode() for inputs in batch["input_ids"]] == expected
    assert torch.equal(batch["labels"][:, :-1], batch["input_ids"][:, 1:])
    assert held_out is None


def test_of_each_text_the_end_is_held_out_and_each_window_of_it_is_there_once(tmp_path: Path) -> None:
    names = ["ABCDEFGHIJKLMNOP", "abcdefghijklmnopqrstuvwx"]
    for name in names:
        (tmp_path / name).write_text(name)
    corpus = [{"path": str(tmp_path / name), "windows": 5} for name in names]
    data = {
        "corpus": corpus,
        "tokenizer": None,
        "documents": "pack",
        "windows": "sliding",
        "label_shift": "double",
        "held_out": 0.5,
    }
    windows, held_out = split_windows(read_corpus(data, 128), 3, data)
    assert held_out is not None

    def texts(of: Windows) -> list[str]:
        return [bytes(of[place]["input_ids"].tolist()).decode() for place in range(len(of))]

    # Of ABCDEFGH all five windows, of abcdefghijkl's nine those with the numbers 0, 1, 3, 5, 7.
    assert texts(windows) == ["ABC", "BCD", "CDE", "DEF", "EFG", "abc", "bcd", "def", "fgh", "hij"]
    assert texts(held_out) == ["IJK", "LMN", "mno", "pqr", "stu"]


def test_one_text_in_a_list_has_the_windows_of_that_text(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("abcdefghijkl")
    base = {"tokenizer": None, "documents": "pack", "windows": "sliding", "label_shift": "causal", "held_out": 0}
    alone = {**base, "corpus": str(tmp_path / "a.txt")}
    listed = {**base, "corpus": [{"path": str(tmp_path / "a.txt"), "windows": 9}]}
    plain, mixed = (split_windows(read_corpus(data, 128), 3, data)[0] for data in (alone, listed))
    assert len(plain) == len(mixed) == 9
    numbers = torch.arange(9)
    assert torch.equal(plain.batch(numbers)["input_ids"], mixed.to(torch.device("cpu")).batch(numbers)["input_ids"])
