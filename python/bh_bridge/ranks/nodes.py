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
    id: str  # the same on all machines; prefix of every key in the store

    @property
    def is_loopback(self) -> bool:
        return self.host in ("localhost", "::1") or self.host.startswith("127.")

    def processes_each(self, processes: int) -> int:
        """The processes on each machine; BridgeError if `processes` is not divisible."""
        if processes % self.count:
            raise BridgeError(f"{self.count} machines cannot share {processes} processes evenly")
        return processes // self.count


def read_nodes() -> Nodes | None:
    """The machines of this training; None for a training on one machine."""
    text = os.environ.get(VARIABLE)
    return None if text is None else Nodes(**json.loads(text))


def hashes_of_files(data: Data) -> dict[str, str]:
    """SHA-256 of the texts and the tokenizer of `data` by path."""
    corpus = data["corpus"]
    texts = [corpus] if isinstance(corpus, str) else [text["path"] for text in corpus]
    tokenizer = data["tokenizer"]
    return {path: content_hash(path) for path in [*texts, *([] if tokenizer is None else [tokenizer])]}


def content_hash(path: str) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def require_same_text(path: str, expected: str) -> None:
    """CorpusInvalid if a file is missing here or differs from that of rank 0."""
    if not Path(path).is_file():
        raise CorpusInvalid(f"{path} is not on this machine: it must have the same path on every machine of a training")
    if content_hash(path) != expected:
        raise CorpusInvalid(f"{path} differs from the file on the machine of rank 0")


class Store(Protocol):
    """The methods of torch's Store that are used here. `get` waits for a missing value."""

    def set(self, key: str, value: str) -> None: ...

    def get(self, key: str) -> bytes: ...

    def add(self, key: str, amount: int) -> int: ...


def serve(token: str, port: int = 0) -> tuple[Store, int]:
    """Open a store on a port (0: any free one); return the store and its port."""
    server = _c10d.TCPStore("127.0.0.1", port, is_master=True, wait_for_workers=False, timeout=PATIENCE)
    return _c10d.PrefixStore(token, server), server.port


def connect(host: str, port: int, token: str, patience: float = PATIENCE.total_seconds()) -> Store:
    """Connect to the store of rank 0, which may open within `patience` seconds."""
    client = _c10d.TCPStore(host, port, is_master=False, timeout=timedelta(seconds=patience))
    client.set_timeout(PATIENCE)
    return _c10d.PrefixStore(token, client)


def join(store: Store, rank: int, processes: int, *, has_gpus: bool) -> None:
    """Join the processes of a training, with gloo for CPU tensors and NCCL for GPU tensors."""
    backend = "cpu:gloo,cuda:nccl" if has_gpus else "gloo"
    group = _c10d.PrefixStore("group", store)
    dist.init_process_group(backend, store=group, rank=rank, world_size=processes, timeout=PATIENCE)
