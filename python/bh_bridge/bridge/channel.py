"""The side channel: events to Node in batches, commands and decisions back, while the main thread trains."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from bh_bridge.bridge.messages import Command, Decision
from bh_bridge.bridge.protocol import check_command
from bh_bridge.errors import ProtocolInvalid
from bh_bridge.process import interrupts

BATCH_SECONDS = 0.05  # an observer sees a step at most this late; 20 wake-ups a second cost nothing
BATCH_LINES = 256
MAX_LINES_A_SEND = 4096
BACKLOG_LINES = 65_536  # about 10 MB of lines: past this a reader that does not keep up gets steps coalesced
ORPHAN_GRACE_SECONDS = 1.0  # Node is gone: time to finish a step and commit, well under the promised two seconds


@dataclass
class _Question:
    training: int
    answered: threading.Event = field(default_factory=threading.Event)
    control: Decision | None = None


class Channel:
    """One connection to Node over a Unix socket; newline-delimited JSON both ways.

    A thread sends what is queued, another reads. End of file means that Node has died: every training is stopped, and
    the process ends after a grace period whatever the main thread is doing.
    """

    def __init__(self, path: str, token: str) -> None:
        self.lines_sent = 0  # Node waits for as many before it takes a call for ended
        self.folder = os.path.dirname(path)  # private to this session
        self._stopped: dict[int, str] = {}
        self._all_stopped: str | None = None
        self._saves: set[int] = set()
        self._named: set[int] = set()
        self._ready = threading.Condition()
        self._backlog: deque[str] = deque()
        self._coalesced = 0
        self._urgent = False
        self._questions: dict[int, _Question] = {}
        self._next_question = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._socket.sendall(token.encode() + b"\n")
        atexit.register(self._at_exit)
        threading.Thread(target=self._send_loop, name="bh-bridge-send", daemon=True).start()
        threading.Thread(target=self._read_loop, name="bh-bridge-read", daemon=True).start()

    def stop_reason(self, training: int) -> str | None:
        """Why the training of this number is to end after its current step; None while it may go on."""
        return self._all_stopped or self._stopped.get(training)

    def take_save(self, training: int) -> bool:
        """Whether Node has asked for a checkpoint of this training since the last call."""
        is_asked = training in self._saves
        self._saves.discard(training)
        return is_asked

    def name_training(self, training: int) -> None:
        """Say of its questions which training they are of: there are several at once."""
        self._named.add(training)

    def send(self, line: str, droppable: bool = False) -> None:
        """Queue one line. `droppable` lines (steps) are left out while the reader lags; the others never are."""
        with self._ready:
            if droppable and len(self._backlog) >= BACKLOG_LINES:
                self._coalesced += 1
                return
            if self._coalesced:
                self._append(json.dumps({"type": "coalesced", "events": self._coalesced}))
                self._coalesced = 0
            self._append(line)
            self._urgent |= not droppable
            if self._urgent or len(self._backlog) in (1, BATCH_LINES):
                self._ready.notify()

    def ask(self, training: int, message: Mapping[str, object], timeout_seconds: float) -> Decision | None:
        """Send a question and wait for its answer; None when none came in time.

        A stop of the training answers with no decision, and a training that was told to stop asks nobody any more.
        """
        self._next_question += 1
        question = self._questions[self._next_question] = _Question(training)
        if self.stop_reason(training) is None:  # a stop that comes from here on finds the question, and answers it
            named = {"training": training} if training in self._named else {}
            self.send(json.dumps({**message, "question": self._next_question, **named}))
            question.answered.wait(timeout_seconds)
        else:
            question.control = {}
        del self._questions[self._next_question]
        return question.control

    def _append(self, line: str) -> None:
        self._backlog.append(line)
        self.lines_sent += 1

    def _send_loop(self) -> None:
        while True:
            with self._ready:
                self._ready.wait_for(lambda: self._backlog)
                self._ready.wait_for(lambda: self._urgent or len(self._backlog) >= BATCH_LINES, BATCH_SECONDS)
                # Not all at once: what waits in a blocked send is no longer in the backlog, and would not count.
                lines = [self._backlog.popleft() for _ in range(min(len(self._backlog), MAX_LINES_A_SEND))]
                self._urgent = self._urgent and bool(self._backlog)
            try:
                self._socket.sendall(("\n".join(lines) + "\n").encode())
            except OSError:  # Node closed its end: the read loop sees the same and ends the process
                return

    def _read_loop(self) -> None:
        try:
            with self._socket.makefile("r", encoding="utf-8") as reader:
                for line in reader:
                    self._receive(json.loads(line))
        except (OSError, ValueError, ProtocolInvalid):  # a broken connection is the same as a closed one
            pass
        self._stop_all("orphaned")
        ends_at = time.monotonic() + ORPHAN_GRACE_SECONDS
        self._clean_up()  # within the time of grace: a busy disk may take its share of it
        threading.Event().wait(max(0.0, ends_at - time.monotonic()))
        leave()

    def _at_exit(self) -> None:
        """Leave at once where Node is gone: to take PyTorch down in order takes seconds on a busy machine."""
        if self._clean_up():
            leave()

    def _clean_up(self) -> bool:
        """Remove the session's folder where Node, which made it, can no longer do so; whether that is so."""
        try:
            is_gone = not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except ConnectionError:  # it left something unread
            is_gone = True
        except OSError:  # BlockingIOError, mostly: nothing to read, so that Node lives
            is_gone = False
        if is_gone:
            shutil.rmtree(self.folder, ignore_errors=True)
        return is_gone

    def _receive(self, message: Command) -> None:
        check_command(message)
        match message["type"]:
            case "stop":
                self._stopped.setdefault(message["training"], message["reason"])
                self._answer_stopped()
            case "save":
                self._saves.add(message["training"])
            case "leave":
                self._stop_all("closed")
            case "interrupt":
                interrupts.interrupt(message["call"])
            case _:
                question = self._questions.get(message["question"])
                if question:  # else it came too late
                    question.control = message["control"]
                    question.answered.set()

    def _stop_all(self, reason: str) -> None:
        self._all_stopped = reason
        self._answer_stopped()

    def _answer_stopped(self) -> None:
        """Let a training that was told to stop go on from a question whose decider may never answer."""
        for question in list(self._questions.values()):
            if self.stop_reason(question.training) is not None:
                question.control = question.control or {}
                question.answered.set()


def leave() -> None:
    """End this process and the workers that it started, at once: nobody is left to wait for."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


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


def lines_sent() -> int:
    """How many lines have been queued for Node since the connection was made."""
    return 0 if _channel is None else _channel.lines_sent
