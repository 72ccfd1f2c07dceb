"""Engines compute the steps of a run. Each is a module of this folder with a function `build`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import nn
from transformers import PreTrainedModel

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.errors import ConfigInvalid
from bh_bridge.training.control import TrainingState
from bh_bridge.training.step import Step

# The module of each `engine.name` of the configuration, imported on first use.
ENGINES = {name: f"bh_bridge.engines.{name}" for name in ("trainer", "fast", "portable")}


class Engine(Protocol):
    """A training that can be resumed to the same bits. It calls the methods of its Step in the documented order."""

    @property
    def state(self) -> TrainingState:
        """The progress of the training."""
        ...

    @property
    def device(self) -> torch.device: ...

    def optimizer_state(self, weight: torch.Tensor) -> Mapping[str, object]:
        """The optimizer's state of a weight (`exp_avg`, …); empty before the first step."""
        ...

    def optimizer_settings(self, weight: torch.Tensor) -> Mapping[str, object]:
        """The optimizer's settings for the next step of a weight (`lr`, `weight_decay`, …)."""
        ...

    def total_norm(self) -> torch.Tensor:
        """The norm of all present gradients as one vector."""
        ...

    def train(self) -> object:
        """Compute the remaining steps until the control of the Step says to stop."""
        ...

    def evaluate(self) -> Mapping[str, float]:
        """Metrics on the held-out windows: `eval_loss` is the mean loss per token."""
        ...

    def save(self, directory: Path) -> None:
        """Write everything the next step depends on: model (HF layout), optimizer, random streams, data position."""
        ...

    def load(self, checkpoint: Path) -> None:
        """Load what `save` wrote: state and weights at once, the rest when `train` resumes."""
        ...


class Build(Protocol):
    """The type of `build`, which makes the engine of a run. `request` is that of `trainer.create`."""

    def __call__(
        self,
        model: PreTrainedModel,
        request: TrainerCreate,
        train_windows: Windows,
        held_out_windows: Windows | None,
        step: Step,
    ) -> Engine: ...


def foreseen_state(name: str, request: TrainerCreate, model: Any, weight: nn.Parameter) -> Mapping[str, object]:
    """The optimizer state that an engine will have for a weight; every engine module has such a function."""
    return importlib.import_module(ENGINES[name]).foreseen_state(request, model, weight)


def find_engine(name: str) -> Build:
    """Return `build` of an engine; ConfigInvalid if the engine does not exist."""
    if name not in ENGINES:
        known = ", ".join(f'"{engine}"' for engine in ENGINES)
        raise ConfigInvalid(f'engine: "{name}" is not an engine. Use {known}')
    return importlib.import_module(ENGINES[name]).build
