"""Lets the kernel kill this process when Node ends, while no thread of it can."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager

from bh_bridge import NODE_PID

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@contextmanager
def ends_with_node() -> Generator[None]:
    """Be killed at once when Node ends. Does nothing on other systems than Linux.

    Loading PyTorch can hold the interpreter lock for seconds, so the thread that detects the end of Node cannot run.
    """
    end_with_parent()
    try:
        yield
    finally:
        _set_death_signal(0)


def end_with_parent() -> None:
    """Be killed from now on when the parent process ends. Linux only."""
    _set_death_signal(signal.SIGKILL)
    if os.getppid() != NODE_PID:  # it has already ended
        os._exit(1)


def _set_death_signal(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
