"""A corpus as windows of bytes."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from bh_bridge.tokenizing import encode, load_tokenizer


def read_tokens(path: str, vocab_size: int, tokenizer: str | None = None) -> torch.Tensor:
    """The corpus as token ids [tokens]: text with universal newlines.

    uint8, ASCII, bytes below vocab_size; with the path of a tokenizer.json int32, UTF-8, what that makes of it.
    TypeScript has checked the file and told the user what was left out; this reads it the same way.
    """
    if tokenizer is not None:
        text = Path(path).read_text(encoding="utf-8")
        return torch.tensor(encode(load_tokenizer(tokenizer), text), dtype=torch.int32)
    text = Path(path).read_text(encoding="ascii")  # CRLF and CR become LF
    tokens = torch.frombuffer(bytearray(text.encode("ascii")), dtype=torch.uint8)
    # A byte is compared as a byte: against 10,000 (16 modulo 256) nearly everything would be left out.
    return tokens[tokens.long() < vocab_size]


class Windows(Dataset[dict[str, torch.Tensor]]):
    """Every window of `length` + 1 tokens; item i starts at token i·stride.

    label_shift "double": labels are the inputs shifted by one, and the model shifts them again (the notebook's: it
    learns t+2). "causal": labels are the inputs, and the model's own shift makes it learn t+1.
    """

    def __init__(self, tokens: torch.Tensor, length: int, label_shift: str, stride: int = 1) -> None:
        self._windows = (
            tokens.unfold(0, length + 1, stride) if len(tokens) > length else tokens.new_empty(0, length + 1)
        )
        self._tokens, self._cut = tokens, (length, label_shift, stride)
        # Counted as the notebook counts, len - length: one window a token that has a full context before it.
        self._labels_from = 1 if label_shift == "double" else 0

    def __len__(self) -> int:
        return len(self._windows)

    def to(self, device: torch.device) -> Windows:
        """The same windows, of the text on a device."""
        return Windows(self._tokens.to(device), *self._cut)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: tensor[0] for name, tensor in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        """A whole batch at once: collating items one by one is slow."""
        return self.batch(torch.tensor(indices))

    def batch(self, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """Windows by their numbers, int64 [batch], where the text is: int64 input_ids and labels, [batch, length]."""
        batch = self._windows[numbers].long()
        end = batch.shape[1] - 1 + self._labels_from
        return {"input_ids": batch[:, :-1].contiguous(), "labels": batch[:, self._labels_from : end].contiguous()}


def split_windows(tokens: torch.Tensor, length: int, data: dict[str, Any]) -> tuple[Windows, Windows | None]:
    """Training windows at every position; held-out windows side by side, from the end of the corpus.

    data: `label_shift`, and the fraction `held_out`, which may be 0.
    """
    held_out: float = data["held_out"]
    kept = len(tokens) - int(len(tokens) * held_out)
    train_windows = Windows(tokens[:kept], length, data["label_shift"])
    if not held_out:
        return train_windows, None
    return train_windows, Windows(tokens[kept:], length, data["label_shift"], stride=length)


class WindowNumbers(Dataset[dict[str, torch.Tensor]]):
    """The numbers of windows in place of the windows, for a step that has the text where it computes."""

    def __init__(self, windows: Windows) -> None:
        self._count = len(windows)

    def __len__(self) -> int:
        return self._count

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        """A whole batch at once: int64 [batch]."""
        return {"numbers": torch.tensor(indices)}


def order_checksum(sampler: Iterable[int]) -> str:
    """SHA-256 of the order in which a sampler draws windows in its first epoch: their numbers, int64 little-endian.

    The sampler is as before, and no random stream has moved.
    """
    generator: torch.Generator | None = getattr(sampler, "generator", None)
    before = None if generator is None else generator.get_state()
    with torch.random.fork_rng(devices=[]):
        order = np.fromiter(copy.copy(sampler), dtype="<i8")
    if generator is not None and before is not None:
        generator.set_state(before)
    return hashlib.sha256(order.tobytes()).hexdigest()


def collate_nothing(batch: dict[str, Any]) -> dict[str, Any]:
    """The batch is made by `__getitems__` already."""
    return batch
