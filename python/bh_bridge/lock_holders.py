"""Which of these run directories are locked, and by which process. Needs nothing but the standard library.

Run as `python lock_holders.py MARKER DIRECTORY…`; prints one line, the marker and a JSON object: `holders`, directory
to `pid` (0 where the holder did not leave it) and `is_orphan`: the Node that started it is gone, so it is about to end.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from typing import TypedDict


class Holder(TypedDict):
    """A process that writes a run."""

    pid: int
    is_orphan: bool


def holder_of(directory: str) -> Holder | None:
    """The holder of a run's lock; None when nobody holds it. The kernel is asked: a file can be out of date."""
    try:
        fd = os.open(os.path.join(directory, "run.lock"), os.O_RDWR)
    except OSError:  # no lock file: nothing was ever written there
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        numbers = [int(line) for line in os.pread(fd, 64, 0).decode(errors="replace").split() if line.isdigit()]
        pid, node = (*numbers, 0, 0)[:2]
        return {"pid": pid, "is_orphan": node > 0 and not _is_alive(node)}
    finally:
        os.close(fd)
    return None


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def main() -> None:
    marker, *directories = sys.argv[1:]
    holders = {directory: holder_of(directory) for directory in directories}
    locked = {directory: holder for directory, holder in holders.items() if holder is not None}
    print(marker + json.dumps({"holders": locked}))


if __name__ == "__main__":
    main()
