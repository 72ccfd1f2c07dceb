"""The event log of a run: one JSON line an event, on disk before anybody sees it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from bh_bridge.channel import Channel
from bh_bridge.durable import sync
from bh_bridge.errors import RunCorrupt
from bh_bridge.wire import encode


class EventLog:
    """Appends to events.jsonl, one write a line, and passes the same line on to Node."""

    def __init__(self, path: Path, channel: Channel) -> None:
        self._channel = channel
        self._fd: int | None = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        self._sequence = 0

    def emit(self, type: str, *, droppable: bool = False, durable: bool = True, **fields: Any) -> None:
        """Log one event and send it; a `durable=False` one, asked for by a callback, is only sent."""
        event = {"seq": self._sequence, "mono": time.monotonic(), "wall": time.time(), "type": type, **fields}
        line = encode(event)
        if durable and self._fd is not None:  # after the end of its run a trainer can still evaluate
            os.write(self._fd, line.encode() + b"\n")
        self._sequence += 1
        self._channel.send(line, droppable)

    def rewind(self, path: Path, step: int) -> None:
        """Drop the events after `step`, which will happen again, and go on counting from the last one kept.

        A torn last line is cut off and kept beside the log; damage elsewhere is refused (RunCorrupt).
        """
        data = path.read_bytes()
        whole, _, torn = data.rpartition(b"\n")
        if torn:
            path.with_suffix(".torn").write_bytes(torn)
        kept, sequence = 0, 0
        for number, line in enumerate(whole.split(b"\n") if whole else [], 1):
            try:
                event = json.loads(line)
            except ValueError as error:
                raise RunCorrupt(f"{path}, line {number} is not an event: {error}") from error
            if event["global_step"] > step or event["type"] in ("train_end", "stopped"):
                break
            kept += len(line) + 1
            sequence = event["seq"] + 1
        os.truncate(path, kept)
        self._sequence = sequence

    def commit(self) -> None:
        if self._fd is not None:
            sync(self._fd)

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
