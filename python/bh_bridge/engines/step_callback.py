"""Forwards the events of HF's Trainer to the Step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from bh_bridge.training.step import Step


class StepCallback(TrainerCallback):
    """Hands every event of Trainer to the RunStep, in the order in which they happen."""

    def __init__(
        self, step: Step, take_losses: Callable[[], list[torch.Tensor]], window_order: Callable[[], str | None]
    ) -> None:
        """take_losses: returns the losses of the latest step. window_order: returns the result of `shrink_order`."""
        self._step = step
        self._take_losses = take_losses
        self._window_order = window_order

    def on_init_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("init_end", state)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.begin(state, self._window_order())

    def on_epoch_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("epoch_begin", state)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("step_begin", state)

    def on_substep_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("substep_end", state)

    def on_pre_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.capture_gradient()
        self._step.report("pre_optimizer_step", state)

    def on_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("optimizer_step", state)

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.end(state, control, self._take_losses())

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any) -> None:
        if "loss" in (logs or {}):  # not the summary of the whole training: timings of this process, not of the run
            self._step.log(state, control, logs)

    def on_evaluate(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._step.evaluate(state, control, metrics)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Do nothing: `RunStep.save` has reported it."""

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("epoch_end", state)

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.finish(state)

    def on_prediction_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("prediction_step", state)

    def on_predict(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._step.report("predict", state, metrics=metrics)

    def on_push_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("push_begin", state)
