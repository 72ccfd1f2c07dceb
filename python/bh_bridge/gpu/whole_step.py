"""A step of HF's Trainer made as a whole, so that a CUDA graph can replay it: batch, gradients, clipping, optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from bh_bridge.data.corpus import Windows
from bh_bridge.gpu.graphed_step import Graphed, GraphedStep


class WholeStep:
    """Makes the steps of a training; Trainer's own calls make the first, and with it what the optimizer keeps."""

    def __init__(
        self,
        windows: Windows,
        batch_size: int,
        add_gradients: Callable[[nn.Module, dict[str, Any]], torch.Tensor],
        clip: Callable[[nn.Module], torch.Tensor],
    ) -> None:
        """windows: on the device of the training.

        add_gradients: adds those of a batch to the weights' own, and gives its loss. clip: gives their norm as it was.
        """
        self.norm: torch.Tensor | None = None  # of the gradients, where the step has been made here
        self._windows = windows
        self._batch_size = batch_size
        self._add_gradients = add_gradients
        self._clip = clip
        self._graphed: GraphedStep | None = None

    @property
    def verdict(self) -> Graphed | None:
        """Whether steps come from a graph; None until that is known."""
        return None if self._graphed is None else self._graphed.verdict

    def make(self, model: nn.Module, optimizer: torch.optim.Optimizer, numbers: torch.Tensor) -> torch.Tensor:
        """The step on the windows of these numbers, from the graph or as it will be captured; its loss."""

        def make(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            loss = self._add_gradients(model, self._windows.batch(numbers))
            norm = self._clip(model)
            optimizer.step()
            return loss, norm

        if not optimizer.state:
            return self._add_gradients(model, self._windows.batch(numbers))
        if self._graphed is None:
            self._graphed = GraphedStep(make, optimizer, numbers.new_zeros(self._batch_size))
        made = self._graphed.step(numbers)
        self.norm = made.norm
        return made.loss.clone()
