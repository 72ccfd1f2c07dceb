"""Transfers runs between the controller and workers without shared storage, in pieces with checksums."""

# pyright: reportMissingImports=false
from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypedDict

import ray

CHUNK_BYTES = 4 << 20


class RunFolder:
    """The runs of a worker that cannot access the directory of the sweep. `scratch` is None if it can."""

    def __init__(self, scratch: Path | None) -> None:
        self.scratch = scratch

    def chunks(self, name: str) -> list[tuple[str, int]]:
        """The pieces of the files of a run: path in the run and offset.

        Checkpoints come first, then indexes and what they describe, so that a copy of a running run can be resumed like
        one that was killed.
        """
        run = self._folder(name)
        order = {"checkpoints": 0, "history.idx": 1, "model.idx": 1}
        files = sorted(
            (path.relative_to(run) for path in run.rglob("*") if path.is_file()),
            key=lambda path: (order.get(path.parts[0], 2), str(path)),
        )
        sizes = [(path, (run / path).stat().st_size) for path in files if (run / path).exists()]
        return [(str(path), at) for path, size in sizes for at in range(0, max(size, 1), CHUNK_BYTES)]

    def read(self, name: str, path: str, offset: int) -> bytes | None:
        """Read a piece; None if the file no longer exists, such as a replaced checkpoint."""
        try:
            with open(self._folder(name) / path, "rb") as file:
                file.seek(offset)
                return file.read(CHUNK_BYTES)
        except FileNotFoundError:
            return None

    def write(self, name: str, path: str, offset: int, data: bytes) -> None:
        """Write a piece of a run."""
        target = self._folder(name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "r+b" if target.exists() else "wb") as file:
            file.seek(offset)
            file.write(data)

    def forget(self, name: str) -> None:
        """Remove a run that was fetched."""
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def _folder(self, name: str) -> Path:
        if self.scratch is None or Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is not a run of this worker")
        return self.scratch / name


class Chunk(TypedDict):
    """The header of a piece of a file."""

    name: str  # of the run
    path: str
    offset: int
    bytes: int
    sha256: str


def pieces(actor: Any, name: str) -> Iterator[bytes]:
    """The files of a run of an actor, each piece as a line of JSON and its bytes. The last line has no path."""
    for path, offset in ray.get(actor.chunks.remote(name)):
        data = ray.get(actor.read.remote(name, path, offset))
        if data is None:
            continue
        digest = hashlib.sha256(data).hexdigest()
        head = {"path": path, "offset": offset, "bytes": len(data), "sha256": digest}
        yield json.dumps(head).encode() + b"\n" + data
    yield b'{"path":null}\n'


def checked(chunk: Chunk, data: bytes) -> Chunk:
    """Return the header of a piece; ValueError if its checksum does not match."""
    if hashlib.sha256(data).hexdigest() != chunk["sha256"]:
        raise ValueError(f"{chunk['path']} was damaged in transfer")
    return chunk
