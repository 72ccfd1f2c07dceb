"""All weights of a model after every step, as the exact difference to the step before: `record.model: deltas`.

A step changes most weights by a few representable numbers, so its difference compresses to a fraction of the weights.
Each value is an integer whose order is that of the numbers (`ordered`). A frame is the difference of those integers,
modulo their range, as zig-zag numbers (0, −1, 1, −2, …) in planes of bytes, lowest first, in one zlib stream. Every
KEY_EVERY-th frame is the difference to zero, so that a state is read from at most KEY_EVERY frames.

`model.deltas`: length and CRC-32 of the header, the header (JSON), the frames.
`model.idx`: number of committed frames with its CRC-32, then a record per frame: step, offset, length, CRC-32 of the
frame, of the state that it gives, and of the record. docs/run-directory.md has a reader.

One thread encodes and writes, because zlib works while the training computes. It also commits: frames and records are
synced before the number of committed frames changes, in one aligned write.
"""

from __future__ import annotations

import json
import os
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from bh_bridge.errors import ConfigInvalid, DiskFull, ResumeDiverged, RunCorrupt
from bh_bridge.recording.history import COMMIT_EVERY_SECONDS, COMMIT_EVERY_STATES
from bh_bridge.storage.durable import free_bytes, sync, sync_directory, write_all
from bh_bridge.tensors import DTYPE_NAMES

FILE, INDEX = "model.deltas", "model.idx"
FORMAT = "bh-bridge/deltas@1"
KEY_EVERY = 32  # a key frame has two thirds of the weights' bytes, and reading a state takes about 1 ms per frame
HEAD = struct.Struct("<II")  # length and CRC-32 of the header; number of committed frames and its CRC-32
RECORD = struct.Struct("<QQIIII")
EXPECTED_SHARE = 0.25  # of the weights' bytes, for a bfloat16 model
MOST_WAITING = 64  # steps that wait to be encoded, for example while a slow disk syncs
MOST_WAITING_BYTES = 64 << 20

Words = NDArray[np.signedinteger[Any]]


class Frame(NamedTuple):
    """The record of a frame."""

    step: int
    offset: int
    length: int
    crc: int  # of the frame
    state_crc: int


class States:
    """The tensors of a model's state dict, each once, as one state: the bytes of one after another, widest first."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self._parameters = {id(parameter) for parameter in model.parameters()}
        found: dict[int, str] = {}
        self.tied: dict[str, str] = {}
        self._tensors: dict[str, torch.Tensor] = {}
        for name, tensor in model.state_dict(keep_vars=True).items():
            if id(tensor) in found:
                self.tied[name] = found[id(tensor)]
                continue
            if tensor.dtype not in DTYPE_NAMES:
                raise ConfigInvalid(f'record.model: {name} is {tensor.dtype}, which deltas cannot store. Use "off"')
            found[id(tensor)] = name
            self._tensors[name] = tensor
        self._tensors = dict(sorted(self._tensors.items(), key=lambda item: -item[1].itemsize))
        self._buffers = [name for name, tensor in self._tensors.items() if id(tensor) not in self._parameters]
        self.words: list[tuple[int, int]] = []  # bytes of a value, and the number of such values
        for tensor in self._tensors.values():
            width, count = self.words.pop() if self.words else (tensor.itemsize, 0)
            if width != tensor.itemsize:
                self.words.append((width, count))
                count = 0
            self.words.append((tensor.itemsize, count + tensor.numel()))

    @property
    def bytes(self) -> int:
        return sum(width * count for width, count in self.words)

    @torch.no_grad()
    def read(self) -> torch.Tensor:
        """The present state, uint8 [bytes], copied on the device of the model."""
        if self._buffers:  # a module may assign a new tensor to its buffer
            now = self._model.state_dict(keep_vars=True)
            self._tensors.update({name: now[name] for name in self._buffers})
        return torch.cat([each.detach().reshape(-1).view(torch.uint8) for each in self._tensors.values()])

    def header(self) -> bytes:
        tensors: list[dict[str, object]] = []
        offset = 0
        for name, tensor in self._tensors.items():
            dtype, shape = DTYPE_NAMES[tensor.dtype], list(tensor.shape)
            tensors.append({"name": name, "dtype": dtype, "shape": shape, "offset": offset})
            offset += tensor.nbytes
        header = {"format": FORMAT, "key_every": KEY_EVERY, "words": self.words, "tensors": tensors, "tied": self.tied}
        return json.dumps(header, separators=(",", ":")).encode()


def ordered(values: Words) -> Words:
    """Bits of numbers as integers in the order of the numbers, −0 just below 0; also the inverse."""
    bits = values.itemsize * 8
    return values ^ ((values >> (bits - 1)) & np.iinfo(values.dtype).max)


def split(state: NDArray[np.uint8], words: list[tuple[int, int]]) -> list[Words]:
    """A state as integers, by their width."""
    parts: list[Words] = []
    start = 0
    for width, count in words:
        parts.append(state[start : start + width * count].view(f"<i{width}"))
        start += width * count
    return parts


def encode(values: list[Words], before: list[Words] | None) -> bytes:
    """The frame of ordered values; before: those of the step before, None for a key frame."""
    planes: list[bytes] = []
    for index, now in enumerate(values):
        difference = now if before is None else now - before[index]
        zigzag = (difference << 1) ^ (difference >> (now.itemsize * 8 - 1))
        planes += [zigzag.view(np.uint8)[plane :: now.itemsize].tobytes() for plane in range(now.itemsize)]
    # Runs and Huffman codes alone: two thirds of the bytes of level 1, and a tenth of the time of level 6.
    stream = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, zlib.Z_RLE)
    return b"".join([*(stream.compress(plane) for plane in planes), stream.flush()])


def decode(frame: bytes, words: list[tuple[int, int]], before: list[Words] | None) -> list[Words]:
    """The inverse of `encode`. RunCorrupt if the frame is not one of these words."""
    try:
        planes = np.frombuffer(zlib.decompress(frame), np.uint8)
    except zlib.error as error:
        raise RunCorrupt(f"a frame cannot be decompressed: {error}") from error
    if len(planes) != sum(width * count for width, count in words):
        raise RunCorrupt(f"a frame has {len(planes)} bytes")
    values: list[Words] = []
    start = 0
    for index, (width, count) in enumerate(words):
        part = planes[start : start + width * count].reshape(width, count).T
        zigzag = np.ascontiguousarray(part).view(f"<u{width}").ravel()
        difference = ((zigzag >> 1) ^ (~(zigzag & 1) + 1)).view(f"<i{width}")
        values.append(difference if before is None else before[index] + difference)
        start += width * count
    return values


class ModelDeltas:
    """The states of a model in `model.deltas`; index i is the i-th recorded step, 0 before training.

    As `HistoryFile`: a new file has no state (`last` is -1), and an existing file is opened with its committed states.
    states: of the whole training, for the estimate of its size.
    """

    def __init__(self, directory: Path, states: States, steps: int) -> None:
        self.states = states
        self.path = directory / FILE
        self._index_path = directory / INDEX
        text = states.header()
        self._header = HEAD.pack(len(text), zlib.crc32(text)) + text
        self._before: list[Words] | None = None  # the ordered values of state `last`, if known
        self._error: BaseException | None = None
        self._waiting: deque[Future[None]] = deque()
        self._most_waiting = max(1, min(MOST_WAITING, MOST_WAITING_BYTES // max(states.bytes, 1)))
        self._committed_at = time.monotonic()
        self._is_closed = False
        self._index_fd = os.open(self._index_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        self._fd = -1
        self._worker: ThreadPoolExecutor | None = None
        try:
            self.committed = self._read_committed() - 1
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT * (self.committed < 0) | os.O_CLOEXEC, 0o666)
            self._open(directory, steps)
            self._worker = _start_worker()
        except FileNotFoundError as error:
            self.close()
            raise RunCorrupt(f"{self.path} is missing, but {INDEX} has {self.committed + 1} frames of it") from error
        except BaseException:
            self.close()
            raise

    def rewind(self, last: int) -> None:
        """Return to state `last`; recomputed states are compared with the committed states after it."""
        if last > self.committed:
            raise RunCorrupt(f"{self.path} holds states up to {self.committed}, its checkpoint needs {last}")
        self.last = self._synced = last
        self._before = None

    def forget_after(self, last: int) -> None:
        """Discard the states after `last`, so that new ones are not compared with them."""
        if last >= self.committed:
            return
        self._write_committed(last + 1)
        self.committed = last
        self._cut()
        self.rewind(last)

    def append(self, state: torch.Tensor, step: int) -> None:
        """Record the next state, as `States.read` returned it, on the CPU; it is encoded and committed in a thread.

        Raises the errors of earlier states: ResumeDiverged if one differs in any bit from a committed state.
        """
        self._raise_error()
        while len(self._waiting) >= self._most_waiting:
            self._waiting.popleft().result()
        self._do(lambda: self._append(state.numpy(), step))

    def commit(self) -> None:
        """Make everything appended so far durable, then visible."""
        while self._waiting:
            self._waiting.popleft().result()
        self._try(self._commit)

    def frame(self, index: int) -> Frame:
        """The record of a state. RunCorrupt if it is damaged."""
        data = os.pread(self._index_fd, RECORD.size, _record_offset(index))
        if len(data) < RECORD.size or RECORD.unpack(data)[-1] != zlib.crc32(data[:-4]):
            raise RunCorrupt(f"{self._index_path} is damaged: record {index} does not have its own CRC-32")
        return Frame(*RECORD.unpack(data)[:-1])

    def close(self) -> None:
        """Close the files after everything appended is written. Only `commit` makes it durable and reports errors."""
        is_interrupted = False
        while not self._is_closed:
            try:
                if self._worker is not None:
                    self._worker.shutdown()
                self._is_closed = True
            except KeyboardInterrupt:  # the thread must not write after the run is unlocked
                is_interrupted = True
        for fd in (self._fd, self._index_fd):
            if fd >= 0:
                os.close(fd)
        self._fd = self._index_fd = -1
        if is_interrupted:
            raise KeyboardInterrupt

    def _open(self, directory: Path, steps: int) -> None:
        """Check or write the header, and remove what was not committed."""
        if self.committed < 0:
            self._require_space(directory, steps)
            os.ftruncate(self._fd, 0)
            write_all(self._fd, self._header, 0)
            sync(self._fd)
            self._write_committed(0)
            sync_directory(directory)
        elif os.pread(self._fd, len(self._header), 0) != self._header:
            raise RunCorrupt(f"{self.path} does not match this run: its header describes other tensors")
        self._cut()
        self.rewind(self.committed)

    def _require_space(self, directory: Path, steps: int) -> None:
        needed, free = int(self.states.bytes * EXPECTED_SHARE * (steps + 1)), free_bytes(directory)
        if needed > free:
            raise DiskFull(
                f"{self.path} needs about {needed:,} bytes but the disk has {free:,} left: free {needed - free:,} "
                "bytes, or set record.model to off"
            )

    def _cut(self) -> None:
        """Remove everything after the last committed frame."""
        newest = None if self.committed < 0 else self.frame(self.committed)
        self._end = len(self._header) if newest is None else newest.offset + newest.length
        size = os.fstat(self._fd).st_size
        if size < self._end:
            raise RunCorrupt(f"{self.path} ends at byte {size:,}, but {INDEX} has frames up to byte {self._end:,}")
        os.ftruncate(self._fd, self._end)
        os.ftruncate(self._index_fd, _record_offset(self.committed + 1))

    def _read_committed(self) -> int:
        data = os.pread(self._index_fd, HEAD.size, 0)
        if not data or not any(data):
            return 0
        count, crc = HEAD.unpack(data.ljust(HEAD.size, b"\0"))
        if crc != zlib.crc32(data[:4]):
            raise RunCorrupt(f"{self._index_path} is damaged: its number of frames does not have its CRC-32")
        return int(count)

    def _write_committed(self, count: int) -> None:
        number = struct.pack("<I", count)
        write_all(self._index_fd, HEAD.pack(count, zlib.crc32(number)), 0)
        sync(self._index_fd)

    def _do(self, task: Callable[[], None]) -> None:
        if self._worker is None:
            self._try(task)
        else:
            self._waiting.append(self._worker.submit(self._try, task))

    def _try(self, task: Callable[[], None]) -> None:
        """Run a task. An error is final, because a later sync may succeed although the data never reached the disk."""
        self._raise_error()
        try:
            task()
        except BaseException as error:
            self._error = error
            raise

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def _append(self, state: NDArray[np.uint8], step: int) -> None:
        index, crc = self.last + 1, zlib.crc32(state.data)
        values = [ordered(part) for part in split(state, self.states.words)]
        if index <= self.committed:
            self._compare(index, step, crc)
        else:
            before = None if index % KEY_EVERY == 0 else self._before or self.values(index - 1)
            data = encode(values, before)
            record = RECORD.pack(step, self._end, len(data), zlib.crc32(data), crc, 0)[:-4]
            write_all(self._fd, data, self._end)
            write_all(self._index_fd, record + struct.pack("<I", zlib.crc32(record)), _record_offset(index))
            self._end += len(data)
        self._before = values
        self.last = index
        waited = time.monotonic() - self._committed_at
        if index == 0 or index - self._synced >= COMMIT_EVERY_STATES or waited >= COMMIT_EVERY_SECONDS:
            self._commit()

    def _commit(self) -> None:
        self._committed_at = time.monotonic()
        if self.last <= self._synced:
            return
        if self.last > self.committed:  # recomputed states are already committed
            sync(self._fd)
            sync(self._index_fd)
            self._write_committed(self.last + 1)
            self.committed = self.last
        self._synced = self.last

    def values(self, index: int) -> list[Words]:
        """The ordered values of a recorded state. RunCorrupt if a frame or the state has another checksum."""
        values: list[Words] | None = None
        for at in range(index - index % KEY_EVERY, index + 1):
            frame = self.frame(at)
            data = os.pread(self._fd, frame.length, frame.offset)
            if zlib.crc32(data) != frame.crc:
                raise RunCorrupt(f"{self.path} is damaged: the frame of step {frame.step} does not have its CRC-32")
            values = decode(data, self.states.words, values)
        assert values is not None
        crc = 0
        for part in values:
            crc = zlib.crc32(ordered(part).data, crc)
        if crc != self.frame(index).state_crc:
            raise RunCorrupt(f"{self.path} is damaged: the weights of step {self.frame(index).step} have other bits")
        return values

    def _compare(self, index: int, step: int, crc: int) -> None:
        old = self.frame(index)
        if (old.step, old.state_crc) == (step, crc):
            return
        raise ResumeDiverged(
            f"the weights of step {step} differ from the recorded ones: CRC-32 {crc:08x}, recorded "
            f"{old.state_crc:08x} at step {old.step}. The environment computes differently now, or {self.path} is "
            "damaged"
        )


def _record_offset(index: int) -> int:
    return HEAD.size + index * RECORD.size


def _start_worker() -> ThreadPoolExecutor | None:
    """A thread that does one task after another; None if no more threads are available."""
    worker = ThreadPoolExecutor(1, "bh-bridge-deltas")
    try:
        worker.submit(lambda: None)
    except RuntimeError:
        return None
    return worker
