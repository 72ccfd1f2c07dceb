"""Locks of run directories. As a script, it requires only the standard library.

`python lock_holders.py MARKER HOW DIRECTORY…` reports which directories are locked, and by which process. HOW is `now`,
or `after-patience` to wait for holders that are about to end. It prints the marker and a JSON object on one line:
`holders`, a Holder by directory.

`python lock_holders.py MARKER hold NODE DIRECTORY` holds the lock of a directory for a Node process, which cannot lock
files itself, until stdin ends. It prints the Holder if another process has the lock.

On a shared file system, the kernel may know only the locks of its own machine. A holder therefore also writes its host
name and boot ID and a heartbeat (the modification time of the lock file). A lock with the heartbeat of another machine
is considered held.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import stat
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypedDict

LOCK_FILE = "run.lock"
PROBE_PATIENCE_SECONDS = 0.5  # listing runs holds a lock for microseconds
ORPHAN_PATIENCE_SECONDS = 30.0  # Python ends within 1.2 s of Node unless the machine is busy
RETRY_SECONDS = 0.05
NOTE_BYTES = 512  # two numbers, a host name of at most 255 bytes, a boot ID and a word
HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0  # six heartbeats; more than clocks of machines differ
HANDOVER_SECONDS = 1.0  # until writes of another machine are visible
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; other systems use only the host name
ENDED = "ended"


class Holder(TypedDict):
    """A process that writes a run."""

    pid: int  # 0 if unknown
    host: str | None  # None: this machine
    is_orphan: bool  # its Node has ended, so it is about to end


def take_lock(directory: str, pid: int, node_pid: int) -> int | Holder:
    """Take the lock of a directory and return its file descriptor, or return the current holder.

    The lock file contains the process ID of the writer and of its Node, the host name and the boot ID.
    """
    fd = _lock(directory)
    if not isinstance(fd, int):
        return fd
    note = f"{pid}\n{node_pid}\n{socket.gethostname()}\n{_boot_id()}\n"
    try:
        before = os.pread(fd, NOTE_BYTES, 0).decode(errors="replace")
        other = _elsewhere(fd, before)
        if other is not None:
            os.close(fd)
            return other
        _write_note(fd, note)
        if before != "" and not _is_of_this_kernel(before):
            # Two machines may take the same abandoned lock at once. The last writer has it.
            time.sleep(HANDOVER_SECONDS)
            now = os.pread(fd, NOTE_BYTES, 0).decode(errors="replace")
            if now != note:
                os.close(fd)
                return _holder(now)
    except BaseException:
        os.close(fd)
        raise
    threading.Thread(target=_beat, args=(fd, note), daemon=True).start()
    return fd


def release_lock(fd: int) -> None:
    """Release a lock of `take_lock`, and mark it as released for other machines."""
    try:
        note = os.pread(fd, NOTE_BYTES, 0)
        os.pwrite(fd, ENDED.encode() + b"\n", len(note))
    except OSError:
        pass  # the disk is full or missing; the heartbeat stops anyway
    os.close(fd)


def _lock(directory: str) -> int | Holder:
    fd = os.open(os.path.join(directory, LOCK_FILE), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        while not _try_lock(fd):
            holder = holder_after_patience(directory)
            if holder is not None:
                os.close(fd)
                return holder
    except BaseException:
        os.close(fd)
        raise
    return fd


def _write_note(fd: int, note: str) -> None:
    data = note.encode()
    os.ftruncate(fd, 0)
    written = 0
    while written < len(data):  # a single write can be cut short by a nearly full disk
        written += os.pwrite(fd, data[written:], written)


def _beat(fd: int, note: str) -> None:
    """Update the modification time of the lock file while the lock is held."""
    while True:
        time.sleep(HEARTBEAT_SECONDS)
        try:
            if os.pread(fd, NOTE_BYTES, 0) != note.encode():
                return  # it was released, and the descriptor may belong to another file
            os.utime(fd)
        except OSError:
            return


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def holder_of(directory: str) -> Holder | None:
    """The holder of a lock according to the kernel; None if it is free."""
    try:
        # Read-only, because a reader of the run may lack write permission.
        # Nonblocking, because opening a pipe in place of the file would wait for a writer.
        fd = os.open(os.path.join(directory, LOCK_FILE), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # no lock file: the run was never written
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None  # readers of the run report it
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(os.pread(fd, NOTE_BYTES, 0).decode(errors="replace"))
    else:
        return _elsewhere(fd, os.pread(fd, NOTE_BYTES, 0).decode(errors="replace"))
    finally:
        os.close(fd)


def holder_after_patience(directory: str) -> Holder | None:
    """As `holder_of`, but wait for a holder that is about to release the lock."""
    began_at = time.monotonic()
    while (holder := holder_of(directory)) is not None:
        patience = ORPHAN_PATIENCE_SECONDS if holder["is_orphan"] else PROBE_PATIENCE_SECONDS
        if time.monotonic() - began_at >= patience:
            return holder
        time.sleep(RETRY_SECONDS)
    return None


def _elsewhere(fd: int, note: str) -> Holder | None:
    """The holder on another machine of a lock that is free according to this kernel; None without a heartbeat."""
    lines = note.split("\n")
    if len(lines) < 5 or ENDED in lines[4:] or _is_of_this_kernel(note):  # fewer lines: a version without heartbeats
        return None
    return _holder(note) if time.time() - os.fstat(fd).st_mtime < SILENT_SECONDS else None


def _is_here(note: str) -> bool:
    """Whether the process IDs of a note are visible here; those of other containers are not."""
    return _is_of_this_kernel(note) and (*note.split("\n"), "", "", "")[2] in ("", socket.gethostname())


def _is_of_this_kernel(note: str) -> bool:
    """Whether this kernel knows the locks of the writer of a note. Boot IDs are unique, host names may not be."""
    host, boot = (*note.split("\n"), "", "", "", "")[2:4]
    own = _boot_id()
    return boot == own if boot and own else host in ("", socket.gethostname())


def _boot_id() -> str:
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""


def _holder(note: str) -> Holder:
    pid, node, host = (*note.split("\n"), "", "", "")[:3]
    is_here = _is_here(note)
    return {
        "pid": int(pid) if pid.isdigit() else 0,
        "host": None if is_here else host,
        # Process IDs are only valid on their own machine.
        "is_orphan": is_here and node.isdigit() and not _is_alive(int(node)),
    }


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def hold(marker: str, node_pid: int, directory: str) -> None:
    """Hold the lock of a directory for Node until it ends or closes our stdin."""
    taken = take_lock(directory, node_pid, node_pid)
    print(marker + json.dumps({"holders": {} if isinstance(taken, int) else {directory: taken}}), flush=True)
    if isinstance(taken, int):
        sys.stdin.read()
        release_lock(taken)


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names another holder."""
    from bh_bridge import NODE_PID
    from bh_bridge.errors import RunLocked

    taken = take_lock(str(directory), os.getpid(), NODE_PID)
    if isinstance(taken, int):
        return taken
    raise RunLocked(f"{directory} is in use by {_name(taken)}: wait for it, or stop it with Ctrl-C")


def _name(holder: Holder) -> str:
    process = f"process {holder['pid']}" if holder["pid"] else "another process"
    return process if holder["host"] is None else f"{process} on {holder['host']}"


def main() -> None:
    marker, how, *directories = sys.argv[1:]
    if how == "hold":
        hold(marker, int(directories[0]), directories[1])
        return
    ask: Callable[[str], Holder | None] = holder_of if how == "now" else holder_after_patience
    holders = {directory: ask(directory) for directory in directories}
    locked = {directory: holder for directory, holder in holders.items() if holder is not None}
    print(marker + json.dumps({"holders": locked}))


if __name__ == "__main__":
    main()
