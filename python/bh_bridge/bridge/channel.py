"""The event channel: sends events to Node in batches and receives commands while the main thread trains."""

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

BATCH_SECONDS = 0.05  # maximum delay of a step; 20 wake-ups per second cost nothing
BATCH_LINES = 256
MAX_LINES_A_SEND = 4096
BACKLOG_LINES = 65_536  # about 10 MB; beyond it, steps are dropped for a slow reader
ORPHAN_GRACE_SECONDS = 1.0  # to finish a step and commit after Node has ended; two seconds are promised


@dataclass
class _Question:
    training: int
    answered: threading.Event = field(default_factory=threading.Event)
    control: Decision | None = None


class Channel:
    """One connection to Node over a Unix socket; newline-delimited JSON both ways.

    One thread sends queued lines, another reads. End of file means that Node has ended: every training is stopped, and
    the process exits after a grace period, whatever the main thread is doing.
    """

    def __init__(self, path: str, token: str) -> None:
        self.lines_sent = 0  # Node waits for this many before it considers a call finished
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
        """Why a training must stop after its current step; None if it may continue."""
        return self._all_stopped or self._stopped.get(training)

    def take_save(self, training: int) -> bool:
        """Whether Node has requested a checkpoint of a training since the last call."""
        is_asked = training in self._saves
        self._saves.discard(training)
        return is_asked

    def name_training(self, training: int) -> None:
        """Name the training in its questions, because several run at the same time."""
        self._named.add(training)

    def send(self, line: str, droppable: bool = False) -> None:
        """Queue one line. While the reader is too slow, `droppable` lines (steps) are dropped; others never are."""
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
        """Send a question and wait for the answer; None if it does not arrive in time.

        If the training is stopped, the answer is an empty decision.
        """
        self._next_question += 1
        question = self._questions[self._next_question] = _Question(training)
        if self.stop_reason(training) is None:  # a later stop answers the question
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
                # Not all at once, because lines in a blocked send no longer count as backlog.
                lines = [self._backlog.popleft() for _ in range(min(len(self._backlog), MAX_LINES_A_SEND))]
                self._urgent = self._urgent and bool(self._backlog)
            try:
                self._socket.sendall(("\n".join(lines) + "\n").encode())
            except OSError:  # Node closed the connection; the read loop ends the process
                return

    def _read_loop(self) -> None:
        try:
            with self._socket.makefile("r", encoding="utf-8") as reader:
                for line in reader:
                    self._receive(json.loads(line))
        except (OSError, ValueError, ProtocolInvalid):  # treat a broken connection as a closed one
            pass
        self._stop_all("orphaned")
        ends_at = time.monotonic() + ORPHAN_GRACE_SECONDS
        self._clean_up()  # counts towards the grace period, as a busy disk can be slow
        threading.Event().wait(max(0.0, ends_at - time.monotonic()))
        leave()

    def _at_exit(self) -> None:
        """Exit at once if Node has ended: an orderly shutdown of PyTorch can take seconds."""
        if self._clean_up():
            leave()

    def _clean_up(self) -> bool:
        """Return whether Node has ended. If so, remove its session folder."""
        try:
            is_gone = not self._socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except ConnectionError:  # it ended with unread data
            is_gone = True
        except OSError:  # usually BlockingIOError: nothing to read, so Node is alive
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
                if question:  # None if the answer came too late
                    question.control = message["control"]
                    question.answered.set()

    def _stop_all(self, reason: str) -> None:
        self._all_stopped = reason
        self._answer_stopped()

    def _answer_stopped(self) -> None:
        """Answer the questions of stopped trainings, whose deciders may never answer."""
        for question in list(self._questions.values()):
            if self.stop_reason(question.training) is not None:
                question.control = question.control or {}
                question.answered.set()


def leave() -> None:
    """Kill this process and the workers that it started."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)


_channel: Channel | None = None


def open_channel(path: str, token: str) -> Channel:
    """Connect to Node; called once, by `hello`."""
    global _channel
    _channel = Channel(path, token)
    return _channel


def current() -> Channel:
    """The connection opened by `hello`."""
    if _channel is None:
        raise RuntimeError("the first operation must be hello")
    return _channel


def lines_sent() -> int:
    """Number of lines queued for Node since the connection was opened."""
    return 0 if _channel is None else _channel.lines_sent
