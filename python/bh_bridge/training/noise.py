"""The noise that is added to the embedding after each optimizer step."""

from __future__ import annotations

import torch


@torch.no_grad()
def add_noise(weight: torch.Tensor, epsilon: float) -> None:
    """Add randn · (epsilon / 10), drawn and multiplied in the dtype of the weight [vocab, hidden]; 0 draws nothing.

    Drawn on the CPU, which draws the same everywhere.
    """
    if epsilon:
        weight.add_((torch.randn(weight.shape, dtype=weight.dtype) * (epsilon / 10)).to(weight.device))
