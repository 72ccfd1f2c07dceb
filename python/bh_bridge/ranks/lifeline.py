"""Ends a process of a training when rank 0 has ended, whatever it is doing."""

from __future__ import annotations

import os
import threading

from bh_bridge.process.parent_death import end_with_parent


def hold_on_to(lifeline: str) -> None:
    """End this process at once when the writer of a FIFO is gone, and, on Linux, when its own parent is.

    PyTorch's import holds the interpreter's lock for seconds, in which only the kernel can end a process.
    """
    end_with_parent()
    try:
        fd = os.open(lifeline, os.O_RDONLY | os.O_NONBLOCK)  # else it would wait for a writer that has died before
    except OSError:
        os._exit(1)
    os.set_blocking(fd, True)
    threading.Thread(target=_await_end, args=(fd,), name="bh-bridge-lifeline", daemon=True).start()


def _await_end(fd: int) -> None:
    while os.read(fd, 1):
        pass
    os._exit(1)
