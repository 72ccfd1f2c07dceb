"""Going back: a run that ended early is put into the state of its newest checkpoint, and told what it did after it."""

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

CHECKSUMS_FILE = "SHA256SUMS"  # Node writes it when a run ends


@dataclass(frozen=True)
class Resumption:
    """Where a run goes on."""

    checkpoint: Path | None  # None: from the start
    recorded_step: int  # up to here, what is recomputed is compared; -1 when nothing is recorded
    problems: list[str]  # why newer checkpoints were passed over


class Resumable(Protocol):
    """The parts of a run that go back together."""

    engine: Engine
    step: RunStep
    events: EventLog
    recorder: Recorder
    run_directory: Path


def prepare_directory(directory: Path, model: PreTrainedModel, request: TrainerCreate) -> None:
    """Clear away what a process that died left half made, and see that checkpoints and model have room.

    The checksums that the end of a run left go too, before anything that they cover changes; its next end makes others.
    The histories are not counted here: their space is reserved when they are opened. DiskFull names the bytes.
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
    )  # one more while it is made
    needed, free = missing * one + weights, free_bytes(directory)
    if needed > free:
        raise DiskFull(
            f"the checkpoints in {directory} need about {needed:,} bytes and the disk has {free:,} left: free "
            f"{needed - free:,} bytes, or keep fewer (checkpoint.keep)"
        )
    (directory / CHECKSUMS_FILE).unlink(missing_ok=True)
    sync_directory(directory)


def go_back(run: Resumable, *, exact: bool) -> Resumption:
    """Load the newest checkpoint that verifies, and rewind events and history to it; to the start when there is none.

    `exact` compares what is recomputed with what was recorded; otherwise the recorded steps after the checkpoint are
    taken back.
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
    run.step.goes_on = size > 0
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
