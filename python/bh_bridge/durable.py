"""Files that are whole or absent after a crash, on Linux and macOS."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Generator
from pathlib import Path

from bh_bridge.errors import DiskFull

# macOS answers fsync before the drive has written; F_FULLFSYNC waits for the drive.
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def sync(fd: int) -> None:
    """Return when what was written to the open file has reached the drive."""
    if _FULL_SYNC is not None:
        fcntl.fcntl(fd, _FULL_SYNC)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def sync_directory(directory: Path) -> None:
    """Return when the names in a directory (a rename, a new file) have reached the drive."""
    fd = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def sync_tree(directory: Path) -> None:
    """Sync every file below a directory, then the directories themselves."""
    for folder, _, files in os.walk(directory, topdown=False):
        for name in files:
            fd = os.open(Path(folder, name), os.O_RDONLY)
            try:
                sync(fd)
            finally:
                os.close(fd)
        sync_directory(Path(folder))


@contextlib.contextmanager
def replace_directory(target: Path) -> Generator[Path]:
    """Give a temporary sibling to fill; on success sync it and put it in the place of `target`, else remove it."""
    temporary = target.with_name(f".{target.name}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        sync_tree(temporary)
        if (
            target.exists()
        ):  # a directory cannot be renamed over another: the old one goes first, and is whole until then
            old = target.with_name(f".{target.name}.old")
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            temporary.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(target)
        sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def reserve(fd: int, size: int, path: Path) -> None:
    """Make an open file `size` bytes long with its disk space reserved; DiskFull says how many bytes are missing."""
    free = shutil.disk_usage(path.parent).free + os.fstat(fd).st_blocks * 512
    if size > free:
        raise DiskFull(
            f"{path} needs {size:,} bytes and the disk has {free:,} left: free {size - free:,} bytes, "
            "or record less (record.every, record.rows)"
        )
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError as error:
            raise DiskFull(f"{size:,} bytes for {path} could not be reserved: {error.strerror}") from error
    os.ftruncate(fd, size)  # where posix_fallocate is missing (macOS), and to cut a longer file
