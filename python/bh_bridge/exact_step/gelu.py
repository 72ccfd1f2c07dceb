"""GELU in the form of GPT-2 (`gelu_new`) on bfloat16, whose tanh is looked up: there are only 65,536 values.

0.5·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), Hendrycks & Gimpel 2016, sec. 2.
"""

from __future__ import annotations

import math

import torch

SLOPE = math.sqrt(2 / math.pi)
CUBIC = 0.044715


class Gelu:
    """The table is made by the operations that the model itself does, each of which rounds to bfloat16."""

    def __init__(self) -> None:
        every = torch.arange(-(2**15), 2**15, dtype=torch.int32).to(torch.int16).view(torch.bfloat16)
        self._tanh = torch.tanh(SLOPE * (every + CUBIC * torch.pow(every, 3.0)))

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """GELU of x; with it tanh and (1 + tanh) / 2, which the backward pass needs. Halves are exact: 0.5·x·(1 + t)
        is x·(0.5 + 0.5·t).
        """
        bits = x.view(torch.int16).view(-1).to(torch.int32).add_(2**15)
        tanh = self._tanh.index_select(0, bits).view(x.shape)
        gate = tanh.mul(0.5).add_(0.5)
        return x * gate, tanh, gate

    @staticmethod
    def backward(grad: torch.Tensor, x: torch.Tensor, tanh: torch.Tensor, gate: torch.Tensor) -> torch.Tensor:
        """Gradient of x, in autograd's order of operations and roundings."""
        inner = torch.ops.aten.tanh_backward(grad * x, tanh).mul_(SLOPE / 2)
        cube = (x * x).mul_(3).mul_(inner * CUBIC)
        return inner.add_(cube).add_(grad * gate)
