"""The processor of this machine: what people call it, and what decides the order of its sums."""

from __future__ import annotations

import platform
from itertools import takewhile
from pathlib import Path

VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}
BFLOAT16 = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "bf16": "BF16"}  # the first that there is multiplies


def model_name() -> str:
    """As its maker calls it: `AMD EPYC 9B14 96-Core Processor`."""
    return _read().get("model name") or platform.processor()


def kind() -> str:
    """Whose it is, and its instructions for bfloat16: `Intel with AMX`.

    Libraries choose by both in which order products are added: two kinds with one `cpu_capability` have other bits.
    """
    said = _read()
    vendor = said.get("vendor_id", "")
    flags = (said.get("flags") or said.get("Features") or "").split()  # of x86, of ARM
    instructions = next((name for flag, name in BFLOAT16.items() if flag in flags), None)
    whose = VENDORS.get(vendor, vendor) or platform.processor() or platform.machine()
    return whose if instructions is None else f"{whose} with {instructions}"


def _read() -> dict[str, str]:
    """What Linux says of the first processor, without asking the others, which takes time where they are many; nothing
    elsewhere.
    """
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            fields = [line.partition(":") for line in takewhile(str.strip, lines)]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in fields}
