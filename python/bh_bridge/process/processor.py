"""The processor of this machine: its model name, and the properties that determine the order of sums."""

from __future__ import annotations

import platform
from itertools import takewhile
from pathlib import Path

VENDORS = {"GenuineIntel": "Intel", "AuthenticAMD": "AMD"}
BFLOAT16 = {"amx_bf16": "AMX", "avx512_bf16": "AVX512-BF16", "bf16": "BF16"}  # in order of preference


def model_name() -> str:
    """The model name, such as `AMD EPYC 9B14 96-Core Processor`."""
    return _read().get("model name") or platform.processor()


def kind() -> str:
    """The vendor and the bfloat16 instructions, such as `Intel with AMX`.

    Both determine the order in which libraries add products, so results can differ at the same `cpu_capability`.
    """
    instructions = next((name for flag, name in BFLOAT16.items() if flag in flags()), None)
    whose = vendor() or platform.processor() or platform.machine()
    return whose if instructions is None else f"{whose} with {instructions}"


def vendor() -> str:
    """The vendor, such as `Intel`; empty where there is no /proc/cpuinfo or it names none, as on ARM."""
    name = _read().get("vendor_id", "")
    return VENDORS.get(name, name)


def flags() -> frozenset[str]:
    """The flags of the processor, such as `avx2`; empty where there is no /proc/cpuinfo."""
    said = _read()
    return frozenset((said.get("flags") or said.get("Features") or "").split())  # of x86, of ARM


def _read() -> dict[str, str]:
    """The fields of the first processor in /proc/cpuinfo; empty if there is none. Reading all of many takes long."""
    try:
        with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
            fields = [line.partition(":") for line in takewhile(str.strip, lines)]
    except OSError:
        return {}
    return {name.strip(): value.strip() for name, _, value in fields}
