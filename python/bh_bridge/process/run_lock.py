"""The lock of a run: held by the process that writes it, released by the kernel however that process ends."""

from __future__ import annotations

import os
from pathlib import Path

from bh_bridge import NODE_PID
from bh_bridge.errors import RunLocked
from bh_bridge.process.lock_holders import Holder, take_lock


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names the process that has it."""
    taken = take_lock(str(directory), os.getpid(), NODE_PID)
    if isinstance(taken, int):
        return taken
    raise RunLocked(f"{directory} is in use by {_name(taken)}: wait for it, or stop it with Ctrl-C")


def _name(holder: Holder) -> str:
    process = f"process {holder['pid']}" if holder["pid"] else "another process"
    return process if holder["host"] is None else f"{process} on {holder['host']}"
