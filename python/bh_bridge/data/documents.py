"""The documents of a prepared text: texts in UTF-8, separated by a byte that UTF-8 never contains."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

import numpy as np

SEPARATOR = b"\xff"
BLANK_LINE = "\n\n"  # joins packed documents if no token ends a text
READ_BYTES = 1 << 20

Numbers = np.ndarray[Any, np.dtype[np.int64]]


class _Source:
    """A file that is read up to the next separator."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._bytes, self._at, self._end = b"", 0, 0  # _end: of the document, or of the bytes read so far
        self.is_at_end = False

    def read(self, size: int) -> bytes:
        """At most `size` bytes of the present document; none at its end."""
        if self._at == len(self._bytes):
            self._bytes, self._at = self._file.read(READ_BYTES), 0
            self.is_at_end = not self._bytes
            self._find_end()
        part = self._bytes[self._at : min(self._end, self._at + size)]
        self._at += len(part)
        return part

    def go_on(self) -> None:
        """Skip the separator."""
        self._at += 1
        self._find_end()

    def _find_end(self) -> None:
        end = self._bytes.find(SEPARATOR, self._at)
        self._end = len(self._bytes) if end < 0 else end


class _Document(io.RawIOBase):
    def __init__(self, source: _Source) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        part = self._source.read(len(target))
        target[: len(part)] = part
        return len(part)


def documents(path: str, encoding: str = "utf-8") -> Iterator[TextIO]:
    """Each document of a text, with all newlines as LF; a text without separators is one document.

    Read a document to its end before the next one.
    """
    with Path(path).open("rb") as file:
        source = _Source(file)
        while True:
            with io.TextIOWrapper(io.BufferedReader(_Document(source)), encoding) as document:
                yield document
            if source.is_at_end:
                return
            source.go_on()


def windows_of(lengths: Numbers, begin: int, end: int, span: int, stride: int) -> tuple[Numbers, Numbers]:
    """The first token and the number of windows of each document that has one, within the tokens from begin to end.

    lengths: tokens of each document. A document that the range cuts counts with its part inside.
    """
    ends = np.cumsum(lengths)
    starts = np.maximum(ends - lengths, begin)
    counts = np.maximum((np.minimum(ends, end) - starts - span) // stride + 1, 0)
    has_some = counts > 0
    return starts[has_some], counts[has_some]


def held_out_from(tokens: int, held_out: float) -> int:
    """Index of the first token that is held out."""
    return tokens - int(tokens * held_out)
