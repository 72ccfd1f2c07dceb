"""Python objects that TypeScript refers to by handle: the number and generation of a slot."""

from __future__ import annotations

from typing import Any

from bh_bridge.bridge.messages import Handle, Release, ReleaseReply
from bh_bridge.errors import HandleStale

_objects: list[Any] = []
_generations: list[int] = []
_free: list[int] = []


def keep(thing: Any) -> Handle:
    """Store an object; return the handle that finds it until it is released."""
    if _free:
        slot = _free.pop()
        _objects[slot] = thing
    else:
        slot = len(_objects)
        _objects.append(thing)
        _generations.append(1)
    return {"slot": slot, "generation": _generations[slot]}


def find(handle: Handle) -> Any:
    """Return the object of a handle; HandleStale if it was released or never existed."""
    slot, generation = handle["slot"], handle["generation"]
    if not 0 <= slot < len(_objects) or _generations[slot] != generation:
        raise HandleStale(f"object {slot} (generation {generation}) was closed: create it again")
    return _objects[slot]


def is_empty() -> bool:
    """Whether no object is held."""
    return len(_free) == len(_objects)


def release(request: Release) -> ReleaseReply:
    """Operation `release`: forget an object. A stale handle is ignored."""
    handle = request["handle"]
    slot = handle["slot"]
    if 0 <= slot < len(_objects) and _generations[slot] == handle["generation"]:
        _objects[slot] = None
        _generations[slot] += 1
        _free.append(slot)
    return {}
