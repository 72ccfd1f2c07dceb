"""Returns a run that ended early to the state of its newest checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from transformers import PreTrainedModel

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.engines import Engine
from bh_bridge.errors import DiskFull
from bh_bridge.recording.events import EventLog
from bh_bridge.recording.recorder import Recorder
from bh_bridge.storage import checkpoints
from bh_bridge.storage.durable import free_bytes, remove_leftovers, sync_directory
from bh_bridge.training.control import Position
from bh_bridge.training.optimizers import moment_dtype
from bh_bridge.training.run_step import RunStep

CHECKSUMS_FILE = "SHA256SUMS"  # written by Node at the end of a run
SIGNATURE_FILE = "SHA256SUMS.sig"  # of the checksums, written by Node


@dataclass(frozen=True)
class Resumption:
    """The point from which a run resumes."""

    checkpoint: Path | None  # None: from the start
    recorded_step: int  # recomputed states are compared up to here; -1 if none are recorded
    problems: list[str]  # why newer checkpoints were rejected


class Resumable(Protocol):
    """The parts of a run that return to a checkpoint together."""

    engine: Engine
    step: RunStep
    events: EventLog
    recorder: Recorder
    run_directory: Path


def prepare_directory(directory: Path, model: PreTrainedModel, request: TrainerCreate) -> int:
    """Remove leftovers of a dead process, and check the disk space for checkpoints and model.

    Returns the estimated bytes of a checkpoint.

    The checksums of a finished run are removed before any file changes; its next end writes new ones. The space of
    histories is reserved when they are opened. DiskFull names the bytes.
    """
    folder = directory / checkpoints.FOLDER
    folder.mkdir(exist_ok=True)
    sync_directory(directory)
    remove_leftovers(directory, r"final|history(\..+)?\.safetensors")
    remove_leftovers(folder, r"step-\d+")
    weights = sum(parameter.numel() * parameter.itemsize for parameter in model.parameters())
    one = weights + 2 * _moment_bytes(model, request)
    missing = max(
        0, request["checkpoint"]["keep"] + 1 - len(checkpoints.all_of(directory))
    )  # one more while it is written
    needed, free = missing * one + weights, free_bytes(directory)
    if needed > free:
        raise DiskFull(
            f"the checkpoints in {directory} need about {needed:,} bytes but the disk has {free:,} left: free "
            f"{needed - free:,} bytes, or reduce checkpoint.keep"
        )
    for name in (SIGNATURE_FILE, CHECKSUMS_FILE):
        (directory / name).unlink(missing_ok=True)
    sync_directory(directory)
    return one


def go_back(run: Resumable, *, exact: bool) -> Resumption:
    """Load the newest valid checkpoint, and rewind events and history to it, or to the start if there is none.

    exact: compare recomputed steps with the recorded ones; otherwise discard recorded steps after the checkpoint.
    """
    recorded_step = run.recorder.recorded_step
    checkpoint, problems = checkpoints.newest_valid(run.run_directory, run.recorder.covers)
    step = None if checkpoint is None else checkpoints.step_of(checkpoint)
    manifest = {"events_bytes": 0} if checkpoint is None else checkpoints.read_manifest(checkpoint)
    size: int = manifest["events_bytes"]
    run.events.rewind(size)
    if not exact:
        run.recorder.forget_after(step)
    run.recorder.rewind(step)
    run.step.is_resumed = size > 0
    at: Position = {"global_step": step or 0, "epoch": None}
    run.events.emit("resumed", **at, recomputed_to=max(recorded_step, 0) if exact else step or 0)
    for problem in problems:
        run.events.emit("checkpoint_rejected", **at, problem=problem)
    if checkpoint is not None:
        run.engine.load(checkpoint)
        if size > 0 and not manifest["to_stop"]:
            run.step.report_save(run.engine.state)
    return Resumption(checkpoint, recorded_step, problems)


def _moment_bytes(model: PreTrainedModel, request: TrainerCreate) -> int:
    """Bytes of one Adam moment of every weight."""
    return sum(parameter.numel() * moment_dtype(request, parameter.dtype).itemsize for parameter in model.parameters())
