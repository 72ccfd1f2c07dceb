"""The state and control that an engine passes to the Step: fields of TrainerState and TrainerControl.

The classes of transformers match these protocols; other engines subclass them.
"""

from __future__ import annotations

from typing import Protocol, TypedDict


class TrainingState(Protocol):
    """The progress of a training; the reply of `trainer.state` has these fields."""

    global_step: int
    max_steps: int
    epoch: float
    num_train_epochs: int
    logging_steps: int
    train_batch_size: int | None = None
    best_metric: float | None = None
    best_global_step: int | None = None
    log_history: list[dict[str, float]]


class Position(TypedDict):
    """The step and the epoch of an event."""

    global_step: int
    epoch: float | None


class Control(Protocol):
    """What the engine must do after a step, in this order: log, evaluate, save, end the epoch or the training."""

    should_log: bool = False
    should_evaluate: bool = False
    should_save: bool = False
    should_epoch_stop: bool = False
    should_training_stop: bool = False


CONTROL_FIELDS = tuple(Control.__annotations__)
