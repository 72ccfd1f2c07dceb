"""The lock of a run: held by the process that writes it, released by the kernel however that process ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from bh_bridge.errors import RunLocked

LOCK_FILE = "run.lock"
# A Python whose Node has died ends within 1.2 s, and whoever lists runs holds a lock for microseconds: wait for both.
PATIENCE_SECONDS = 2.5
RETRY_SECONDS = 0.05


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names the process that has it."""
    path = directory / LOCK_FILE
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while not _try_lock(fd):
        if time.monotonic() >= give_up_at:
            holder = os.pread(fd, 32, 0).decode(errors="replace").strip()
            os.close(fd)
            raise RunLocked(
                f"{directory} is in use by process {holder or '(unknown)'}: wait for it, or stop it with Ctrl-C"
            )
        time.sleep(RETRY_SECONDS)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
