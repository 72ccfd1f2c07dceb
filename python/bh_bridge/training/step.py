"""The interface through which an engine reports its steps, and the noise after each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from bh_bridge.engines.step_method import StepMethod
from bh_bridge.models.draws import Draws
from bh_bridge.ranks.group import Group
from bh_bridge.training.control import Control, TrainingState


class Step(Protocol):
    """A RunStep, or a FollowerStep in the other processes of a training. RunStep documents the methods.

    group: the processes of the training; None if there is only one. Each process gets the whole batch, computes its
    `part`, and sums the gradients with the others.

    needs_forward: whether recorded quantities require the model's own forward pass.
    """

    group: Group | None
    needs_forward: bool

    def begin(self, state: TrainingState, window_order: str | None = None) -> None: ...

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None: ...

    def note_norm(self, norm: torch.Tensor) -> None: ...

    def capture_gradient(self) -> None: ...

    def end(self, state: TrainingState, control: Control, losses: Iterable[torch.Tensor]) -> None: ...

    def log(self, state: TrainingState, control: Control, logs: dict[str, float]) -> None: ...

    def evaluate(self, state: TrainingState, control: Control, metrics: dict[str, float]) -> None: ...

    def save(self, state: TrainingState, write_state: Callable[[Path], None]) -> None: ...

    def report(self, event: str, state: TrainingState, **fields: Any) -> None: ...

    def report_method(self, state: TrainingState, method: StepMethod) -> None: ...

    def alert(self, kind: str, message: str) -> None: ...

    def finish(self, state: TrainingState) -> None: ...


@torch.no_grad()
def add_noise(weight: torch.Tensor, epsilon: float, draws: Draws) -> None:
    """Add N(0, 1) · (epsilon / 10), drawn and multiplied in the dtype of the weight [vocab, hidden]; 0 draws nothing.

    Drawn on the CPU, from the stream that checkpoints save.
    """
    if epsilon:
        weight.add_((draws.normal(*weight.shape, dtype=weight.dtype) * (epsilon / 10)).to(weight.device))
