"""The side channel: events to Node in batches, commands and decisions back, while the main thread trains."""

from __future__ import annotations

import json
import math
import os
import socket
import threading
from collections import deque
from typing import Any

BATCH_SECONDS = 0.05  # an observer sees a step at most this late; 20 wake-ups a second cost nothing
BATCH_LINES = 256
BACKLOG_LINES = 65_536  # about 10 MB of lines: past this a reader that does not keep up gets steps coalesced
ORPHAN_GRACE_SECONDS = 1.2  # Node is gone: time to finish a step and commit, still under the promised two seconds


class Channel:
    """One connection to Node over a Unix socket; newline-delimited JSON both ways.

    A thread sends what is queued, another reads. End of file means that Node has died: every training is stopped, and
    the process ends after a grace period whatever the main thread is doing.
    """

    def __init__(self, path: str, token: str) -> None:
        self.stop_reason = ""
        self._stopped_up_to = 0.0
        self._backlog: deque[str] = deque()
        self._steps_coalesced = 0
        self._wake = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._answers: dict[int, tuple[threading.Event, list[dict[str, Any]]]] = {}
        self._next_question = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._socket.sendall(token.encode() + b"\n")
        threading.Thread(target=self._send_loop, name="bh-bridge-send", daemon=True).start()
        threading.Thread(target=self._read_loop, name="bh-bridge-read", daemon=True).start()

    def is_stopped(self, training: int) -> bool:
        """True when the training of this number is to end after its current step.

        Numbers rise: a stop that arrives before its training begins counts, one for an earlier training does not.
        """
        return training <= self._stopped_up_to

    def _stop(self, training: float, reason: str) -> None:
        if training > self._stopped_up_to:
            self.stop_reason = reason
            self._stopped_up_to = training

    def send(self, line: str, droppable: bool = False) -> None:
        """Queue one line. `droppable` lines (steps) are left out while the reader lags; the others never are."""
        if droppable and len(self._backlog) >= BACKLOG_LINES:
            self._steps_coalesced += 1
            return
        if self._steps_coalesced and len(self._backlog) < BACKLOG_LINES:
            self._backlog.append(json.dumps({"type": "coalesced", "steps": self._steps_coalesced}))
            self._steps_coalesced = 0
        self._idle.clear()
        self._backlog.append(line)
        if len(self._backlog) >= BATCH_LINES or not droppable:
            self._wake.set()

    def ask(self, question: dict[str, Any], timeout_seconds: float) -> dict[str, Any] | None:
        """Send a question and wait for its answer; None when none came in time."""
        self._next_question += 1
        number = self._next_question
        arrived, box = threading.Event(), list[dict[str, Any]]()
        self._answers[number] = (arrived, box)
        self.send(json.dumps({**question, "question": number}))
        answered = arrived.wait(timeout_seconds)
        self._answers.pop(number, None)
        return box[0] if answered else None

    def flush(self, timeout_seconds: float = 10.0) -> None:
        """Wait until everything queued has been handed to the socket."""
        self._wake.set()
        self._idle.wait(timeout_seconds)

    def _send_loop(self) -> None:
        while True:
            self._wake.wait(BATCH_SECONDS)
            self._wake.clear()
            lines: list[str] = []
            while self._backlog:
                lines.append(self._backlog.popleft())
            if not lines:
                self._idle.set()
                continue
            try:
                self._socket.sendall(("\n".join(lines) + "\n").encode())
            except OSError:  # Node closed its end: the read loop sees the same and ends the process
                return

    def _read_loop(self) -> None:
        try:
            with self._socket.makefile("r", encoding="utf-8") as reader:
                for line in reader:
                    self._receive(json.loads(line))
        except (OSError, ValueError):  # a broken connection is the same as a closed one
            pass
        self._stop(math.inf, "orphaned")
        threading.Event().wait(ORPHAN_GRACE_SECONDS)
        os._exit(1)

    def _receive(self, message: dict[str, Any]) -> None:
        if message["type"] == "stop":
            self._stop(message["training"], message["reason"])
        elif message["type"] == "answer":
            waiting = self._answers.get(message["question"])
            if waiting:
                waiting[1].append(message)
                waiting[0].set()


_channel: Channel | None = None


def open_channel(path: str, token: str) -> Channel:
    """Connect to Node; done once, by `hello`."""
    global _channel
    _channel = Channel(path, token)
    return _channel


def current() -> Channel:
    """The connection that `hello` made."""
    if _channel is None:
        raise RuntimeError("the first operation has to be hello")
    return _channel
