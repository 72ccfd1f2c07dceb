"""The event log of a run: one JSON line an event, on disk before anybody sees it."""

from __future__ import annotations

import json
import os
import threading
import time
from pathlib import Path
from typing import Any

from bh_bridge.bridge.channel import Channel
from bh_bridge.bridge.wire import encode
from bh_bridge.errors import RunCorrupt
from bh_bridge.storage.durable import sync, sync_directory


class EventLog:
    """Appends to events.jsonl, one write a line, and passes the same line on to Node. Threads may share it."""

    def __init__(self, path: Path, channel: Channel) -> None:
        self._channel = channel
        self._path = path
        self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        sync_directory(path.parent)  # a checkpoint relies on this log: its name has to be as durable as its lines
        self._lock = threading.Lock()
        self._sequence = 0
        self._training: int | None = None

    def name_training(self, training: int) -> None:
        """Say of each event that is sent from now on which training it is of: there are several at once."""
        self._training = training

    def emit(self, type: str, *, droppable: bool = False, durable: bool = True, **fields: Any) -> None:
        """Log one event and send it; a `durable=False` one, asked for by a callback, is only sent."""
        with self._lock:
            event = {"seq": self._sequence, "mono": time.monotonic(), "wall": time.time(), "type": type, **fields}
            line = encode(event)
            if durable:
                self._append(line.encode() + b"\n")
            self._sequence += 1
        self._channel.send(line if self._training is None else _of_training(line, self._training), droppable)

    def rewind(self, size: int) -> None:
        """Go back to the first `size` bytes, which a checkpoint has committed, and count on from their last event.

        What follows them happens again. A damaged end of it is set aside as events.torn; damage before `size` is
        refused (RunCorrupt).
        """
        data = self._path.read_bytes()
        self._set_aside_damage(data[size:])
        self._sequence = 0
        for number, line in enumerate(data[:size].split(b"\n")[:-1], 1):
            sequence = _sequence_of(line)
            if sequence is None:
                raise RunCorrupt(f"{self._path}, line {number} is not an event, and a checkpoint was made after it")
            self._sequence = sequence + 1
        if len(data) < size or (size and data[size - 1 : size] != b"\n"):
            raise RunCorrupt(f"{self._path} ends at byte {len(data)}; a checkpoint was made when it had {size}")
        os.truncate(self._path, size)

    def commit(self) -> int:
        """Make every event so far durable; return the size of the log."""
        with self._lock:
            if self._fd is None:
                return 0
            sync(self._fd)
            return os.fstat(self._fd).st_size

    def close(self) -> None:
        with self._lock:
            self._close()

    def _append(self, line: bytes) -> None:
        if self._fd is None:  # after the end of its run a trainer can still evaluate
            return
        try:
            written = os.write(self._fd, line)
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError:
            self._close()  # a torn line is the last one: nothing may follow it
            raise

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _set_aside_damage(self, tail: bytes) -> None:
        """Keep what a crash left half written, from the first line that is no event on."""
        position = 0
        for line in tail.splitlines(keepends=True):
            if not line.endswith(b"\n") or _sequence_of(line) is None:
                self._path.with_suffix(".torn").write_bytes(tail[position:])
                return
            position += len(line)


def _of_training(line: str, training: int) -> str:
    return f'{line[:-1]},"training":{training}}}'


def _sequence_of(line: bytes) -> int | None:
    """The number of an event; None where a line is not an event."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    sequence: object = event.get("seq") if isinstance(event, dict) else None
    return sequence if isinstance(sequence, int) else None
