"""A corpus as windows of tokens. Windows are views, so each token is in memory once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TextIO

import numpy as np
import torch
from torch.utils.data import Dataset

from bh_bridge.bridge.messages import Data
from bh_bridge.data.documents import BLANK_LINE, Numbers, documents, held_out_from, windows_of
from bh_bridge.data.token_array import is_token_array, open_token_array
from bh_bridge.data.tokenizing import encoded_parts, joining_tokens, load_tokenizer

BYTES = 256
READ_CHARACTERS = 1 << 20  # per read
COUNTED_TOKENS = 1 << 22  # at a time; counting takes eight bytes per token

Ids = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Corpus:
    """The concatenated tokens of all files, and the number of tokens of each."""

    tokens: torch.Tensor  # integers [tokens]; of a text uint8, uint16 or int32
    lengths: list[int]
    documents: list[Numbers] | None = None  # tokens of each document, per file, if no window may cross documents

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
    A file of token ids is mapped into memory if it is the only one.
    TypeScript has already checked the files and reported omitted characters.
    """
    corpus = data["corpus"]
    paths = [corpus] if isinstance(corpus, str) else [file["path"] for file in corpus]
    if len(paths) == 1 and is_token_array(paths[0]):
        tokens = torch.from_numpy(open_token_array(paths[0]))
        return Corpus(tokens, [len(tokens)])
    tokenizer: str | None = data["tokenizer"]
    is_of_bytes = tokenizer is None and not any(map(is_token_array, paths))
    dtype = torch.uint8 if is_of_bytes else token_dtype(vocab_size)
    joined, numpy_dtype = data["documents"] == "pack", torch.empty(0, dtype=dtype).numpy().dtype
    buffer, ends = bytearray(), [0]  # grows in place
    lengths: list[Numbers] = []
    for path in paths:
        if is_token_array(path):
            buffer += open_token_array(path).astype(numpy_dtype).tobytes()
            counts = [len(buffer) // dtype.itemsize - ends[-1]]
        else:
            parts = _bytes_of(path, vocab_size) if tokenizer is None else _tokens_of(path, tokenizer)
            counts = _read_documents(parts, numpy_dtype, buffer, is_joined=joined)
        ends.append(len(buffer) // dtype.itemsize)
        lengths.append(np.asarray(counts, dtype=np.int64))
    tokens = torch.frombuffer(buffer, dtype=dtype) if buffer else torch.empty(0, dtype=dtype)
    return Corpus(tokens, [end - begin for begin, end in pairwise(ends)], None if joined else lengths)


def token_dtype(vocab_size: int) -> torch.dtype:
    """The dtype of a tokenizer's tokens in memory."""
    return torch.uint16 if vocab_size <= 1 << 16 else torch.int32


@dataclass(frozen=True)
class _Documents:
    """The tokens of each document, in parts, and the tokens that join two documents."""

    parts: Iterator[Iterator[Ids]]
    joint: Ids


def _read_documents(documents: _Documents, dtype: np.dtype[Any], buffer: bytearray, *, is_joined: bool) -> list[int]:
    """Append the tokens of documents; return the number of each, with the tokens that join it to the one before."""
    counts: list[int] = []
    for parts in documents.parts:
        begin = len(buffer)
        if is_joined and counts:
            buffer += documents.joint.astype(dtype).tobytes()
        for part in parts:
            buffer += part.astype(dtype, copy=False).tobytes()
        counts.append((len(buffer) - begin) // dtype.itemsize)
    return counts


def _bytes_of(path: str, vocab_size: int) -> _Documents:
    encoding = "ascii" if vocab_size < BYTES else "utf-8"
    omitted = bytes(range(vocab_size, BYTES))  # none for a larger vocabulary

    def kept(text: str) -> Ids:
        return np.frombuffer(text.encode(encoding).translate(None, omitted), dtype=np.uint8)

    def parts(document: TextIO) -> Iterator[Ids]:
        while text := document.read(READ_CHARACTERS):
            yield kept(text)

    return _Documents((parts(document) for document in documents(path, encoding)), kept(BLANK_LINE))


def _tokens_of(path: str, tokenizer: str) -> _Documents:
    loaded = load_tokenizer(tokenizer)
    parts = ((part.ids for part in encoded_parts(loaded, document)) for document in documents(path))
    return _Documents(parts, np.asarray(joining_tokens(loaded), dtype=np.int64))


class Part(NamedTuple):
    """The windows of one file."""

    begin: int  # index of its first token; with documents, of its first window
    own: int  # number of its windows
    share: int  # number of its windows in an epoch


class Windows(Dataset[dict[str, torch.Tensor]]):
    """Windows of `length` tokens: window i starts at token i·stride, or as given by `parts`.

    span: number of tokens that a window reads, including those of its labels.
    parts: for several texts. Window j of a part with share k is its own window floor(j·own / k), so windows are evenly
    distributed if k is less than own, and repeated k/own times (rounded) if it is more.
    documents: first window and first token of each, int64 [2, documents], if windows may not cross documents.
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
        documents: torch.Tensor | None = None,
    ) -> None:
        # As in the notebook, there are len - length windows.
        span = length + 1 if span is None else span
        step = stride if parts is None else 1
        self._windows = tokens.unfold(0, span, step) if len(tokens) >= span else tokens.new_empty(0, span)
        self._tokens, self._cut = tokens, (length, label_shift, stride, span, parts, documents)
        self._length, self._labels_from = length, labels_from(label_shift)
        self._stride = stride
        self._count = len(self._windows) if parts is None else sum(part.share for part in parts)
        self._parts = None if parts is None else _table(parts, tokens.device)
        self._documents = None if documents is None else documents.to(tokens.device)

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
        own_numbers = (numbers - first) * own // share
        if self._documents is None:
            return begin + own_numbers * self._stride
        chosen = begin + own_numbers
        first, begin = self._documents[:, torch.bucketize(chosen, self._documents[0], right=True) - 1]
        return begin + (chosen - first) * self._stride


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
    consecutive. Chunks omit only the last tokens that do not fill one. No window crosses from one text to the next, or
    from one document to the next if they are separate.
    """
    held_out: float = data["held_out"]
    label_shift: str = data["label_shift"]
    is_chunked = data["windows"] == "chunks"
    stride = length if is_chunked else 1
    span = length + labels_from(label_shift) if is_chunked else length + 1
    ends = np.cumsum(corpus.lengths, dtype=np.int64).tolist()
    middles = [end - count + held_out_from(count, held_out) for count, end in zip(corpus.lengths, ends, strict=True)]
    trained = [(end - count, middle) for count, end, middle in zip(corpus.lengths, ends, middles, strict=True)]
    shares = None if isinstance(data["corpus"], str) else [file["windows"] for file in data["corpus"]]

    def cut(ranges: list[tuple[int, int]], stride: int, span: int, shares: list[int] | None) -> Windows:
        if corpus.documents is not None:
            parts, table = _separate(corpus.documents, ranges, stride, span, shares)
            return Windows(corpus.tokens, length, label_shift, stride, span, parts, table)
        if len(ranges) == 1 and shares is None:
            return Windows(corpus.tokens[slice(*ranges[0])], length, label_shift, stride, span)
        owns = [max(0, (end - begin - span) // stride + 1) for begin, end in ranges]
        triples = zip(ranges, owns, shares or owns, strict=True)
        parts = [Part(begin, own, share) for (begin, _), own, share in triples]
        return Windows(corpus.tokens, length, label_shift, stride, span, parts)

    train_windows = cut(trained, stride, span, shares)
    rest = list(zip(middles, ends, strict=True))
    return train_windows, cut(rest, length, length + 1, None) if held_out else None


def _separate(
    documents: list[Numbers], ranges: list[tuple[int, int]], stride: int, span: int, shares: list[int] | None
) -> tuple[list[Part], torch.Tensor]:
    """The parts and documents of windows that cross no documents."""
    lengths = np.concatenate(documents)
    found = [windows_of(lengths, begin, end, span, stride) for begin, end in ranges]
    owns = [int(counts.sum()) for _, counts in found]
    begins = np.cumsum([0, *owns]).tolist()
    parts = [Part(begin, own, share) for begin, own, share in zip(begins[:-1], owns, shares or owns, strict=True)]
    counts = np.concatenate([counts for _, counts in found])
    table = np.stack([np.cumsum(counts) - counts, np.concatenate([starts for starts, _ in found])])
    return parts, torch.from_numpy(table)


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
