"""Errors whose names TypeScript knows: each becomes the BhBridgeError with the code beside it."""

from __future__ import annotations


class BridgeError(Exception):
    """An error that TypeScript reports under `code`, with this message and no traceback."""

    code = "PYTHON_RAISED"


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
    """A process of a training ended before the training did."""

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
