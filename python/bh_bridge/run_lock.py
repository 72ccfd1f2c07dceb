"""The lock of a run: held by the process that writes it, released by the kernel however that process ends."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from bh_bridge import NODE_PID
from bh_bridge.errors import RunLocked
from bh_bridge.lock_holders import holder_of

LOCK_FILE = "run.lock"
PROBE_PATIENCE_SECONDS = 0.5  # whoever lists runs holds a lock for microseconds
ORPHAN_PATIENCE_SECONDS = 30.0  # a Python whose Node has died ends by itself, within 1.2 s unless the machine is busy
RETRY_SECONDS = 0.05


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names the process that has it."""
    path = directory / LOCK_FILE
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    began_at = time.monotonic()
    while not _try_lock(fd):
        holder = holder_of(str(directory))
        patience = ORPHAN_PATIENCE_SECONDS if holder and holder["is_orphan"] else PROBE_PATIENCE_SECONDS
        if time.monotonic() - began_at >= patience:
            os.close(fd)
            name = f"process {holder['pid']}" if holder and holder["pid"] else "another process"
            raise RunLocked(f"{directory} is in use by {name}: wait for it, or stop it with Ctrl-C")
        time.sleep(RETRY_SECONDS)
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n{NODE_PID}\n".encode(), 0)
    return fd


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
