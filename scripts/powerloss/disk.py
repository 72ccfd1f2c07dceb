"""A disk that may lose power: what was synced is there, of everything else any part may be.

The model is POSIX at its strictest. Data: a write after which no sync of its file began and ended may be there, be
missing, or be there in some of its 512-byte sectors, whatever became of earlier and later ones. Names: an entry that
was made, renamed or removed without a sync of its directory afterwards may or may not have changed; a sync of the file
does not make its name durable. Within one directory, changes are lost either from some point on (a journal) or
independently.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from syscalls import Call, UnknownCall

SECTOR = 512
Change = TypeVar("Change")


@dataclass
class File:
    """An inode: what is durable of it, and the writes that wait for a sync."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # (offset, data), or (length, None): set size
    size: int = 0
    changes: int = 0  # that are durable

    def live(self) -> bytearray:
        content = bytearray(self.durable)
        for offset, data in self.pending:
            _apply(content, offset, data)
        return content

    def sync(self, changes: int) -> None:
        """Make the changes durable that had been made when the sync began: so many since the file is there."""
        while self.pending and self.changes < changes:
            _apply(self.durable, *self.pending.pop(0))
            self.changes += 1


@dataclass
class Folder:
    """A directory: its durable entries, the changes that wait for a sync, and the entries as the processes see them."""

    durable: dict[str, File | Folder] = field(default_factory=dict)
    pending: list[Callable[[dict[str, File | Folder]], None]] = field(default_factory=list)
    live: dict[str, File | Folder] = field(default_factory=dict)
    changes: int = 0  # that are durable

    def change(self, effect: Callable[[dict[str, File | Folder]], None]) -> None:
        effect(self.live)
        self.pending.append(effect)

    def sync(self, changes: int) -> None:
        """As that of a file."""
        while self.pending and self.changes < changes:
            self.pending.pop(0)(self.durable)
            self.changes += 1


class Disk:
    """Replays calls below one root directory, which exists and is durable."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.top = Folder()
        self._positions: dict[tuple[int, int], int] = {}
        self._appending: set[tuple[int, int]] = set()
        self._syncs: dict[int, int] = {}  # under way: how many changes of the file came before, by number

    def replay(self, call: Call) -> None:
        match call.name:
            case "open":
                self._open(call)
            case "write":
                self._write(call)
            case "begin_sync":
                node = self._find(call.path)
                if node is not None:
                    self._syncs[call.number] = node.changes + len(node.pending)
            case "sync":
                node = self._find(call.path)
                if node is not None:
                    node.sync(self._syncs.pop(call.number, node.changes + len(node.pending)))
            case "truncate" | "extend":
                node = self._find(call.path)
                if isinstance(node, File):
                    node.size = call.length if call.name == "truncate" else max(node.size, call.length)
                    node.pending.append((node.size, None))
            case "seek":
                node = self._find(call.path)
                if isinstance(node, File):
                    self._positions[id(node), call.fd] = call.offset
            case "rename":
                self._rename(call)
            case "mkdir":
                self._add(call.path, Folder())
            case "remove":
                folder, name = self._parent(call.path)
                folder.change(lambda entries: entries.pop(name, None))
            case _:
                raise UnknownCall(f"{call.path} was changed by a call that is not understood")

    def image(self, chance: random.Random) -> dict[str, bytes | None]:
        """What may be on the disk when power is lost now: content by relative path, None for a directory."""
        return _image(self.top, "", chance)

    def certain(self) -> dict[str, bytes | None]:
        """What is on the disk whatever happens."""
        return _image(self.top, "", None)

    def _open(self, call: Call) -> None:
        node = self._find(call.path)
        if node is None and call.creates:
            node = File()
            self._add(call.path, node)
        if not isinstance(node, File):
            return
        key = (id(node), call.fd)
        self._positions[key] = 0
        self._appending.discard(key)
        if call.appends:
            self._appending.add(key)
        if call.truncates and node.size:
            node.size = 0
            node.pending.append((0, None))

    def _write(self, call: Call) -> None:
        node = self._find(call.path)
        if not isinstance(node, File):
            return
        key = (id(node), call.fd)
        offset = call.offset
        if offset < 0:
            # A descriptor that was duplicated (stdout into a log) is not known here: such a log is appended to.
            appends = key in self._appending or key not in self._positions
            offset = node.size if appends else self._positions[key]
            if not appends:
                self._positions[key] = offset + len(call.data)
        node.pending.append((offset, call.data))
        node.size = max(node.size, offset + len(call.data))

    def _rename(self, call: Call) -> None:
        source, old = self._parent(call.path)
        target, new = self._parent(call.target)
        node = source.live[old]

        def move(entries: dict[str, File | Folder]) -> None:
            entries.pop(old, None)
            entries[new] = node

        if source is target:
            source.change(move)
            return
        source.change(lambda entries: entries.pop(old, None))
        target.change(lambda entries: entries.__setitem__(new, node))

    def _add(self, path: str, node: File | Folder) -> None:
        folder, name = self._parent(path)
        folder.change(lambda entries: entries.__setitem__(name, node))

    def _parent(self, path: str) -> tuple[Folder, str]:
        parent, _, name = path.rpartition("/")
        folder = self._find(parent)
        if not isinstance(folder, Folder):
            raise UnknownCall(f"{path} is changed in a directory that was never made")
        return folder, name

    def _find(self, path: str) -> File | Folder | None:
        if path == self.root:
            return self.top
        if not path.startswith(f"{self.root}/"):
            return None
        node: File | Folder | None = self.top
        for part in path[len(self.root) + 1 :].split("/"):
            if part == ".":
                continue
            node = node.live.get(part) if isinstance(node, Folder) else None
        return node


def write_image(image: dict[str, bytes | None], root: Path) -> None:
    """Put an image into an empty directory."""
    for name, content in sorted(image.items()):
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _image(folder: Folder, prefix: str, chance: random.Random | None) -> dict[str, bytes | None]:
    entries = dict(folder.durable)
    if chance is not None:
        for effect in _survivors(folder.pending, chance):
            effect(entries)
    image: dict[str, bytes | None] = {}
    for name, node in entries.items():
        path = f"{prefix}{name}"
        if isinstance(node, Folder):
            image[path] = None
            image.update(_image(node, f"{path}/", chance))
        else:
            image[path] = bytes(node.durable if chance is None else _torn(node, chance))
    return image


def _survivors(pending: list[Change], chance: random.Random) -> Iterable[Change]:
    if chance.random() < 0.5:  # a journal: in order, up to some point
        return pending[: chance.randint(0, len(pending))]
    return [change for change in pending if chance.random() < 0.5]


def _torn(file: File, chance: random.Random) -> bytearray:
    """The durable content, with some of the waiting writes, whole or in some of their sectors."""
    content = bytearray(file.durable)
    keep = chance.choice([0.1, 0.5, 0.9])
    for offset, data in file.pending:
        if chance.random() >= keep:
            continue
        if data is None or chance.random() < 0.5:
            _apply(content, offset, data)
            continue
        position = offset
        while position < offset + len(data):
            end = min(offset + len(data), (position // SECTOR + 1) * SECTOR)
            if chance.random() < 0.5:
                _apply(content, position, data[position - offset : end - offset])
            position = end
    return content


def _apply(content: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        if offset < len(content):
            del content[offset:]
        else:
            content.extend(bytes(offset - len(content)))
        return
    if offset > len(content):
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(data)] = data
