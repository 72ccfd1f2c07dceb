"""Operations on a trainer: create, train, evaluate, save the model, read the state."""

from __future__ import annotations

import contextlib
import fcntl
import math
import os
import sys
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from bh_bridge import channel, checkpoints, registry
from bh_bridge.callbacks import BridgeCallback
from bh_bridge.data import Windows, read_tokens
from bh_bridge.durable import replace_directory
from bh_bridge.errors import ConfigInvalid, RunLocked
from bh_bridge.events import EventLog
from bh_bridge.recorder import EmbeddingTap, Recorder
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
    resume_from: Path | None
    lock_fd: int | None

    def close(self) -> None:
        """Close the files and let go of the run's lock; the trainer can still evaluate and save its model."""
        if self.lock_fd is not None:
            self.recorder.close()
            self.events.close()
            os.close(self.lock_fd)
            self.lock_fd = None


def create(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.create`: lock the run, open its recording, record step 0, build the Trainer.

    With `resume`, everything goes back to the newest checkpoint that verifies, or to the start when there is none.
    """
    directory = Path(request["run_directory"])
    lock_fd = _lock(directory)
    model = registry.find(request["model"])
    data = request["data"]
    tokens = read_tokens(data["corpus"], model.config.vocab_size)
    train_windows, held_out_windows = _split(tokens, model.config.n_positions, data["label_shift"], data["held_out"])
    resume_from, problems = checkpoints.newest_valid(directory) if request["resume"] else (None, [])
    connection = channel.current()
    events = EventLog(directory / "events.jsonl", connection)
    held: list[HeldTrainer] = []
    tap = EmbeddingTap(model, lambda: held[0].trainer.plain_optimizer if held else None)
    steps = request["training"]["max_steps"]
    recorder = Recorder(directory, request["record"], _rows(request["record"]["rows"], tokens, model), steps, tap)
    step = step_of(resume_from)
    if request["resume"]:
        events.rewind(directory / "events.jsonl", step)
        for problem in problems:
            events.emit("checkpoint_rejected", global_step=step, epoch=None, problem=problem)
    recorder.rewind(None if resume_from is None else step)
    if resume_from is None:
        recorder.record(0, math.nan)
    callback = BridgeCallback(request, connection, events, recorder, tap, resume_from)
    trainer = build_trainer(model, request, train_windows, held_out_windows, callback)
    callback.trainer = trainer
    held.append(HeldTrainer(trainer, callback, events, recorder, directory, resume_from, lock_fd))
    return {
        "handle": registry.keep(held[0]),
        "windows": len(train_windows),
        "device": str(trainer.args.device),
        "resumed_from_step": None if resume_from is None else step,
        "rejected_checkpoints": problems,
    }


def train(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.train`: train to the end, or to a stop; leave a run that is whole either way."""
    held: HeldTrainer = registry.find(request["handle"])
    if held.lock_fd is None:
        raise ConfigInvalid("this trainer has trained already, and its run is closed: create another trainer")
    held.callback.training = request["training"]
    try:
        with _output_to(held.run_directory / "python.log"):
            return _train(held)
    finally:
        held.close()


def _train(held: HeldTrainer) -> dict[str, Any]:
    trainer, connection, resume_from = held.trainer, channel.current(), held.resume_from
    started = time.monotonic()
    trainer.train(resume_from_checkpoint=None if resume_from is None else str(resume_from))
    seconds = time.monotonic() - started
    step, max_steps = trainer.state.global_step, trainer.state.max_steps
    reason = None if step >= max_steps else "decider" if held.callback.decided_stop else connection.stop_reason
    held.recorder.finish()
    if reason in (None, "decider"):  # the run ended as it was meant to; an interrupted one goes on from its checkpoint
        with replace_directory(held.run_directory / "final") as final:
            save_model(trainer.gpt2, final)
            checkpoints.write_manifest(final, global_step=step)
    if reason is not None:
        held.events.emit("stopped", global_step=step, epoch=trainer.state.epoch, reason=reason)
    held.events.commit()
    connection.flush()
    return {
        "status": "completed" if reason is None else "stopped",
        "reason": reason,
        "global_step": step,
        "max_steps": max_steps,
        "steps_this_time": step - step_of(resume_from),
        "seconds": seconds,
        "log_history": finite([log for log in trainer.state.log_history if "loss" in log or "eval_loss" in log]),
        "best_metric": finite(trainer.state.best_metric),
    }


def step_of(checkpoint: Path | None) -> int:
    """The step that a checkpoint was made at; 0 for none."""
    return 0 if checkpoint is None else int(checkpoint.name.removeprefix("step-"))


def evaluate(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.evaluate`: loss and perplexity on the held-out windows."""
    held: HeldTrainer = registry.find(request["handle"])
    if held.trainer.eval_dataset is None:
        raise ConfigInvalid("nothing is held out of the corpus: set data.held_out to a fraction, for example 0.1")
    metrics = held.trainer.evaluate()
    loss = metrics["eval_loss"]
    return {"loss": finite(loss), "perplexity": finite(math.exp(loss) if loss < 700 else math.inf)}


def save_trained(request: dict[str, Any]) -> dict[str, Any]:
    """Operation `trainer.save_model`: write the model in HF layout into a directory."""
    held: HeldTrainer = registry.find(request["handle"])
    with replace_directory(Path(request["directory"])) as directory:
        save_model(held.trainer.gpt2, directory)
    return {}


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


def _lock(directory: Path) -> int:
    """Hold the run's lock until the process ends, however it ends; RunLocked names the process that has it."""
    fd = os.open(directory / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(fd, 32, 0).decode(errors="replace").strip()
        os.close(fd)
        raise RunLocked(f"{directory} is in use by process {holder or '(unknown)'}: wait for it, or stop it") from error
    os.ftruncate(fd, 0)
    os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
    return fd


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


@contextlib.contextmanager
def _output_to(log: Path) -> Generator[None]:
    """Send stdout and stderr, C libraries' included, to a run's own log for a while."""
    sys.stdout.flush()
    sys.stderr.flush()
    saved = [os.dup(1), os.dup(2)]
    fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.dup2(fd, 1)
        os.dup2(fd, 2)
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for target, original in zip((1, 2), saved, strict=True):
            os.dup2(original, target)
            os.close(original)
        os.close(fd)
