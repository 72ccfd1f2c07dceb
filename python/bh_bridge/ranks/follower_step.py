"""The step of a rank that is not rank 0: it adds the same noise, does what rank 0 has decided, and writes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import torch

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.ranks.group import Group
from bh_bridge.training.control import Control, TrainingState
from bh_bridge.training.step import add_noise


class FollowerStep:
    """A Step that follows the RunStep of rank 0."""

    def __init__(self, request: TrainerCreate, weight: torch.Tensor, group: Group) -> None:
        self.group: Group | None = group
        self.needs_forward = False  # of the whole batch, which no process has by itself
        self._weight = weight
        self._epsilon: float = request["noise"]["epsilon"]

    def begin(self, state: TrainingState, window_order: str | None = None) -> None:
        """Rank 0 writes it down."""

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None:
        """Rank 0 may be looked into."""

    def note_norm(self, norm: torch.Tensor) -> None:
        """Rank 0 records it."""

    def capture_gradient(self) -> None:
        """Rank 0 records it."""

    def end(self, state: TrainingState, control: Control, losses: Iterable[torch.Tensor]) -> None:
        add_noise(self._weight, self._epsilon)
        self._follow(control)

    def log(self, state: TrainingState, control: Control, logs: dict[str, float]) -> None:
        self._follow(control)

    def evaluate(self, state: TrainingState, control: Control, metrics: dict[str, float]) -> None:
        self._follow(control)

    def save(self, state: TrainingState, write_state: Callable[[Path], None]) -> None:
        """Rank 0 makes the checkpoint."""

    def report(self, event: str, state: TrainingState, **fields: Any) -> None:
        """Rank 0 tells."""

    def report_method(self, state: TrainingState, method: StepMethod) -> None:
        """Rank 0 reports its own."""

    def pause(self) -> AbstractContextManager[None]:
        return nullcontext()

    def finish(self, state: TrainingState) -> None:
        """Rank 0 writes it down."""

    def _follow(self, control: Control) -> None:
        assert self.group is not None
        self.group.agree(control)
