"""Files that are complete or absent after a crash, on Linux and macOS."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path

from bh_bridge.errors import DiskFull

# macOS answers fsync before the drive has written; F_FULLFSYNC waits for the drive.
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def sync(fd: int) -> None:
    """Return when the data written to an open file has reached the drive."""
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
def replace_directory(target: Path, tag: str = "") -> Generator[Path]:
    """Yield a temporary sibling directory; on success sync it and replace `target` with it, otherwise remove it.

    The parent must exist, so that a checkpoint does not recreate a deleted run directory. Leftovers of a dead process
    are removed; outside of runs, `tag` makes the temporary names unique.
    """
    temporary = target.with_name(f".{target.name}{tag}.partial")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        yield temporary
        sync_tree(temporary)
        if target.exists():
            # A directory cannot be renamed over another. `remove_leftovers` restores the old one after a crash between
            # the two renames, and both renames are durable before the old one is deleted.
            old = target.with_name(f".{target.name}{tag}.old")
            shutil.rmtree(old, ignore_errors=True)
            target.rename(old)
            temporary.rename(target)
            sync_directory(target.parent)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(target)
        sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def remove_directory(target: Path) -> None:
    """Remove a directory so that after a crash it is complete or absent under its name."""
    doomed = target.with_name(f".{target.name}.removed")
    shutil.rmtree(doomed, ignore_errors=True)
    target.rename(doomed)
    sync_directory(target.parent)
    shutil.rmtree(doomed, ignore_errors=True)


def remove_leftovers(directory: Path, names: str) -> None:
    """Remove what a dead process left behind for names that match this pattern.

    `.NAME.old` becomes NAME again if NAME is missing, because the process died before it replaced it. Otherwise it is
    removed, as are `.NAME.partial` and `.NAME.removed`.
    """
    leftover = re.compile(rf"\.({names})\.(partial|old|removed)")
    for path in directory.iterdir():
        match = leftover.fullmatch(path.name)
        if match is None:
            continue
        target = directory / match[1]
        if path.suffix == ".old" and path.is_dir() and not os.path.lexists(target):
            path.rename(target)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def share_tensors(directory: Path) -> None:
    """Make the safetensors files of a new directory follow the umask.

    safetensors creates them readable by their owner only. The mode of the directory shows the umask.
    """
    mode = directory.stat().st_mode & 0o666
    for path in directory.glob("*.safetensors"):
        path.chmod(mode)


def write_all(fd: int, data: bytes, offset: int) -> None:
    """Write all of `data` at an offset; a signal or a quota can cut a single write short."""
    written = os.pwrite(fd, data, offset)
    while written < len(data):
        written += os.pwrite(fd, data[written:], offset + written)


def free_bytes(directory: Path) -> int:
    """Bytes that this user can still write to the file system of a directory."""
    return shutil.disk_usage(directory).free


def reserve(fd: int, size: int, path: Path) -> None:
    """Make an open file `size` bytes long and reserve its disk space; DiskFull names the missing bytes."""
    free = free_bytes(path.parent) + os.fstat(fd).st_blocks * 512
    if size > free:
        raise DiskFull(
            f"{path} needs {size:,} bytes but the disk has {free:,} left: free {size - free:,} bytes, "
            "or record less (record.every, record.rows)"
        )
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(fd, 0, size)
        except OSError as error:
            raise DiskFull(f"{size:,} bytes for {path} could not be reserved: {error.strerror}") from error
    os.ftruncate(fd, size)  # where posix_fallocate is missing (macOS), and to cut a longer file
