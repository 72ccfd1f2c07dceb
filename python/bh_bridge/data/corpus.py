"""A corpus as windows of tokens. Windows are views, so each token is in memory once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset

from bh_bridge.bridge.messages import Data
from bh_bridge.data.tokenizing import encoded_parts, load_tokenizer

BYTES = 256
READ_CHARACTERS = 1 << 20  # per read
COUNTED_TOKENS = 1 << 22  # at a time; counting takes eight bytes per token


@dataclass(frozen=True)
class Corpus:
    """The concatenated tokens of all files, and the number of tokens of each."""

    tokens: torch.Tensor  # uint8, uint16 or int32 [tokens]
    lengths: list[int]

    def live(self, vocab_size: int) -> list[int]:
        """The token ids that occur, sorted."""
        counts = np.zeros(vocab_size, dtype=np.int64)
        for part in self.tokens.split(COUNTED_TOKENS):
            counts += np.bincount(part.numpy(), minlength=vocab_size)
        return np.flatnonzero(counts).tolist()


def read_corpus(data: Data, vocab_size: int) -> Corpus:
    """Read the tokens of each file of a corpus, as text with universal newlines.

    Without a tokenizer, tokens are bytes (uint8) below vocab_size: of UTF-8 if the vocabulary has 256, else of ASCII.
    With a tokenizer, they are its tokens of UTF-8 text, uint16 if the vocabulary allows, else int32.
    TypeScript has already checked the files and reported omitted characters.
    """
    corpus = data["corpus"]
    paths = [corpus] if isinstance(corpus, str) else [file["path"] for file in corpus]
    tokenizer: str | None = data["tokenizer"]
    dtype = torch.uint8 if tokenizer is None else token_dtype(vocab_size)
    buffer, ends = bytearray(), [0]  # grows in place
    for path in paths:
        if tokenizer is None:
            _read_bytes(path, vocab_size, buffer)
        else:
            _read_tokenized(path, tokenizer, dtype, buffer)
        ends.append(len(buffer) // dtype.itemsize)
    lengths = [end - begin for begin, end in pairwise(ends)]
    return Corpus(torch.frombuffer(buffer, dtype=dtype) if buffer else torch.empty(0, dtype=dtype), lengths)


def token_dtype(vocab_size: int) -> torch.dtype:
    """The dtype of a tokenizer's tokens in memory."""
    return torch.uint16 if vocab_size <= 1 << 16 else torch.int32


def _read_bytes(path: str, vocab_size: int, buffer: bytearray) -> None:
    encoding = "ascii" if vocab_size < BYTES else "utf-8"
    omitted = bytes(range(vocab_size, BYTES))  # none for a larger vocabulary
    with Path(path).open(encoding=encoding) as file:  # CRLF and CR become LF
        while text := file.read(READ_CHARACTERS):
            buffer += text.encode(encoding).translate(None, omitted)


def _read_tokenized(path: str, tokenizer: str, dtype: torch.dtype, buffer: bytearray) -> None:
    numpy_dtype = np.uint16 if dtype == torch.uint16 else np.int32
    with Path(path).open(encoding="utf-8") as file:
        for part in encoded_parts(load_tokenizer(tokenizer), file):
            buffer += part.ids.astype(numpy_dtype).tobytes()


class Part(NamedTuple):
    """The windows of one file."""

    begin: int  # index of its first token
    own: int  # number of its windows
    share: int  # number of its windows in an epoch


class Windows(Dataset[dict[str, torch.Tensor]]):
    """Windows of `length` tokens: window i starts at token i·stride, or as given by `parts`.

    span: number of tokens that a window reads, including those of its labels.
    parts: for several texts. Window j of a part with share k is its own window floor(j·own / k), so windows are evenly
    distributed if k is less than own, and repeated k/own times (rounded) if it is more.
    label_shift "double": labels are the inputs shifted by one, and the model shifts them again, so it learns t+2, as
    in the notebook. "causal": labels are the inputs, and the model's own shift makes it learn t+1.
    """

    def __init__(
        self,
        tokens: torch.Tensor,
        length: int,
        label_shift: str,
        stride: int = 1,
        span: int | None = None,
        parts: list[Part] | None = None,
    ) -> None:
        # As in the notebook, there are len - length windows.
        span = length + 1 if span is None else span
        step = stride if parts is None else 1
        self._windows = tokens.unfold(0, span, step) if len(tokens) >= span else tokens.new_empty(0, span)
        self._tokens, self._cut = tokens, (length, label_shift, stride, span, parts)
        self._length, self._labels_from = length, labels_from(label_shift)
        self._stride = stride
        self._count = len(self._windows) if parts is None else sum(part.share for part in parts)
        self._parts = None if parts is None else _table(parts, tokens.device)

    def __len__(self) -> int:
        return self._count

    def to(self, device: torch.device) -> Windows:
        """The same windows, with the text on a device."""
        # Few kernels support uint16 on other devices than the CPU.
        is_wide = device.type == "cpu" or self._tokens.dtype != torch.uint16
        return Windows((self._tokens if is_wide else self._tokens.int()).to(device), *self._cut)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: tensor[0] for name, tensor in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        """A whole batch at once, because collating single items is slow."""
        return self.batch(torch.tensor(indices))

    def batch(self, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """input_ids and labels, int64 [batch, length], of window numbers, int64 [batch], on the device of the text."""
        chosen = numbers if self._parts is None else self._starts(numbers, self._parts)
        batch = self._windows[chosen].long()
        end = self._length + self._labels_from
        return {
            "input_ids": batch[:, : self._length].contiguous(),
            "labels": batch[:, self._labels_from : end].contiguous(),
        }

    def _starts(self, numbers: torch.Tensor, parts: torch.Tensor) -> torch.Tensor:
        """The first tokens of windows, computed because a list would take eight bytes per window."""
        first, begin, own, share = parts[:, torch.bucketize(numbers, parts[0], right=True) - 1]
        return begin + (numbers - first) * own // share * self._stride


def _table(parts: list[Part], device: torch.device) -> torch.Tensor:
    """First window, first token, own windows and share of each part with a share: int64 [4, parts]."""
    rows: list[tuple[int, int, int, int]] = []
    first = 0
    for begin, own, share in parts:
        if share:
            rows.append((first, begin, own, share))
        first += share
    return torch.tensor(rows, dtype=torch.int64).reshape(-1, 4).T.contiguous().to(device)


def labels_from(label_shift: str) -> int:
    """Index in a window at which its labels begin."""
    return 1 if label_shift == "double" else 0


def split_windows(corpus: Corpus, length: int, data: Data) -> tuple[Windows, Windows | None]:
    """Split a corpus into training windows and held-out windows from the end of each text.

    data: `windows`, "sliding" (at every position) | "chunks" (consecutive); `label_shift`; the fraction `held_out`,
    which may be 0; and `corpus`, which for several files gives the training windows of each. Held-out windows are
    consecutive. Chunks omit only the last tokens that do not fill one. No window crosses from one text to the next.
    """
    held_out: float = data["held_out"]
    label_shift: str = data["label_shift"]
    is_chunked = data["windows"] == "chunks"
    stride = length if is_chunked else 1
    span = length + labels_from(label_shift) if is_chunked else length + 1
    trained: list[tuple[int, int]] = []  # tokens of each text, from and to
    rest: list[tuple[int, int]] = []
    begin = 0
    for count in corpus.lengths:
        end = begin + count
        middle = end - int(count * held_out)
        trained.append((begin, middle))
        rest.append((middle, end))
        begin = end
    shares = None if isinstance(data["corpus"], str) else [file["windows"] for file in data["corpus"]]

    def windows_of(ranges: list[tuple[int, int]], stride: int, span: int, shares: list[int] | None) -> Windows:
        if len(ranges) == 1 and shares is None:
            return Windows(corpus.tokens[slice(*ranges[0])], length, label_shift, stride, span)
        owns = [max(0, (end - begin - span) // stride + 1) for begin, end in ranges]
        triples = zip(ranges, owns, shares or owns, strict=True)
        parts = [Part(begin, own, share) for (begin, _), own, share in triples]
        return Windows(corpus.tokens, length, label_shift, stride, span, parts)

    train_windows = windows_of(trained, stride, span, shares)
    return train_windows, windows_of(rest, length, length + 1, None) if held_out else None


class WindowNumbers(Dataset[dict[str, torch.Tensor]]):
    """Window numbers instead of windows, for a step with the text on its device."""

    def __init__(self, windows: Windows) -> None:
        self._count = len(windows)

    def __len__(self) -> int:
        return self._count

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        """A whole batch at once: int64 [batch]."""
        return {"numbers": torch.tensor(indices)}


def collate_nothing(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the batch that `__getitems__` made."""
    return batch
