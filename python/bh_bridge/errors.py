"""Errors that TypeScript reports as a BhBridgeError with the same code."""

from __future__ import annotations

import traceback

from bh_bridge.bridge.messages import PythonError


class BridgeError(Exception):
    """An error that TypeScript reports with `code` and its message, without a traceback."""

    code = "PYTHON_RAISED"


class DependencyUnfit(BridgeError):
    """An installed package lacks a part that bh-bridge uses."""

    code = "PYTHON_DEPENDENCY_MISSING"


class ProtocolInvalid(BridgeError):
    code = "PROTOCOL_INVALID"


class DeviceUnavailable(BridgeError):
    code = "DEVICE_UNAVAILABLE"


class HandleStale(BridgeError):
    code = "HANDLE_STALE"


class CorpusInvalid(BridgeError):
    code = "CORPUS_INVALID"


class TensorNotFound(BridgeError):
    code = "TENSOR_NOT_FOUND"


class ConfigInvalid(BridgeError):
    code = "CONFIG_INVALID"


class RankEnded(BridgeError):
    """A process of a training ended too early."""

    code = "PEER_EXITED"


class RunLocked(BridgeError):
    code = "RUN_LOCKED"


class RunCorrupt(BridgeError):
    code = "RUN_CORRUPT"


class DiskFull(BridgeError):
    code = "DISK_FULL"


class ResumeMismatch(BridgeError):
    code = "RESUME_MISMATCH"


class ResumeDiverged(BridgeError):
    code = "RESUME_DIVERGED"


def describe(error: BaseException) -> PythonError:
    """Describe an exception for TypeScript."""
    kind = type(error)
    return {
        "type": kind.__qualname__,
        "module": kind.__module__,
        "message": str(error),
        "code": error.code if isinstance(error, BridgeError) else None,
        "mro": [base.__qualname__ for base in kind.__mro__],
        "traceback": "".join(traceback.format_exception(error)),
    }
