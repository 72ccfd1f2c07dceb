"""Names of dtypes (those of safetensors), bitwise equality, and devices."""

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
    """Whether two tensors have the same dtype, shape and bits: −0 differs from 0, and a NaN equals itself."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    integers = INTEGERS[one.element_size()]
    return torch.equal(one.contiguous().view(integers), other.contiguous().view(integers))


def resolve_device(device: str) -> str:
    """Return cpu, cuda or mps for the `device` of a configuration; DeviceUnavailable if it does not exist here."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    kind = device.partition(":")[0]
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        there = [name for name, found in (("cuda", cuda), ("mps", mps), ("cpu", True)) if found]
        raise DeviceUnavailable(f"device {device} is not available here; PyTorch sees: {', '.join(there)}")
    return kind
