"""Engines: what computes the steps of a run. Each is a module of this folder with a function `build`."""

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

# The module of each `engine` of the configuration, imported when a run asks for it.
ENGINES = {"trainer": "bh_bridge.engines.trainer", "fast": "bh_bridge.engines.fast"}


class Engine(Protocol):
    """A training that can be gone on with to the same bits. It calls its RunStep, as the RunStep says."""

    @property
    def state(self) -> TrainingState:
        """Where the training is."""
        ...

    @property
    def device(self) -> torch.device: ...

    def optimizer_state(self, weight: torch.Tensor) -> Mapping[str, Any]:
        """What the optimizer keeps for a weight (`exp_avg`, …); nothing before its first step."""
        ...

    def optimizer_settings(self, weight: torch.Tensor) -> Mapping[str, Any]:
        """What the optimizer is about to step a weight with (`lr`, `weight_decay`, …)."""
        ...

    def train(self) -> object:
        """Make the steps that are left, until the control of the RunStep says to stop."""
        ...

    def evaluate(self) -> Mapping[str, float]:
        """Metrics on the held-out windows: `eval_loss` is the mean loss of a token."""
        ...

    def save(self, directory: Path) -> None:
        """Write what the next step depends on: model (HF layout), optimizer, random streams, place in the data."""
        ...

    def load(self, checkpoint: Path) -> None:
        """Take what `save` wrote: state and weights are those of the checkpoint now, and `train` goes on after it."""
        ...


class Build(Protocol):
    """`build` of an engine's module: the engine of a new run. `request` is that of `trainer.create`."""

    def __call__(
        self,
        model: PreTrainedModel,
        request: TrainerCreate,
        train_windows: Windows,
        held_out_windows: Windows | None,
        step: Step,
    ) -> Engine: ...


def foreseen_state(name: str, request: TrainerCreate, model: Any, weight: nn.Parameter) -> Mapping[str, Any]:
    """What the optimizer of an engine will keep for a weight, by name: each engine's module has such a function."""
    return importlib.import_module(ENGINES[name]).foreseen_state(request, model, weight)


def find_engine(name: str) -> Build:
    """`build` of the engine of this name; ConfigInvalid when there is none."""
    if name not in ENGINES:
        known = ", ".join(f'"{engine}"' for engine in ENGINES)
        raise ConfigInvalid(f'engine: "{name}" is not an engine of this bh-bridge: expected {known}')
    return importlib.import_module(ENGINES[name]).build
