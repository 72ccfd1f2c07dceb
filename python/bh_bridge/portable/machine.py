"""Which builds this machine can run."""

from __future__ import annotations

import platform
import subprocess
import sys
from functools import cache

from bh_bridge.process import processor

SYSTEMS = {"linux": "linux", "darwin": "macos"}
ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}

# The flags of /proc/cpuinfo of each level of x86-64 beyond those of the level before (x86-64 psABI).
LEVELS = {
    "v2": {"cx16", "lahf_lm", "popcnt", "ssse3", "sse4_1", "sse4_2"},
    "v3": {"abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "xsave"},
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
    "v4-bf16": {"avx512_bf16"},
}
# The same on macOS, by the names of sysctl.
MACOS_LEVELS = {
    "v2": {"sse4_2"},
    "v3": {"avx2_0", "bmi2", "f16c", "fma"},
    "v4": {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
}


def machine() -> str:
    """This machine's system and architecture, such as `linux-x64` or `macos-arm64`."""
    system = SYSTEMS.get(sys.platform, sys.platform)
    architecture = platform.machine().lower()
    return f"{system}-{ARCHITECTURES.get(architecture, architecture)}"


@cache
def levels() -> tuple[str, ...]:
    """The levels of x86-64 that this processor has, ascending."""
    names = MACOS_LEVELS if sys.platform == "darwin" else LEVELS
    flags = _macos_flags() if sys.platform == "darwin" else processor.flags()
    return levels_of(flags, names)


def levels_of(flags: frozenset[str], names: dict[str, set[str]] = LEVELS) -> tuple[str, ...]:
    """The levels of a processor with these flags, up to the first that lacks one."""
    found: list[str] = []
    for level, required in names.items():
        if not required <= flags:
            break
        found.append(level)
    return tuple(found)


def by_speed() -> tuple[str, ...]:
    """All levels, slowest first. On Intel, VDPBF16PS takes longer than the two multiply-adds that it replaces."""
    return ("v2", "v3", "v4-bf16", "v4") if processor.vendor() == "Intel" else tuple(LEVELS)


def _macos_flags() -> frozenset[str]:
    """The names of `hw.optional` that are 1, as Rosetta reports them, too."""
    listed = subprocess.run(["/usr/sbin/sysctl", "hw.optional"], capture_output=True, text=True, check=False).stdout
    pairs = [line.partition(":") for line in listed.splitlines()]
    return frozenset(name.removeprefix("hw.optional.") for name, _, value in pairs if value.strip() == "1")
