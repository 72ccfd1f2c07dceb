"""Which of these run directories are locked, and by which process. Needs nothing but the standard library.

Run as `python lock_holders.py MARKER HOW DIRECTORY…`; HOW is `now`, or `after-patience` to give a holder that is about
to end the time that this takes. Prints one line, the marker and a JSON object: `holders`, directory to Holder.

On a file system that several machines share, a lock may be known to the kernel of its own machine alone. So a holder
also leaves its machine (name and boot) and a heartbeat, the time of the lock file's last change. A lock that the kernel
here says is free is held all the same when another machine left its name and its heart still beats.

As `python lock_holders.py MARKER hold NODE DIRECTORY` it takes the lock of one directory for a Node process, which the
kernel lets no Node take itself, prints who has it instead, or nobody, and keeps it until its stdin ends.
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
PROBE_PATIENCE_SECONDS = 0.5  # whoever lists runs holds a lock for microseconds
ORPHAN_PATIENCE_SECONDS = 30.0  # a Python whose Node has died ends by itself, within 1.2 s unless the machine is busy
RETRY_SECONDS = 0.05
NOTE_BYTES = 512  # two numbers, a host name, which has 255 bytes at most, the identity of a boot, and a word
HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 60.0  # clocks of machines that share files differ by less, and a busy machine still beats six times
HANDOVER_SECONDS = 1.0  # what another machine has written by then is seen
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux; elsewhere the name of a machine has to do
ENDED = "ended"


class Holder(TypedDict):
    """A process that writes a run."""

    pid: int  # 0 where it did not leave its number
    host: str | None  # None: this machine
    is_orphan: bool  # the Node that started it is gone, so it is about to end


def take_lock(directory: str, pid: int, node_pid: int) -> int | Holder:
    """Take the lock of a directory and return its file descriptor, or who holds it and does not let go.

    What is left in the file: the process that writes here, its Node, the machine that they are on, and its boot.
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
            # Two machines may find the same silent lock at once: whoever wrote last has it.
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
    """Let go of a lock that `take_lock` gave, and say so to other machines."""
    try:
        note = os.pread(fd, NOTE_BYTES, 0)
        os.pwrite(fd, ENDED.encode() + b"\n", len(note))
    except OSError:
        pass  # the file system has no room, or is gone: the heart stops beating
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
    while written < len(data):  # a disk that is nearly full can cut a single write short
        written += os.pwrite(fd, data[written:], written)


def _beat(fd: int, note: str) -> None:
    """Change the time of the lock file again and again, for as long as the lock is ours."""
    while True:
        time.sleep(HEARTBEAT_SECONDS)
        try:
            if os.pread(fd, NOTE_BYTES, 0) != note.encode():
                return  # it was released, and this number may be another file's by now
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
    """The holder of a run's lock; None when nobody holds it. The kernel is asked: a file can be out of date."""
    try:
        # To read only: whoever looks at a run on a share may not be allowed to write there.
        # Nonblocking: opening a pipe in the place of the file would wait for a writer.
        fd = os.open(os.path.join(directory, LOCK_FILE), os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:  # no lock file: nothing was ever written there
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None  # nobody writes there; the readers of the run report what is in its place
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(os.pread(fd, NOTE_BYTES, 0).decode(errors="replace"))
    else:
        return _elsewhere(fd, os.pread(fd, NOTE_BYTES, 0).decode(errors="replace"))
    finally:
        os.close(fd)


def holder_after_patience(directory: str) -> Holder | None:
    """As `holder_of`, but a holder that is about to let go is given the time that this takes."""
    began_at = time.monotonic()
    while (holder := holder_of(directory)) is not None:
        patience = ORPHAN_PATIENCE_SECONDS if holder["is_orphan"] else PROBE_PATIENCE_SECONDS
        if time.monotonic() - began_at >= patience:
            return holder
        time.sleep(RETRY_SECONDS)
    return None


def _elsewhere(fd: int, note: str) -> Holder | None:
    """Who holds a lock that is free for all that the kernel here knows: another machine whose heart beats."""
    lines = note.split("\n")
    if len(lines) < 5 or ENDED in lines[4:] or _is_of_this_kernel(note):  # fewer: of a version without a heart
        return None
    return _holder(note) if time.time() - os.fstat(fd).st_mtime < SILENT_SECONDS else None


def _is_here(note: str) -> bool:
    """Whether the numbers of a note are of processes that can be seen here: not those of another container either."""
    return _is_of_this_kernel(note) and (*note.split("\n"), "", "", "")[2] in ("", socket.gethostname())


def _is_of_this_kernel(note: str) -> bool:
    """Whether a lock of whoever left this note would be known here: machines may share a name, but never a boot."""
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
        # The number of a process means something on its own machine alone.
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
    """Keep the lock of a directory for Node until it closes our stdin, which its death does too."""
    taken = take_lock(directory, node_pid, node_pid)
    print(marker + json.dumps({"holders": {} if isinstance(taken, int) else {directory: taken}}), flush=True)
    if isinstance(taken, int):
        sys.stdin.read()
        release_lock(taken)


def hold_lock(directory: Path) -> int:
    """Take the lock of a run and return its file descriptor; RunLocked names the process that has it."""
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
