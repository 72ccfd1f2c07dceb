"""Turns failed system calls into errors that say what to do."""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Generator
from pathlib import Path

from safetensors import SafetensorError

from bh_bridge.errors import BridgeError, DiskFull

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNWRITABLE = {
    errno.EACCES: "it may not be written to",
    errno.EPERM: "it may not be written to",
    errno.EROFS: "the file system is read-only",
    errno.ENOENT: "it is gone",
    errno.ENOTDIR: "a part of the path is a file",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ESTALE: "it no longer exists on the server",
    errno.EMFILE: "too many files are open: allow more with ulimit -n",
}
_UNREADABLE = {
    **_UNWRITABLE,
    errno.EACCES: "it may not be read",
    errno.EPERM: "it may not be read",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "it is a folder",
}


class IoFailed(BridgeError):
    code = "IO_FAILED"


class FileUnwritable(BridgeError):
    code = "FILE_UNWRITABLE"


class FileUnreadable(BridgeError):
    code = "FILE_UNREADABLE"


@contextlib.contextmanager
def storage_errors(run_directory: Path) -> Generator[None]:
    """Turn system errors into BridgeErrors. The run on disk stays as it was last committed."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        number = _error_number(error)
        if number is None:
            raise
        raise _describe(number, error, run_directory) from error


def _error_number(error: OSError | SafetensorError) -> int | None:
    """The errno of a failed call; safetensors, which writes in Rust, reports it only in its message."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found.group(1)) if found else None


def _describe(number: int, error: Exception, directory: Path) -> BridgeError:
    name = getattr(error, "filename", None) or directory
    # Only files of the run are written. A failure elsewhere (a corpus, a checkpoint to start from) is a failed read.
    if number in _UNREADABLE and isinstance(name, str) and not Path(name).is_relative_to(directory):
        return FileUnreadable(f"cannot read {name}: {_UNREADABLE[number]}. The run is {directory}")
    if number in _FULL:
        return DiskFull(
            f"the disk is full: {name} could not be written ({error}). Committed steps are safe: free some space, "
            f"then run: bh-bridge resume {directory}"
        )
    if number in _UNWRITABLE:
        return FileUnwritable(f"cannot write {name}: {_UNWRITABLE[number]}. The run is {directory}")
    return IoFailed(
        f"{name} failed with an input/output error ({error}). Committed steps are safe: check the disk, "
        f"then run: bh-bridge resume {directory}"
    )
