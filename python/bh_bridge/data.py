"""A corpus as windows of tokens."""

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

BYTES = 256


def read_tokens(path: str, vocab_size: int, tokenizer: str | None = None) -> torch.Tensor:
    """The corpus as token ids [tokens]: text with universal newlines.

    uint8, bytes below vocab_size, of UTF-8 where the vocabulary has all 256 and of ASCII where it is smaller; with the
    path of a tokenizer.json int32, UTF-8, what that makes of it.
    TypeScript has checked the file and told the user what was left out; this reads it the same way.
    """
    if tokenizer is not None:
        text = Path(path).read_text(encoding="utf-8")
        return torch.tensor(encode(load_tokenizer(tokenizer), text), dtype=torch.int32)
    encoding = "ascii" if vocab_size < BYTES else "utf-8"
    text = Path(path).read_text(encoding=encoding)  # CRLF and CR become LF
    tokens = torch.frombuffer(bytearray(text.encode(encoding)), dtype=torch.uint8)
    # A byte is compared as a byte: against 10,000 (16 modulo 256) nearly everything would be left out.
    return tokens[tokens.long() < vocab_size]


def read_texts(data: dict[str, Any], vocab_size: int) -> list[torch.Tensor]:
    """The tokens of each file of a corpus, [tokens] each, as `read_tokens`."""
    corpus: str | list[dict[str, Any]] = data["corpus"]
    paths = [corpus] if isinstance(corpus, str) else [file["path"] for file in corpus]
    return [read_tokens(path, vocab_size, data["tokenizer"]) for path in paths]


class Windows(Dataset[dict[str, torch.Tensor]]):
    """Windows of `length` tokens: item i starts at token i·stride, or where `starts`, int64, says.

    span: tokens from the first to the last that a window reads, so that what is left of the text holds no further one.
    label_shift "double": labels are the inputs shifted by one, and the model shifts them again (the notebook's: it
    learns t+2). "causal": labels are the inputs, and the model's own shift makes it learn t+1.
    """

    def __init__(
        self,
        tokens: torch.Tensor,
        length: int,
        label_shift: str,
        stride: int = 1,
        starts: torch.Tensor | None = None,
        span: int | None = None,
    ) -> None:
        # Counted as the notebook counts, len - length: one window a token that has a full context before it.
        span = length + 1 if span is None else span
        step = stride if starts is None else 1
        self._windows = tokens.unfold(0, span, step) if len(tokens) >= span else tokens.new_empty(0, span)
        self._tokens, self._cut, self._starts = tokens, (length, label_shift, stride), starts
        self._span = span
        self._length, self._labels_from = length, labels_from(label_shift)

    def __len__(self) -> int:
        return len(self._windows if self._starts is None else self._starts)

    def to(self, device: torch.device) -> Windows:
        """The same windows, of the text on a device."""
        starts = None if self._starts is None else self._starts.to(device)
        return Windows(self._tokens.to(device), *self._cut, starts, self._span)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {name: tensor[0] for name, tensor in self.__getitems__([index]).items()}

    def __getitems__(self, indices: list[int]) -> dict[str, torch.Tensor]:
        """A whole batch at once: collating items one by one is slow."""
        return self.batch(torch.tensor(indices))

    def batch(self, numbers: torch.Tensor) -> dict[str, torch.Tensor]:
        """Windows by their numbers, int64 [batch], where the text is: int64 input_ids and labels, [batch, length]."""
        chosen = numbers if self._starts is None else self._starts[numbers]
        batch = self._windows[chosen].long()
        end = self._length + self._labels_from
        return {
            "input_ids": batch[:, : self._length].contiguous(),
            "labels": batch[:, self._labels_from : end].contiguous(),
        }


def labels_from(label_shift: str) -> int:
    """Where in a window its labels begin."""
    return 1 if label_shift == "double" else 0


def split_windows(texts: list[torch.Tensor], length: int, data: dict[str, Any]) -> tuple[Windows, Windows | None]:
    """Training windows at every position, or side by side; held-out windows side by side, from the end of each text.

    data: `windows`, "sliding" | "chunks"; `label_shift`; the fraction `held_out`, which may be 0; and `corpus`, which
    says of several files how many training windows each gives. Chunks leave no token of a text out but the last that do
    not fill one.
    """
    held_out: float = data["held_out"]
    label_shift: str = data["label_shift"]
    kept = [len(text) - int(len(text) * held_out) for text in texts]
    trained = [text[:count] for text, count in zip(texts, kept, strict=True)]
    shares = None if isinstance(data["corpus"], str) else [file["windows"] for file in data["corpus"]]
    chunks = {"stride": length, "span": length + labels_from(label_shift)} if data["windows"] == "chunks" else {}
    train_windows = _windows_of(trained, length, label_shift, shares=shares, **chunks)
    if not held_out:
        return train_windows, None
    rest = [text[count:] for text, count in zip(texts, kept, strict=True)]
    return train_windows, _windows_of(rest, length, label_shift, stride=length)


def _windows_of(
    texts: list[torch.Tensor],
    length: int,
    label_shift: str,
    stride: int = 1,
    span: int | None = None,
    shares: list[int] | None = None,
) -> Windows:
    """The windows of texts, one text after the other; none reaches from one into the next.

    shares: how many each text gives. Of its n own windows number j of k is the one with number floor(j·n / k): where
    k is less than n they lie evenly apart, where it is more, each is there k/n times, rounded up or down.
    """
    if len(texts) == 1 and shares is None:
        return Windows(texts[0], length, label_shift, stride, span=span)
    starts: list[torch.Tensor] = []
    offset = 0
    for place, text in enumerate(texts):
        own = len(Windows(text, length, label_shift, stride, span=span))
        share = own if shares is None else shares[place]
        starts.append(offset + torch.arange(share) * own // max(1, share) * stride)
        offset += len(text)
    return Windows(torch.cat(texts), length, label_shift, stride, torch.cat(starts), span)


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
