"""Operations on a trainer: create, train, evaluate, read the state."""

from __future__ import annotations

import contextlib
import math
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bh_bridge import channel, checkpoints, registry
from bh_bridge.callbacks import BridgeCallback
from bh_bridge.data import Windows, read_tokens
from bh_bridge.durable import replace_directory
from bh_bridge.environment_record import write_environment
from bh_bridge.errors import ConfigInvalid
from bh_bridge.events import EventLog
from bh_bridge.optimizers import moment_dtype
from bh_bridge.output_log import output_to
from bh_bridge.recorder import EmbeddingTap, Recorder
from bh_bridge.resuming import Resumption, go_back, prepare_directory
from bh_bridge.run_lock import hold_lock
from bh_bridge.storage import storage_errors
from bh_bridge.trainer_state import import_trainer_state
from bh_bridge.training import RunTrainer, build_trainer, save_model
from bh_bridge.wire import finite


@dataclass
class HeldTrainer:
    """A trainer with what it writes to; `create` opens everything, `train` closes it."""

    trainer: RunTrainer
    callback: BridgeCallback
    events: EventLog
    recorder: Recorder
    run_directory: Path
    lock_fd: int | None

    @property
    def first_step(self) -> int:
        """The step that training goes on from."""
        return 0 if self.trainer.resume_from is None else checkpoints.step_of(self.trainer.resume_from)

    def close(self) -> None:
        """Close the files and let go of the run's lock; the trainer can still evaluate and save its model."""
        if self.lock_fd is not None:
            self.callback.close()
            self.recorder.close()
            self.events.close()
            os.close(self.lock_fd)
            self.lock_fd = None


def create(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.create`: lock the run, open its recording, record step 0, build the Trainer.

    With `resume`, everything goes back to the newest checkpoint that verifies, or to the start when there is none.
    """
    directory = Path(request["run_directory"])
    with storage_errors(directory), contextlib.ExitStack() as undo:
        lock_fd = hold_lock(directory)
        undo.callback(os.close, lock_fd)
        reply = _create(request, directory, lock_fd, undo)
        undo.pop_all()  # from here on they are the trainer's to close
        return reply


def _create(request: dict[str, Any], directory: Path, lock_fd: int, undo: contextlib.ExitStack) -> dict[str, Any]:
    model = registry.find(request["model"])
    data, steps = request["data"], request["training"]["max_steps"]
    tokens = read_tokens(data["corpus"], model.config.vocab_size)
    train_windows, held_out_windows = _split(tokens, model.config.n_positions, data["label_shift"], data["held_out"])
    prepare_directory(directory, model, request)
    write_environment(directory)
    first_step = import_trainer_state(request["start_from"], directory) if request["start_from"] else 0
    held: list[HeldTrainer] = []
    moments = moment_dtype(request, model.transformer.wte.weight.dtype)
    tap = EmbeddingTap(model, moments, lambda: held[0].trainer.plain_optimizer if held else None)
    rows = _rows(request["record"]["rows"], tokens, model)
    recorder = Recorder(directory, request["record"], rows, steps, tap, first_step)
    undo.callback(recorder.close)
    connection = channel.current()
    events = EventLog(directory / "events.jsonl", connection)
    undo.callback(events.close)
    callback = BridgeCallback(request, connection, events, recorder, tap)
    trainer = build_trainer(
        model, request, train_windows, held_out_windows, callback, commit_recording=callback.commit_recording
    )
    callback.trainer = trainer
    held.append(HeldTrainer(trainer, callback, events, recorder, directory, lock_fd))
    resumed = go_back(held[0], exact=request["resume"] == "exact") if request["resume"] else Resumption(None, -1, [])
    if resumed.checkpoint is None:
        recorder.record(first_step, math.nan)
        trainer.resume_from = checkpoints.checkpoint_path(directory, first_step) if request["start_from"] else None
    return {
        "handle": registry.keep(held[0]),
        "windows": len(train_windows),
        "device": str(trainer.args.device),
        "from_step": held[0].first_step,
        "recorded_step": resumed.recorded_step,
        "rejected_checkpoints": resumed.problems,
    }


def train(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.train`: train to the end, or to a stop; leave a run that is whole either way."""
    held: HeldTrainer = registry.find(request["handle"])
    if held.lock_fd is None:
        raise ConfigInvalid("this trainer has trained already, and its run is closed: create another trainer")
    held.callback.training = request["training"]
    try:
        with storage_errors(held.run_directory), output_to(held.run_directory / "python.log") as log:
            held.callback.output_log = log
            return _train(held)
    finally:
        held.close()


def _train(held: HeldTrainer) -> dict[str, Any]:
    trainer, connection, events = held.trainer, channel.current(), held.events
    checkpoint, first_step, max_steps = trainer.resume_from, held.first_step, trainer.args.max_steps
    started = time.monotonic()
    if checkpoint is not None and first_step >= max_steps:  # it died after its last step
        trainer.load_finished()
        events.emit("train_end", global_step=first_step, epoch=trainer.state.epoch)
    else:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    seconds = time.monotonic() - started
    step = trainer.state.global_step
    stopped = connection.stop_reason(held.callback.training) or "trainer"
    reason = None if step >= max_steps else "decider" if held.callback.decided_stop else stopped
    held.recorder.commit()
    if reason is not None and reason != "orphaned":  # an orphan has a second to live, and will be resumed
        held.recorder.shorten()
    if reason in (None, "decider"):  # the run ended as it was meant to; an interrupted one goes on from its checkpoint
        _save_final(held, step)
    if reason is not None:
        events.emit("stopped", global_step=step, epoch=trainer.state.epoch, reason=reason)
    events.commit()
    return {
        "status": "completed" if reason is None else "stopped",
        "reason": reason,
        "global_step": step,
        "max_steps": max_steps,
        "steps_this_time": step - first_step,
        "seconds": seconds,
        "log_history": finite([log for log in trainer.state.log_history if "loss" in log or "eval_loss" in log]),
        "best_metric": finite(trainer.state.best_metric),
    }


def _save_final(held: HeldTrainer, step: int) -> None:
    """Write the trained model into `final/`, unless it is there: it may have been the last thing before death."""
    target = held.run_directory / "final"
    if checkpoints.problem_of(target) is None and checkpoints.read_manifest(target)["global_step"] == step:
        return
    with replace_directory(target) as final:
        save_model(held.trainer.gpt2, final)
        checkpoints.write_manifest(final, global_step=step)
        checkpoints.copy_foreign_files(target, final)


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.evaluate`: loss and perplexity on the held-out windows."""
    held: HeldTrainer = registry.find(request["handle"])
    if held.trainer.eval_dataset is None:
        raise ConfigInvalid("nothing is held out of the corpus: set data.held_out to a fraction, for example 0.1")
    metrics = held.trainer.evaluate()
    loss = metrics["eval_loss"]
    return {"loss": finite(loss), "perplexity": finite(math.exp(loss) if loss < 700 else math.inf)}


def state(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.state`: TrainerState under its own names."""
    held: HeldTrainer = registry.find(request["handle"])
    current = held.trainer.state
    return finite(
        {
            "global_step": current.global_step,
            "max_steps": current.max_steps,
            "epoch": current.epoch,
            "num_train_epochs": current.num_train_epochs,
            "logging_steps": current.logging_steps,
            "train_batch_size": current.train_batch_size,
            "best_metric": current.best_metric,
            "best_global_step": current.best_global_step,
            "log_history": current.log_history,
        }
    )


def close(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.close`: close the files, let go of the run's lock, forget the trainer."""
    registry.find(request["handle"]).close()
    return registry.release(request)


def _split(tokens: torch.Tensor, length: int, label_shift: str, held_out: float) -> tuple[Windows, Windows | None]:
    """Training windows at every position; held-out windows side by side, from the end of the corpus."""
    kept = len(tokens) - int(len(tokens) * held_out)
    train_windows = Windows(tokens[:kept], length, label_shift)
    if not held_out:
        return train_windows, None
    return train_windows, Windows(tokens[kept:], length, label_shift, stride=length)


def _rows(rows: Any, tokens: torch.Tensor, model: Any) -> list[int] | None:
    """The rows to record as token ids; None for all."""
    if rows == "all":
        return None
    if rows == "dead":
        live = set(torch.unique(tokens).tolist())
        return [token for token in range(model.config.vocab_size) if token not in live]
    return list(rows)
