"""Lets this process end with Node by the kernel's hand, where no thread of ours could see to it."""

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
    """Be killed at once when Node dies, while there is nothing to finish. Linux only; elsewhere nothing happens.

    Loading PyTorch holds the interpreter's lock for seconds on a busy machine, in which the thread that reads Node's
    end of file does not run.
    """
    end_with_parent()
    try:
        yield
    finally:
        _set_death_signal(0)


def end_with_parent() -> None:
    """Be killed when the process that started this one dies, from now on. Linux only."""
    _set_death_signal(signal.SIGKILL)
    if os.getppid() != NODE_PID:  # it has died before
        os._exit(1)


def _set_death_signal(number: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
