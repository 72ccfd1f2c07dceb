"""Which device a configuration means."""

from __future__ import annotations

import torch

from bh_bridge.errors import DeviceUnavailable


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
