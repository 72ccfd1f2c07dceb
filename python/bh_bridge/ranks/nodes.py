"""The machines that share one training, as every one of them is told: how many, and where the first of them waits."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from bh_bridge.bridge.messages import Data
from bh_bridge.errors import BridgeError, CorpusInvalid

VARIABLE = "BH_BRIDGE_NODES"
PATIENCE_SECONDS = 600.0  # until all machines have come; that of torchrun


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
