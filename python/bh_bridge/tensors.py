"""Tensors: the names of their dtypes, and equality bit by bit.

Both languages use the dtype names of safetensors.
"""

from __future__ import annotations

import torch

from bh_bridge.errors import DeviceUnavailable

DTYPES = {
    "BF16": torch.bfloat16,
    "F16": torch.float16,
    "F32": torch.float32,
    "F64": torch.float64,
    "I64": torch.int64,
    "I32": torch.int32,
    "BOOL": torch.bool,
    "U8": torch.uint8,
}
DTYPE_NAMES = {dtype: name for name, dtype in DTYPES.items()}

INTEGERS = {1: torch.int8, 2: torch.int16, 4: torch.int32, 8: torch.int64}  # by bytes of an element


def same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Equal in every bit: neither is −0 equal to 0, nor is a NaN unlike itself."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    integers = INTEGERS[one.element_size()]
    return torch.equal(one.contiguous().view(integers), other.contiguous().view(integers))


def resolve_device(device: str) -> str:
    """cpu, cuda or mps for a device as the configuration spells it; DeviceUnavailable when it is not there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    kind = device.partition(":")[0]
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        there = [name for name, found in (("cuda", cuda), ("mps", mps), ("cpu", True)) if found]
        raise DeviceUnavailable(f"device {device} is not available here; PyTorch sees: {', '.join(there)}")
    return kind
