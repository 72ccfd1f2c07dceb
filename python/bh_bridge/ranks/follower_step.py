"""The step of ranks other than 0: adds the same noise, follows the decisions of rank 0, and writes nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.models.draws import TorchDraws
from bh_bridge.ranks.group import Group
from bh_bridge.training.control import Control, TrainingState
from bh_bridge.training.step import add_noise


class FollowerStep:
    """A Step that follows the RunStep of rank 0."""

    def __init__(self, request: TrainerCreate, weight: torch.Tensor, group: Group) -> None:
        self.group: Group | None = group
        self.needs_forward = False  # no process has the whole batch
        self._weight = weight
        self._epsilon: float = request["noise"]["epsilon"]
        self._last_noise: float = request["noise"]["last_step"] or math.inf

    def begin(self, state: TrainingState, window_order: str | None = None) -> None:
        """Rank 0 records it."""

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None:
        """Only rank 0 can be traced."""

    def note_norm(self, norm: torch.Tensor) -> None:
        """Rank 0 records it."""

    def capture_gradient(self) -> None:
        """Rank 0 records it."""

    def end(self, state: TrainingState, control: Control, losses: Iterable[torch.Tensor]) -> None:
        if state.global_step <= self._last_noise:
            add_noise(self._weight, self._epsilon, TorchDraws())
        self._follow(control)

    def log(self, state: TrainingState, control: Control, logs: dict[str, float]) -> None:
        self._follow(control)

    def evaluate(self, state: TrainingState, control: Control, metrics: dict[str, float]) -> None:
        self._follow(control)

    def save(self, state: TrainingState, write_state: Callable[[Path], None]) -> None:
        """Rank 0 writes the checkpoint."""

    def report(self, event: str, state: TrainingState, **fields: Any) -> None:
        """Rank 0 reports it."""

    def report_method(self, state: TrainingState, method: StepMethod) -> None:
        """Rank 0 reports its own method."""

    def alert(self, kind: str, message: str) -> None:
        """Only rank 0 has trackers."""

    def finish(self, state: TrainingState) -> None:
        """Rank 0 records it."""

    def _follow(self, control: Control) -> None:
        assert self.group is not None
        self.group.agree(control)
