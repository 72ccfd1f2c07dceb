"""Ends a given operation by KeyboardInterrupt, and never the one after it.

Both sides count operations. An interrupt names its operation, which may not have started yet.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

_current = 0  # number of the newest operation
_is_running = False
_meant: int | None = None  # number of the operation to end, until its signal has arrived


def listen() -> None:
    """Replace Python's handler of SIGINT, which would end an idle process. Main thread only."""
    signal.signal(signal.SIGINT, _on_interrupt)


def interrupt(operation: int) -> None:
    """End an operation from another thread, or as soon as it starts; ignored if it has already ended."""
    global _meant
    _meant = operation
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # wakes the main thread from any wait


def interruptible(task: Callable[[], Result]) -> Result:
    """Run a task as the next operation."""
    global _current, _is_running
    try:
        _current += 1
        _is_running = True
        if _meant == _current:
            raise KeyboardInterrupt
        return task()
    finally:
        _is_running = False


def _on_interrupt(_signal: int, _frame: FrameType | None) -> None:
    global _meant
    meant = _meant  # None: SIGINT was sent by a user
    if meant is not None and meant <= _current:
        _meant = None  # the next signal is for another operation
    if _is_running and meant in (None, _current):
        raise KeyboardInterrupt
