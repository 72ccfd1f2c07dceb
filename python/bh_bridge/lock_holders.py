"""Script: which of these run directories are locked, and by which process. Needs nothing but the standard library.

Run as `python lock_holders.py MARKER DIRECTORY…`; prints one line, the marker and a JSON object: `holders`, directory
to process id, 0 where the holder did not leave one.
"""

import fcntl
import json
import os
import sys


def holder_of(directory: str) -> "int | None":
    """Process id of the holder of a run's lock; None when nobody holds it. The kernel knows: a file cannot."""
    try:
        fd = os.open(os.path.join(directory, "run.lock"), os.O_RDWR)
    except OSError:  # no lock file: nothing was ever written there
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).decode(errors="replace").strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(fd)
    return None


def main() -> None:
    marker, *directories = sys.argv[1:]
    holders = {directory: holder_of(directory) for directory in directories}
    locked = {directory: holder for directory, holder in holders.items() if holder is not None}
    print(marker + json.dumps({"holders": locked}))


main()
