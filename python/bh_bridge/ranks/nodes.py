"""The machines that share a training, and the key-value store in which its processes find each other."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

import torch.distributed as dist

from bh_bridge.bridge.messages import Data
from bh_bridge.errors import BridgeError, CorpusInvalid

VARIABLE = "BH_BRIDGE_NODES"
PATIENCE_SECONDS = 600.0  # for all machines to arrive, as in torchrun
# A decider or a slow disk may occupy rank 0 for hours. A process that has ended is noticed by its connection.
PATIENCE = timedelta(days=30)
_c10d: Any = dist  # documents its stores but does not export them


@dataclass(frozen=True)
class Nodes:
    count: int
    host: str  # of the first machine
    port: int
    id: str  # the same on all of them; prefix of every key in the store

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def processes_each(self, processes: int) -> int:
        """Of `processes` in all, those of one machine; BridgeError where they cannot be shared out evenly."""
        if processes % self.count:
            raise BridgeError(f"{self.count} machines cannot share {processes} processes out evenly")
        return processes // self.count


def read_nodes() -> Nodes | None:
    """What this process was started with; None for a training of one machine."""
    text = os.environ.get(VARIABLE)
    return None if text is None else Nodes(**json.loads(text))


def hashes_of_files(data: Data) -> dict[str, str]:
    """SHA-256 of the texts of `data`, that of `trainer.create`, and of its tokenizer, by their paths."""
    corpus = data["corpus"]
    texts = [corpus] if isinstance(corpus, str) else [text["path"] for text in corpus]
    tokenizer = data["tokenizer"]
    return {path: content_hash(path) for path in [*texts, *([] if tokenizer is None else [tokenizer])]}


def content_hash(path: str) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_same_text(path: str, expected: str) -> None:
    """Make sure that a file is the one that rank 0 trains on; CorpusInvalid where it is not, or is not here."""
    if not Path(path).is_file():
        raise CorpusInvalid(f"{path} is not on this machine: every machine of a training has to see it under this path")
    if content_hash(path) != expected:
        raise CorpusInvalid(f"{path} has another content on this machine than where rank 0 trains")


class Store(Protocol):
    """What is used of torch's Store. A value that is not there yet is waited for."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def add(self, key: str, amount: int) -> int: ...


def serve(token: str, port: int = 0) -> tuple[Store, int]:
    """Open a store, on a free port where none is given; the store, and its port."""
    server = _c10d.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False, timeout=PATIENCE)
    return _c10d.PrefixStore(token, server), server.port


def connect(host: str, port: int, token: str, patience: float = PATIENCE.total_seconds()) -> Store:
    """The store that rank 0 serves, or will serve within `patience` seconds."""
    client = _c10d.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=patience))
    client.set_timeout(PATIENCE)
    return _c10d.PrefixStore(token, client)


def join(store: Store, rank: int, processes: int, *, has_gpus: bool) -> None:
    """Become one of the processes of a training: over gloo, and with NCCL for what lies on a GPU."""
    backend = "cpu:gloo,cuda:nccl" if has_gpus else "gloo"
    group = _c10d.PrefixStore("group", store)
    dist.init_process_group(backend, store=group, rank=rank, world_size=processes, timeout=PATIENCE)
