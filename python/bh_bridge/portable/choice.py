"""The best usable build of the C code: prebuilt, compiled in a clone, or WebAssembly.

Each build has a line in a table beside it: `builds.json` has those of the package, `local.json` those that
scripts/build-native.mjs compiled on this machine. A build is used only if its file has the hash of its line, it can
be loaded, and its self-check gives the hash of the recipe.
"""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from bh_bridge.errors import ConfigInvalid
from bh_bridge.portable.compiled import CompiledLibrary
from bh_bridge.portable.interface import Library
from bh_bridge.portable.machine import by_speed, levels, machine
from bh_bridge.portable.web_assembly import WasmFailed, WasmLibrary, find_node

FOLDER = Path(__file__).with_name("builds")
TABLE = "builds.json"
LOCAL_TABLE = "local.json"
SOURCES = Path(__file__).parents[3] / "native"  # of a clone
VARIABLE = "BH_BRIDGE_PORTABLE"
WASM = "wasm"


class Build(NamedTuple):
    """A build and whether this machine can use it; `reason` explains why it cannot."""

    name: str
    sha256: str
    usable: bool
    reason: str | None = None


class Candidate(NamedTuple):
    """A line of a table."""

    name: str
    file: str
    sha256: str
    platform: str  # such as linux-x64, or wasm
    level: str | None  # of x86-64
    sources: str | None  # hash of the sources of a local build


class Unusable(Exception):
    """Why a build cannot be used."""


def library() -> Library:
    """The best usable build, or the one that BH_BRIDGE_PORTABLE names; loaded and checked once per process."""
    return _choose(FOLDER, os.environ.get(VARIABLE) or None)


def builds(folder: Path = FOLDER) -> list[Build]:
    """Every build for this machine, best first. Loads each."""
    return [_examine(each, folder) for each in candidates(folder)]


def report() -> dict[str, object]:
    """For doctor: the name of the build that `library` returns, or the problem if there is none, and all builds."""
    name, problem = None, None
    try:
        name = library().name
    except ConfigInvalid as error:
        problem = str(error)
    listed = [{key: value for key, value in each._asdict().items() if value is not None} for each in builds()]
    return {"used": name, "problem": problem, "builds": listed}


def candidates(folder: Path = FOLDER) -> list[Candidate]:
    """The builds for this machine whose files exist, best first: by speed, local before prebuilt, WebAssembly last."""
    own = machine()
    local = _read_table(folder / LOCAL_TABLE)
    lines = [(line, local.get("sources")) for line in local.get("builds", [])]
    lines += [(line, None) for line in _read_table(folder / TABLE).get("builds", [])]
    found = [
        Candidate(line["name"], line["file"], line["sha256"], line["platform"], line.get("level"), sources)
        for line, sources in lines
        if line["platform"] in (own, WASM) and (folder / line["file"]).exists()
    ]
    order = (None, *by_speed())
    return sorted(found, key=lambda each: (each.platform != WASM, order.index(each.level)), reverse=True)


def _read_table(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


@cache
def _choose(folder: Path, name: str | None) -> Library:
    reasons: list[str] = []
    for candidate in candidates(folder):
        if name is not None and candidate.name != name:
            continue
        try:
            return load(candidate, folder)
        except Unusable as error:
            reasons.append(f"{candidate.name}: {error}")
    known = ", ".join(each.name for each in candidates(folder))
    if name is not None and not reasons:
        raise ConfigInvalid(f'{VARIABLE}: "{name}" is not a build for {machine()}. Use {known}, or unset it')
    remedy = "Unset it, or run: bh-bridge doctor" if name is not None else "Install Node.js or a C compiler"
    subject = VARIABLE if name is not None else "engine: portable"
    raise ConfigInvalid(f"{subject}: no usable build ({'; '.join(reasons)}). {remedy}")


def _examine(candidate: Candidate, folder: Path) -> Build:
    try:
        found = load(candidate, folder)
    except Unusable as error:
        return Build(candidate.name, candidate.sha256, False, str(error))
    if isinstance(found, WasmLibrary):
        found.process.close()
    return Build(candidate.name, candidate.sha256, True)


def load(candidate: Candidate, folder: Path = FOLDER) -> Library:
    """Load a build and check it; Unusable if it fails."""
    if candidate.level is not None and candidate.level not in levels():
        raise Unusable(f"this processor lacks instructions of x86-64-{candidate.level}")
    path = folder / candidate.file
    # Loading a damaged file could end the process, so the hash is compared first.
    if hashlib.sha256(path.read_bytes()).hexdigest() != candidate.sha256:
        raise Unusable(f"{path} is damaged or of another version: its SHA-256 is not that of its table")
    if candidate.sources is not None and SOURCES.is_dir() and candidate.sources != hash_of_sources(SOURCES):
        raise Unusable("native/ has changed since it was compiled. Run: node scripts/build-native.mjs")
    try:
        found = _open(candidate, path)
        _check(found, folder)
    except (OSError, AttributeError, WasmFailed) as error:
        raise Unusable(str(error)) from error
    return found


def _open(candidate: Candidate, path: Path) -> Library:
    if candidate.platform != WASM:
        return CompiledLibrary(candidate.name, candidate.sha256, path)
    node = find_node()
    if node is None:
        raise Unusable("it runs in Node.js, which is not in PATH")
    return WasmLibrary(candidate.name, candidate.sha256, path, node)


def _check(found: Library, folder: Path) -> None:
    """Compare version and self-check with the table of the recipe."""
    table = _read_table(folder / TABLE)
    recipe, hash_ = found.recipe(), found.self_check()
    if recipe != table["recipe"]:
        raise Unusable(f"it computes version {recipe} of the recipe, not {table['recipe']}")
    if hash_ != table["self_check"]:
        raise Unusable(f"its self-check gives {hash_}, not {table['self_check']}: it would compute other bits")


def hash_of_sources(folder: Path) -> str:
    """The SHA-256 of names and contents of the C files, as scripts/build-native.mjs computes it."""
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.iterdir() if each.suffix in (".c", ".h")):
        digest.update(f"{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


os.register_at_fork(after_in_child=_choose.cache_clear)  # a forked process has no threads of its parent's library
