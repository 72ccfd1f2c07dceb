"""Ends the operation that is under way by KeyboardInterrupt, and never the one after it.

Operations are counted on both sides; whoever interrupts names the one that is meant, which may not have begun yet.
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
_meant: int | None = None  # number of the operation to end, until the signal that was sent for it has come


def listen() -> None:
    """Take SIGINT over from Python, whose own handler would end an idle process. Main thread only."""
    signal.signal(signal.SIGINT, _on_interrupt)


def interrupt(operation: int) -> None:
    """End an operation, from another thread; one that has ended is left alone, one that comes is ended as it begins."""
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
    meant = _meant  # None: somebody sent this SIGINT by hand
    if meant is not None and meant <= _current:
        _meant = None  # this was its signal: the next one is another's
    if _is_running and meant in (None, _current):
        raise KeyboardInterrupt
