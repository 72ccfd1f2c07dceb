"""What SIGINT does: it ends the operation that is under way, and nothing when there is none."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType
from typing import TypeVar

Result = TypeVar("Result")

_is_running = False


def listen() -> None:
    """Take SIGINT over from Python, whose own handler would end an idle process. Main thread only."""
    signal.signal(signal.SIGINT, _on_interrupt)


def interruptible(task: Callable[[], Result]) -> Result:
    """Run a task that SIGINT ends with KeyboardInterrupt."""
    global _is_running
    try:
        _is_running = True
        return task()
    finally:
        _is_running = False


def _on_interrupt(_signal: int, _frame: FrameType | None) -> None:
    # A signal that was meant for a call which has just ended must not hit the next one, nor the wait between them.
    if _is_running:
        raise KeyboardInterrupt
