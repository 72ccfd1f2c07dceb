"""HF's Trainer with exact resuming: its checkpoints contain everything the next step depends on, without pickles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import safe_open
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState

from bh_bridge.hf_internals import OpenTrainer
from bh_bridge.models.model import load_like, save_model
from bh_bridge.storage import checkpoints


class DurableTrainer(OpenTrainer):
    """Trainer that resumes to the bits of an uninterrupted training."""

    def __init__(self, *, model: PreTrainedModel, callbacks: list[TrainerCallback], **options: Any) -> None:
        self._plain_model = model
        self._resume_from: Path | None = None  # the checkpoint that `train` resumes from
        self._epoch = -1  # index of the current epoch
        self._epoch_began_at: int | None = None  # global step
        self._position = (0, 0)  # the epoch that `train` starts in, and its batches to skip
        super().__init__(model=model, callbacks=[_EpochCallback(self), *callbacks], **options)

    def train(self, *_: Any, **__: Any) -> Any:
        return super().train(resume_from_checkpoint=None if self._resume_from is None else str(self._resume_from))

    def save(self, directory: Path) -> None:
        """Write everything that the next step depends on, instead of HF's pickles."""
        save_model(self._plain_model, directory)
        checkpoints.save_optimizer(self._plain_optimizer(), directory)
        checkpoints.save_random_state(directory)
        (directory / "scheduler.json").write_text(json.dumps(self._scheduler().state_dict()), encoding="utf-8")
        self.state.save_to_json(str(directory / "trainer_state.json"))
        (directory / "progress.json").write_text(json.dumps(self._progress()), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        """Restore weights and state now; `train` restores them again, with everything else."""
        self._resume_from = checkpoint
        self.load_weights(checkpoint)
        self.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        self.state.max_steps = self.args.max_steps

    def load_weights(self, checkpoint: Path) -> None:
        """Load the weights, also of a family that transformers saves under other names (the experts of Mixtral)."""
        with safe_open(checkpoint / "model.safetensors", "pt") as file:
            names = set(file.keys())
        if names <= self._plain_model.state_dict().keys():
            super().load_weights(checkpoint)
        else:
            self._plain_model.load_state_dict(load_like(self._plain_model, checkpoint).state_dict())

    def restore_progress(self) -> None:
        """Restore the progress that `train` resets; called when it begins."""
        if self._resume_from is None:
            return
        progress = _read_progress(self._resume_from)
        self.loss_since_log = torch.tensor(progress["total_loss"], device=self.args.device)
        self.loss_before_log = progress["total_loss_before_last_log"]
        self.last_logged_step = progress["last_logged_step"]
        epoch, batches = self._position
        self._epoch = epoch - 1
        self._epoch_began_at = self.state.global_step - batches // self.args.gradient_accumulation_steps

    def begin_epoch(self) -> None:
        """Count epochs; called when one begins or a run resumes within one."""
        self._epoch += 1
        if self._epoch_began_at is None:
            self._epoch_began_at = self.state.global_step

    def end_epoch(self) -> None:
        self._epoch_began_at = None

    def _progress(self) -> checkpoints.Progress:
        began_at = self.state.global_step if self._epoch_began_at is None else self._epoch_began_at
        epoch_ends = self.control.should_epoch_stop or (self.state.epoch or 0) >= self._epoch + 1
        return {
            "total_loss": self.loss_since_log.item(),
            "total_loss_before_last_log": self.loss_before_log,
            "last_logged_step": self.last_logged_step,
            "epoch": self._epoch + 1 if epoch_ends else self._epoch,
            "steps_in_epoch": 0 if epoch_ends else self.state.global_step - began_at,
        }

    def training_position(self, epoch: int, batches: int) -> tuple[int, int]:
        """HF divides the step by the steps per epoch, which is wrong after a shortened epoch."""
        self._position = epoch, batches
        if self._resume_from is not None:
            progress = _read_progress(self._resume_from)
            if progress["epoch"] is not None:
                steps = progress["steps_in_epoch"]
                self._position = progress["epoch"], steps * self.args.gradient_accumulation_steps
        return self._position

    def load_optimizer(self, checkpoint: Path) -> None:
        checkpoints.load_optimizer(self._plain_optimizer(), checkpoint)
        self._scheduler().load_state_dict(json.loads((checkpoint / "scheduler.json").read_text(encoding="utf-8")))

    def load_random_streams(self, checkpoint: Path) -> None:
        checkpoints.load_random_state(checkpoint)

    def _plain_optimizer(self) -> torch.optim.Optimizer:
        """torch's optimizer without accelerate's wrapper; it exists once training has begun."""
        return cast("torch.optim.Optimizer", getattr(self.optimizer, "optimizer", self.optimizer))

    def _scheduler(self) -> torch.optim.lr_scheduler.LRScheduler:
        return cast("torch.optim.lr_scheduler.LRScheduler", self.lr_scheduler)


class _EpochCallback(TrainerCallback):
    """Notifies a trainer of the start of training and of epochs."""

    def __init__(self, trainer: DurableTrainer) -> None:
        self._trainer = trainer

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.restore_progress()

    def on_epoch_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.begin_epoch()

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.end_epoch()


def _read_progress(checkpoint: Path) -> checkpoints.Progress:
    return json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))
