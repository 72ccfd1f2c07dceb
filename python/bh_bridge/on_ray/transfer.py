"""Runs on their way between a worker that keeps them to itself and the controller: in pieces, with a checksum each."""

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
    """The runs of a worker that does not see the directory of the sweep; one that does has none here."""

    def __init__(self, scratch: Path | None) -> None:
        self.scratch = scratch

    def chunks(self, name: str) -> list[tuple[str, int]]:
        """The pieces of the files of a run: path in the run, offset.

        Checkpoints first, then the index, then the history: a copy of a run that is being written then holds a state
        that it had, and it goes on as a run that was killed.
        """
        run = self._folder(name)
        order = {"checkpoints": 0, "history.idx": 1}
        files = sorted(
            (path.relative_to(run) for path in run.rglob("*") if path.is_file()),
            key=lambda path: (order.get(path.parts[0], 2), str(path)),
        )
        sizes = [(path, (run / path).stat().st_size) for path in files if (run / path).exists()]
        return [(str(path), at) for path, size in sizes for at in range(0, max(size, 1), CHUNK_BYTES)]

    def read(self, name: str, path: str, offset: int) -> bytes | None:
        """One piece; None where the file is gone, as a checkpoint that was replaced."""
        try:
            with open(self._folder(name) / path, "rb") as file:
                file.seek(offset)
                return file.read(CHUNK_BYTES)
        except FileNotFoundError:
            return None

    def write(self, name: str, path: str, offset: int, data: bytes) -> None:
        """Put one piece of a run where the worker will find it."""
        target = self._folder(name) / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(target, "r+b" if target.exists() else "wb") as file:
            file.seek(offset)
            file.write(data)

    def forget(self, name: str) -> None:
        """Take away a run that has been fetched."""
        shutil.rmtree(self._folder(name), ignore_errors=True)

    def _folder(self, name: str) -> Path:
        if self.scratch is None or Path(name).name != name or name in ("", ".", ".."):
            raise ValueError(f"{name!r} is no run here")
        return self.scratch / name


class Chunk(TypedDict):
    """The head of a piece of a file."""

    name: str  # of the run
    path: str
    offset: int
    bytes: int
    sha256: str


def pieces(actor: Any, name: str) -> Iterator[bytes]:
    """The files of a run that an actor keeps, each piece a line of JSON and its bytes. The last line has no path."""
    for path, offset in ray.get(actor.chunks.remote(name)):
        data = ray.get(actor.read.remote(name, path, offset))
        if data is None:
            continue
        digest = hashlib.sha256(data).hexdigest()
        head = {"path": path, "offset": offset, "bytes": len(data), "sha256": digest}
        yield json.dumps(head).encode() + b"\n" + data
    yield b'{"path":null}\n'


def checked(chunk: Chunk, data: bytes) -> Chunk:
    """The head of a piece whose bytes are what was sent; ValueError where they are not."""
    if hashlib.sha256(data).hexdigest() != chunk["sha256"]:
        raise ValueError(f"{chunk['path']} did not arrive as it was sent")
    return chunk
