"""The streaming recorder: a safetensors file that any tool can open while it grows.

Layout of `<name>.safetensors`: the header, written once and padded so that its length never changes; an I64 scalar
`steps_done`, the last valid index; the states [states, rows, hidden] in the model's dtype, at fixed places.
`<name>.idx` holds one fixed-size record a state: step, CRC-32 of the state's bytes, loss of the step.

Order of a commit: states and records are synced, then `steps_done` moves in one aligned 8-byte write and is synced.
So whatever `steps_done` says is on the disk, and a reader that stops there never sees half a state.
"""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from bh_bridge.durable import reserve, sync, sync_directory
from bh_bridge.errors import ResumeDiverged, RunCorrupt

HEADER_BYTES = 4096  # one page: a rewrite when a run ends early is a single write within it
INDEX_RECORD = struct.Struct("<QIId")  # step, CRC-32, reserved, loss
COMMIT_EVERY_STATES = 1000
COMMIT_EVERY_SECONDS = 2.0  # a crash costs at most this much recomputation; three syncs of some ms each are below 1 %

_DTYPE_NAMES = {torch.bfloat16: "BF16", torch.float16: "F16", torch.float32: "F32", torch.float64: "F64"}


@dataclass(frozen=True)
class Layout:
    """Shape and place of the states of one history file."""

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
        """Where a state begins in the file."""
        return HEADER_BYTES + 8 + index * self.state_bytes

    def header(self, states: int) -> bytes:
        """The first HEADER_BYTES of a safetensors file that holds `states` states."""
        shape = [states, self.rows, self.hidden]
        end = 8 + states * self.state_bytes
        entries = {
            "__metadata__": {"format": "pt", "writer": "bh-bridge"},
            "steps_done": {"dtype": "I64", "shape": [], "data_offsets": [0, 8]},
            self.tensor: {"dtype": _DTYPE_NAMES[self.dtype], "shape": shape, "data_offsets": [8, end]},
        }
        text = json.dumps(entries, separators=(",", ":")).encode()
        size = HEADER_BYTES - 8
        return struct.pack("<Q", size) + text.ljust(size)  # trailing spaces are part of the format


class HistoryFile:
    """One recorded tensor. States are written in order; index i is the i-th recorded state, 0 before training."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.path = path
        self.layout = layout
        self._expected: dict[int, int] = {}
        self._uncommitted = 0
        self._committed_at = time.monotonic()
        is_new = not path.exists()
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._index_fd = os.open(path.with_suffix(".idx"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self.last = self._committed = -1 if is_new else self._steps_done()
        reserve(self._fd, layout.file_bytes, path)
        self._write(
            self._fd, layout.header(layout.states), 0
        )  # also undoes the shorter header of a run that stopped early
        if is_new:
            sync(self._fd)
            sync_directory(path.parent)

    def rewind(self, last: int) -> None:
        """Go back to state `last`; committed states after it will be compared with what is recomputed."""
        records = list(self._records(self.last + 1))
        if len(records) <= last:
            raise RunCorrupt(f"{self.path} holds states up to {len(records) - 1}, its checkpoint needs {last}")
        self._expected = {index: crc for index, (_, crc, _) in enumerate(records) if index > last}
        self.last = last

    def append(self, state: torch.Tensor, step: int, loss: float) -> None:
        """Write the next state, [rows, hidden] in the layout's dtype on the CPU; commit when it is time."""
        index = self.last + 1
        data = state.contiguous().view(torch.uint8).numpy().tobytes()
        crc = zlib.crc32(data)
        expected = self._expected.pop(index, crc)
        if crc != expected:
            raise ResumeDiverged(
                f"step {step} came out differently from the recorded one (CRC-32 {crc:08x}, recorded {expected:08x}): "
                "the environment has changed, or the recording is damaged"
            )
        self._write(self._fd, data, self.layout.offset(index))
        self._write(self._index_fd, INDEX_RECORD.pack(step, crc, 0, loss), index * INDEX_RECORD.size)
        self.last = index
        self._uncommitted += 1
        waited = time.monotonic() - self._committed_at
        if self._uncommitted >= COMMIT_EVERY_STATES or waited >= COMMIT_EVERY_SECONDS or index == 0:
            self.commit()

    def commit(self) -> None:
        """Make everything written so far durable, then visible."""
        if self._uncommitted:
            sync(self._fd)
            sync(self._index_fd)
            if self.last > self._committed:  # while old states are recomputed, what was committed stays so
                self._write(self._fd, struct.pack("<q", self.last), HEADER_BYTES)
                sync(self._fd)
                self._committed = self.last
            self._uncommitted = 0
        self._committed_at = time.monotonic()

    def finish(self) -> None:
        """Commit; give a run that ended early the shape that was recorded. A resumed run gets its full shape back."""
        self.commit()
        states = self._committed + 1
        if states < self.layout.states:
            self._write(self._fd, self.layout.header(states), 0)
            os.ftruncate(self._fd, self.layout.offset(states))
            sync(self._fd)

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._index_fd)

    def _steps_done(self) -> int:
        value = os.pread(self._fd, 8, HEADER_BYTES)
        done: int = struct.unpack("<q", value)[0] if len(value) == 8 else -1
        if done > 0:
            return done
        # A file that was only reserved reads 0 as well: state 0 is there when its checksum says so.
        first = list(self._records(1))
        state = os.pread(self._fd, self.layout.state_bytes, self.layout.offset(0))
        return 0 if first and zlib.crc32(state) == first[0][1] else -1

    def _records(self, count: int) -> Iterator[tuple[int, int, float]]:
        """Step, CRC-32 and loss of the first `count` states."""
        data = os.pread(self._index_fd, count * INDEX_RECORD.size, 0)
        for step, crc, _, loss in INDEX_RECORD.iter_unpack(data[: len(data) // INDEX_RECORD.size * INDEX_RECORD.size]):
            yield step, crc, loss

    def _write(self, fd: int, data: bytes, offset: int) -> None:
        written = os.pwrite(fd, data, offset)
        while written < len(data):  # a signal or a full quota can cut a write short; the next one tells which
            written += os.pwrite(fd, data[written:], offset + written)
