"""The event log of a run: one line of JSON per event, written before it is sent."""

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
    """Appends events to events.jsonl, one write per line, and sends them to Node. Thread-safe."""

    def __init__(self, path: Path, channel: Channel) -> None:
        self._channel = channel
        self._path = path
        self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        sync_directory(path.parent)  # checkpoints rely on the log, so its name must be durable
        self._lock = threading.Lock()
        self._sequence = 0
        self._training: int | None = None

    def name_training(self, training: int) -> None:
        """Name the training in every event sent from now on, because several run at the same time."""
        self._training = training

    def emit(self, type: str, *, droppable: bool = False, durable: bool = True, **fields: Any) -> None:
        """Log an event and send it; events with `durable=False`, requested by callbacks, are only sent."""
        with self._lock:
            event = {"seq": self._sequence, "mono": time.monotonic(), "wall": time.time(), "type": type, **fields}
            line = encode(event)
            if durable:
                self._append(line.encode() + b"\n")
            self._sequence += 1
        self._channel.send(line if self._training is None else _of_training(line, self._training), droppable)

    def rewind(self, size: int) -> None:
        """Truncate the log to its first `size` bytes, which a checkpoint has committed; continue counting from there.

        Later events will happen again. If the log has a damaged end, it is saved as events.torn. RunCorrupt for damage
        before `size`.
        """
        data = self._path.read_bytes()
        self._set_aside_damage(data[size:])
        self._sequence = 0
        for number, line in enumerate(data[:size].split(b"\n")[:-1], 1):
            sequence = _sequence_of(line)
            if sequence is None:
                raise RunCorrupt(f"{self._path}, line {number} is not an event, but a later checkpoint depends on it")
            self._sequence = sequence + 1
        if len(data) < size or (size and data[size - 1 : size] != b"\n"):
            raise RunCorrupt(
                f"{self._path} ends at byte {len(data)}, but a checkpoint depends on its first {size} bytes"
            )
        os.truncate(self._path, size)

    def commit(self) -> int:
        """Make all events durable; return the size of the log."""
        with self._lock:
            if self._fd is None:
                return 0
            sync(self._fd)
            return os.fstat(self._fd).st_size

    def close(self) -> None:
        with self._lock:
            self._close()

    def _append(self, line: bytes) -> None:
        if self._fd is None:  # a trainer can still evaluate after its run is closed
            return
        try:
            written = os.write(self._fd, line)
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError:
            self._close()  # nothing may follow a torn line
            raise

    def _close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _set_aside_damage(self, tail: bytes) -> None:
        """Save the damaged end of the log, from the first line that is not an event."""
        position = 0
        for line in tail.splitlines(keepends=True):
            if not line.endswith(b"\n") or _sequence_of(line) is None:
                self._path.with_suffix(".torn").write_bytes(tail[position:])
                return
            position += len(line)


def _of_training(line: str, training: int) -> str:
    return f'{line[:-1]},"training":{training}}}'


def _sequence_of(line: bytes) -> int | None:
    """The number of an event; None if a line is not an event."""
    try:
        event = json.loads(line)
    except ValueError:
        return None
    sequence: object = event.get("seq") if isinstance(event, dict) else None
    return sequence if isinstance(sequence, int) else None
