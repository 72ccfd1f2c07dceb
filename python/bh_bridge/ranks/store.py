"""The key-value store in which the processes of a training find each other. Rank 0 has its server."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Protocol

import torch.distributed as dist

# A decider, or a disk, may keep rank 0 for hours; a process that is gone is noticed by its connection.
PATIENCE = timedelta(days=30)
_c10d: Any = dist  # whose stores are documented, and not among the names that it exports


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
