"""A second engine: plain SGD with momentum on windows that are drawn at random. It is nowhere but in the tests."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.models.model import save_model
from bh_bridge.storage import checkpoints
from bh_bridge.training.control import Control, TrainingState
from bh_bridge.training.optimizers import settings_of
from bh_bridge.training.run_step import RunStep
from safetensors.torch import load_model
from transformers import GPT2LMHeadModel, set_seed

MOMENTUM = 0.9


def foreseen_state(_request: dict[str, Any], _model: Any, weight: torch.nn.Parameter) -> Mapping[str, Any]:
    """What SGD with momentum keeps for a weight."""
    return {"momentum_buffer": torch.empty_like(weight)}


class SgdState(TrainingState):
    """A new training of so many steps."""

    def __init__(self, training: dict[str, Any]) -> None:
        self.global_step = 0
        self.max_steps = training["max_steps"]
        self.epoch = 0.0
        self.num_train_epochs = 1
        self.logging_steps = training["logging_steps"]
        self.train_batch_size = training["per_device_train_batch_size"]
        self.log_history = []


class SgdControl(Control):
    """Nothing is asked for yet."""


class SgdEngine:
    """A loop over batches that the torch generator draws."""

    def __init__(
        self, model: GPT2LMHeadModel, request: dict[str, Any], windows: Windows, held_out: Windows | None, step: RunStep
    ) -> None:
        self.state: TrainingState = SgdState(request["training"])
        self._model = model
        self._windows = windows
        self._held_out = held_out
        self._step = step
        self._batch_size: int = request["training"]["per_device_train_batch_size"]
        self._optimizer = torch.optim.SGD(model.parameters(), request["training"]["learning_rate"], MOMENTUM)
        set_seed(request["seed"])  # of every random stream: a checkpoint holds them all

    @property
    def device(self) -> torch.device:
        return self._model.device

    def optimizer_state(self, weight: torch.Tensor) -> Mapping[str, Any]:
        return self._optimizer.state.get(weight, {})

    def optimizer_settings(self, weight: torch.Tensor) -> Mapping[str, Any]:
        return settings_of(self._optimizer, weight)

    def total_norm(self) -> torch.Tensor:
        return torch.nn.utils.get_total_norm([weight.grad for weight in self._model.parameters()])

    def train(self) -> None:
        control = SgdControl()
        self._model.train()
        self._step.begin(self.state)
        while self.state.global_step < self.state.max_steps and not control.should_training_stop:
            control = SgdControl()
            self._make_step(control)
        self._step.finish(self.state)

    def _make_step(self, control: Control) -> None:
        drawn = torch.randint(len(self._windows), (self._batch_size,)).tolist()
        loss = self._model(**self._windows.__getitems__(drawn)).loss
        loss.backward()
        self._step.capture_gradient()
        self._optimizer.step()
        self._optimizer.zero_grad()
        self.state.global_step += 1
        control.should_log = self.state.global_step % self.state.logging_steps == 0
        self._step.end(self.state, control, [loss])
        if control.should_log:
            logs = {"loss": loss.item(), "step": self.state.global_step}
            self.state.log_history.append(logs)
            self._step.log(self.state, control, logs)
        if control.should_evaluate:
            self._step.evaluate(self.state, control, self.evaluate())
        if control.should_save:
            self._step.save(self.state, self.save)

    def evaluate(self) -> dict[str, float]:
        assert self._held_out is not None
        self._model.eval()
        with torch.no_grad():
            loss = self._model(**self._held_out.__getitems__(list(range(len(self._held_out))))).loss.item()
        self._model.train()
        return {"eval_loss": loss}

    def save(self, directory: Path) -> None:
        save_model(self._model, directory)
        checkpoints.save_optimizer(self._optimizer, directory)
        checkpoints.save_random_state(directory)
        (directory / "state.json").write_text(json.dumps(vars(self.state)), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        load_model(self._model, checkpoint / "model.safetensors", strict=False)  # the head is the embedding
        checkpoints.load_optimizer(self._optimizer, checkpoint)
        checkpoints.load_random_state(checkpoint)
        vars(self.state).update(json.loads((checkpoint / "state.json").read_text(encoding="utf-8")))


def build(
    model: GPT2LMHeadModel,
    request: dict[str, Any],
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: RunStep,
) -> Engine:
    """The engine of a run."""
    return SgdEngine(model, request, train_windows, held_out_windows, step)
