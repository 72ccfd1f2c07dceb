"""History files: safetensors files that any tool can open while they grow.

Layout of `<name>.safetensors`: the header, written once and padded to a page; an I64 scalar `steps_done`, the last
valid index; the states [states, rows, hidden] in the dtype of the tensor, at fixed offsets. `<name>.idx` contains a
fixed-size record per state: step, CRC-32 of the state, CRC-32 of the record itself, loss of the step.

A commit syncs states and records, then changes `steps_done` by one aligned 8-byte write and syncs it. All states up to
`steps_done` are therefore durable, and a reader that stops there never sees a partial state. Commits run in a separate
thread, one at a time, because their three syncs would delay the training. `commit` waits for them.

A header is never rewritten in place: a file of another shape is written beside the old one, synced, and renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from bh_bridge.errors import DiskFull, ResumeDiverged, RunCorrupt
from bh_bridge.storage.durable import reserve, sync, sync_directory, write_all
from bh_bridge.tensors import DTYPE_NAMES

HEADER_BYTES = 4096  # one page; the text takes about 300 bytes
INDEX_RECORD = struct.Struct("<QIId")  # step, CRC-32 of the state, CRC-32 of this record without this field, loss
_CHECK_AT = slice(12, 16)  # the CRC-32 of the record itself; zero in records of earlier versions
COMMIT_EVERY_STATES = 1000
COMMIT_EVERY_SECONDS = 2.0  # a power failure loses at most this and one commit
SHORTEN_UP_TO_BYTES = 2 << 30  # copied in about 5 s, while the user waits; longer files keep their shape
COPY_BYTES = 1 << 20


@dataclass(frozen=True)
class Layout:
    """Shape and offsets of the states of a history file."""

    tensor: str  # name in the file, for example embedding_history
    dtype: torch.dtype
    states: int
    rows: int
    hidden: int

    @property
    def state_bytes(self) -> int:
        return self.rows * self.hidden * self.dtype.itemsize

    @property
    def file_bytes(self) -> int:
        return self.offset(self.states)

    def offset(self, index: int) -> int:
        """The offset of a state in the file."""
        return HEADER_BYTES + 8 + index * self.state_bytes

    def header(self, states: int) -> bytes:
        """The first HEADER_BYTES of a safetensors file with `states` states."""
        shape = [states, self.rows, self.hidden]
        end = 8 + states * self.state_bytes
        entries = {
            "__metadata__": {"format": "pt", "writer": "bh-bridge"},
            "steps_done": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
            self.tensor: {"dtype": DTYPE_NAMES[self.dtype], "shape": shape, "data_offsets": [8, end]},
        }
        text = json.dumps(entries, separators=(",", ":")).encode()
        size = HEADER_BYTES - 8
        return struct.pack("<Q", size) + text.ljust(size)  # the format allows trailing spaces


def first_recorded_step(path: Path) -> int | None:
    """The step of state 0 of a history; None if it has no state."""
    try:
        first = path.with_suffix(".idx").read_bytes()[: INDEX_RECORD.size]
    except FileNotFoundError:
        return None
    return INDEX_RECORD.unpack(first)[0] if path.exists() and len(first) == INDEX_RECORD.size and any(first) else None


def pack_record(step: int, crc: int, loss: float) -> bytes:
    """The index record of a state, including its own CRC-32."""
    record = INDEX_RECORD.pack(step, crc, 0, loss)
    return INDEX_RECORD.pack(step, crc, zlib.crc32(_facts(record)), loss)


def _facts(record: bytes) -> bytes:
    """A record without its own CRC-32."""
    return record[: _CHECK_AT.start] + record[_CHECK_AT.stop :]


class Record(NamedTuple):
    """The index record of a state."""

    step: int
    crc: int
    loss: float


class HistoryFile:
    """One recorded tensor. States are written in order; index i is the i-th recorded state, 0 before training.

    A new file has no state (`last` is -1). An existing file is opened with its committed states and resized to the
    layout; RunCorrupt if it has another tensor, shape or dtype.
    """

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._committed_at = time.monotonic()
        self._lock = threading.Lock()  # held by commits, during which files are neither closed nor replaced
        self._commit_error: OSError | None = None
        self._is_closed = False
        is_new = not path.exists()
        with contextlib.ExitStack() as undo:
            self._index_fd = self._open_index(is_new)
            undo.callback(os.close, self._index_fd)
            self._fd = self._place(layout.states, 0) if is_new else os.open(path, os.O_RDWR | os.O_CLOEXEC)
            undo.callback(lambda: os.close(self._fd))  # late binding: it may be replaced
            if not is_new:
                self._check_header()
            self.committed = self._states_done() - 1
            self.rewind(self.committed)
            if os.fstat(self._fd).st_size != layout.file_bytes:  # shortened when the run stopped, or extended
                self._replace(layout.states)
            undo.pop_all()

    def rewind(self, last: int) -> None:
        """Return to state `last`; recomputed states are compared with the committed states after it."""
        if last > self.committed:
            raise RunCorrupt(f"{self.path} holds states up to {self.committed}, its checkpoint needs {last}")
        self.last = self._handed_over = self._synced = last  # written, handed to a commit, and durable

    def forget_after(self, last: int) -> None:
        """Discard the states after `last`, so that new ones are not compared with them."""
        if last >= self.committed:
            return
        write_all(self._fd, struct.pack("<q", max(last, 0)), HEADER_BYTES)
        sync(self._fd)
        if last < 0:  # steps_done = 0 means state 0, unless its record is empty
            write_all(self._index_fd, bytes(INDEX_RECORD.size), 0)
            sync(self._index_fd)
        self.committed = last
        self.rewind(last)

    def append(self, state: torch.Tensor, step: int, loss: float) -> None:
        """Write the next state, [rows, hidden] in the layout's dtype on the CPU; commit regularly.

        TypeError for another dtype, because rounding would falsify the record. ResumeDiverged if the state or its loss
        differs in any bit from a committed one.
        """
        if state.dtype != self.layout.dtype:
            raise TypeError(f"{self.layout.tensor} is {state.dtype}, and {self.path} holds {self.layout.dtype}")
        self._raise_commit_error()
        index = self.last + 1
        data = state.contiguous().view(torch.uint8).numpy().tobytes()
        crc = zlib.crc32(data)
        record = pack_record(step, crc, loss)
        if index <= self.committed:
            self._compare(index, record)
        write_all(self._fd, data, self.layout.offset(index))
        write_all(self._index_fd, record, self._record_offset(index))
        self.last = index
        waited = time.monotonic() - self._committed_at
        if index == 0:
            self.commit()
        elif self.last - self._handed_over >= COMMIT_EVERY_STATES or waited >= COMMIT_EVERY_SECONDS:
            self._begin_commit()

    def commit(self) -> None:
        """Make everything written so far durable, then visible."""
        with self._lock:
            self._make_durable(self.last)
        self._handed_over = self.last
        self._committed_at = time.monotonic()

    def shorten(self) -> None:
        """Reduce the file of a stopped run to its recorded states; resuming restores the full shape.

        Files that are too large to copy quickly or to fit on the disk keep their shape; `steps_done` is valid anyway.
        """
        with self._lock:
            self._raise_commit_error()
            states = self.committed + 1
            if states < self.layout.states and self.layout.offset(states) <= SHORTEN_UP_TO_BYTES:
                with contextlib.suppress(DiskFull):
                    self._replace(states)

    def record(self, index: int) -> Record:
        """The index record of a state."""
        data = os.pread(self._index_fd, INDEX_RECORD.size, self._record_offset(index))
        if len(data) < INDEX_RECORD.size:
            raise RunCorrupt(f"{self._index_path} ends before state {index}, which {self.path} holds")
        step, crc, _, loss = INDEX_RECORD.unpack(data)
        return Record(step, crc, loss)

    def close(self) -> None:
        """Close the files after a running commit, whose errors only `commit` reports."""
        is_interrupted = False
        while not self._is_closed:
            try:
                self._close()
            except KeyboardInterrupt:  # a commit must not continue after the run is unlocked
                is_interrupted = True
        if is_interrupted:
            raise KeyboardInterrupt

    def _close(self) -> None:
        with self._lock:
            self._is_closed = True
            os.close(self._fd)
            os.close(self._index_fd)

    def _begin_commit(self) -> None:
        """Commit in the background. The next append or commit raises its error."""
        with self._lock:  # free, unless the disk is slower than the training
            self._handed_over = self.last
            self._committed_at = time.monotonic()
        thread = threading.Thread(target=self._try_to_commit, args=(self.last,), name="bh-bridge-commit", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # no more threads are available
            self.commit()

    def _try_to_commit(self, last: int) -> None:
        with self._lock, contextlib.suppress(OSError):  # stored in _commit_error
            if not self._is_closed:
                self._make_durable(last)

    def _make_durable(self, last: int) -> None:
        """Commit the states up to `last`; later ones may be written meanwhile.

        An error is final, because a later sync may succeed although the data never reached the disk.
        """
        self._raise_commit_error()
        if last <= self._synced:
            return
        try:
            sync(self._fd)
            sync(self._index_fd)
            if last > self.committed:  # recomputed states are already committed
                write_all(self._fd, struct.pack("<q", last), HEADER_BYTES)
                sync(self._fd)
                self.committed = last
        except OSError as error:
            self._commit_error = error
            raise
        self._synced = last

    def _raise_commit_error(self) -> None:
        if self._commit_error is not None:
            raise self._commit_error

    @property
    def _index_path(self) -> Path:
        return self.path.with_suffix(".idx")

    def _record_offset(self, index: int) -> int:
        return index * INDEX_RECORD.size

    def _open_index(self, is_new: bool) -> int:
        """Open the index with space for every record; records after the last committed state are ignored."""
        if not is_new and not self._index_path.exists():
            raise RunCorrupt(f"{self._index_path} is missing: without it the states in {self.path} cannot be checked")
        fd = os.open(self._index_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            if is_new:
                os.ftruncate(fd, 0)
            size = self.layout.states * INDEX_RECORD.size
            if os.fstat(fd).st_size < size:
                reserve(fd, size, self._index_path)
            sync(fd)
            sync_directory(self.path.parent)  # before the states, because a history without index is damaged
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _place(self, states: int, kept: int) -> int:
        """Write a file with space for `states` states and with the first `kept`, then rename it to its name.

        The header always matches the file, so any tool can open it at any time.
        """
        partial = self.path.with_name(f".{self.path.name}.partial")
        fd = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            reserve(fd, self.layout.offset(states), self.path)
            write_all(fd, self.layout.header(states), 0)
            position = HEADER_BYTES
            while kept and position < self.layout.offset(kept):
                data = os.pread(self._fd, min(COPY_BYTES, self.layout.offset(kept) - position), position)
                write_all(fd, data, position)
                position += len(data)
            sync(fd)
            partial.rename(self.path)
            sync_directory(self.path.parent)
        except BaseException:
            os.close(fd)
            partial.unlink(missing_ok=True)
            raise
        return fd

    def _replace(self, states: int) -> None:
        fd = self._place(states, self.committed + 1)
        os.close(self._fd)
        self._fd = fd

    def _check_header(self) -> None:
        """RunCorrupt if the header does not match the layout."""
        found = os.pread(self._fd, HEADER_BYTES, 0)
        try:
            entry = json.loads(found[8:])[self.layout.tensor]
            states = int(entry["shape"][0])
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise RunCorrupt(f"{self.path} has a damaged header: {error}") from error
        size = os.fstat(self._fd).st_size
        if found != self.layout.header(states) or size != self.layout.offset(states):
            raise RunCorrupt(f"{self.path} does not match this run: its header describes {entry}, in {size:,} bytes")

    def _states_done(self) -> int:
        """The number of committed states."""
        done: int = struct.unpack("<q", os.pread(self._fd, 8, HEADER_BYTES))[0]
        if done > 0:
            if self.layout.offset(done + 1) > os.fstat(self._fd).st_size:
                raise RunCorrupt(f"{self.path} has a damaged steps_done: {done}, which is beyond its end")
            return done + 1
        # A new file also reads 0. State 0 exists if its checksum matches.
        state = os.pread(self._fd, self.layout.state_bytes, self.layout.offset(0))
        return 1 if zlib.crc32(state) == self.record(0).crc else 0

    def _compare(self, index: int, record: bytes) -> None:
        recorded = os.pread(self._index_fd, INDEX_RECORD.size, self._record_offset(index))
        if _facts(recorded) == _facts(record):
            return
        step, crc, _, loss = INDEX_RECORD.unpack(record)
        old = self.record(index)
        raise ResumeDiverged(
            f"step {step} differs from the recorded step: CRC-32 {crc:08x} and loss {loss!r}, recorded "
            f"{old.crc:08x} and {old.loss!r} at step {old.step}. The environment computes differently now, or "
            f"{self.path} is damaged (check with: bh-bridge runs verify). To resume anyway and replace the recorded "
            "steps after the checkpoint: bh-bridge resume --allow-inexact"
        )
