"""The lock of a run: held by the process that writes it, released by the kernel however that process ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bh_bridge import NODE_PID
from bh_bridge.errors import RunLocked
from bh_bridge.lock_holders import LOCK_FILE, Holder, holder_after_patience, note_of_holder


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names the process that has it."""
    path = directory / LOCK_FILE
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        while not _try_lock(fd):
            holder = holder_after_patience(str(directory))
            if holder is not None:
                raise RunLocked(f"{directory} is in use by {_name(holder)}: wait for it, or stop it with Ctrl-C")
        os.ftruncate(fd, 0)
        os.pwrite(fd, note_of_holder(NODE_PID), 0)
    except BaseException:
        os.close(fd)
        raise
    return fd


def _name(holder: Holder) -> str:
    process = f"process {holder['pid']}" if holder["pid"] else "another process"
    return process if holder["host"] is None else f"{process} on {holder['host']}"


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
