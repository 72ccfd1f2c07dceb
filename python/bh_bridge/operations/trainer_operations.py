"""Operations on a trainer: create, train, evaluate, read the state, close."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from pathlib import Path

from transformers import PreTrainedModel

from bh_bridge.bridge import channel, registry
from bh_bridge.bridge.messages import (
    Handle,
    TrainerClose,
    TrainerCloseReply,
    TrainerCreate,
    TrainerCreateReply,
    TrainerEvaluate,
    TrainerEvaluateReply,
    TrainerState,
    TrainerStateReply,
    TrainerTrain,
    TrainerTrainReply,
)
from bh_bridge.bridge.wire import finite
from bh_bridge.data.corpus import Corpus, read_corpus, split_windows
from bh_bridge.engines import Engine, find_engine, foreseen_state
from bh_bridge.errors import ConfigInvalid, RankEnded
from bh_bridge.models import own_model
from bh_bridge.models.families import embedding_of
from bh_bridge.models.model import blueprint_of, save_model
from bh_bridge.process.environment import write_environment
from bh_bridge.process.lock_holders import hold_lock, release_lock
from bh_bridge.process.output_log import output_to
from bh_bridge.process.renewal import LibraryState
from bh_bridge.ranks.team import Team
from bh_bridge.recording.events import EventLog
from bh_bridge.recording.quantities import OptimizerView, Quantities
from bh_bridge.recording.recorder import EmbeddingTap, Recorder
from bh_bridge.recording.step_trace import StepTrace
from bh_bridge.storage import checkpoints
from bh_bridge.storage.disk_errors import storage_errors
from bh_bridge.storage.durable import replace_directory
from bh_bridge.storage.model_directory import save_tokenizer
from bh_bridge.storage.trainer_state import import_trainer_state
from bh_bridge.training.control import TrainingState
from bh_bridge.training.resuming import Resumption, go_back, prepare_directory
from bh_bridge.training.run_step import RunStep

OUTPUT_LOG = "python.log"  # of a run: the output of Python and its libraries


@dataclass
class HeldTrainer:
    """An engine and the files of its run. `create` opens them, `train` closes them."""

    model: PreTrainedModel
    engine: Engine
    step: RunStep
    events: EventLog
    recorder: Recorder
    run_directory: Path
    max_steps: int
    lock_fd: int | None
    team: Team | None  # of a training in several processes
    libraries: LibraryState = field(default_factory=LibraryState)  # at the end of `create`; restored before training
    is_new: bool = True  # it starts from the weights of the model, not from a checkpoint
    checkpoint: Path | None = None  # loaded by the engine

    def close(self) -> None:
        """Close the files and release the lock of the run; the trainer can still evaluate and save its model."""
        if self.lock_fd is not None:
            self.step.close()
            self.step.group = None
            if self.team is not None:
                self.team.close()
            self.recorder.close()
            self.events.close()
            release_lock(self.lock_fd)
            self.lock_fd = None


def create(request: TrainerCreate) -> TrainerCreateReply:
    """Operation `trainer.create`: lock the run, open its recording, build the engine; `train` records step 0.

    With `resume`, everything returns to the newest valid checkpoint, or to the start if there is none.
    """
    directory = Path(request["run_directory"])
    with storage_errors(directory), contextlib.ExitStack() as undo:
        lock_fd = hold_lock(directory)
        undo.callback(release_lock, lock_fd)
        reply = _create(request, directory, lock_fd, undo)
        undo.pop_all()  # the trainer closes them from now on
        return reply


def _create(request: TrainerCreate, directory: Path, lock_fd: int, undo: contextlib.ExitStack) -> TrainerCreateReply:
    build = find_engine(request["engine"]["name"])
    model = registry.find(request["model"])
    data, steps = request["data"], request["training"]["max_steps"]
    vocab = len(embedding_of(model))
    corpus = read_corpus(data, vocab)
    train_windows, held_out_windows = split_windows(corpus, data["window_length"], data)
    _require_one_process_where_needed(request)
    own_model.require_loss(model, data["window_length"], "compute_loss_func" not in request["training"])
    checkpoint_bytes = prepare_directory(directory, model, request)
    write_environment(directory)
    team = None
    if request["engine"]["processes"] > 1:
        team = Team(request, Path(channel.current().folder), directory / OUTPUT_LOG)
        undo.callback(team.close)
    first_step = import_trainer_state(request["start_from"], directory, model) if request["start_from"] else 0
    tap = EmbeddingTap(model)
    optimizer = OptimizerView(  # called once the engine below exists
        lambda weight: engine.optimizer_state(weight),
        lambda weight: engine.optimizer_settings(weight),
        lambda weight: foreseen_state(request["engine"]["name"], request, model, weight),
        lambda: engine.total_norm(),
    )
    quantities = Quantities(model, request["record"]["tensors"], optimizer)
    undo.callback(quantities.close)
    rows = _rows(request["record"]["rows"], corpus, vocab)
    recorder = Recorder(directory, request["record"], rows, steps, quantities, first_step, request["until"])
    undo.callback(recorder.close)
    connection = channel.current()
    events = EventLog(directory / "events.jsonl", connection)
    undo.callback(events.close)
    trace = None
    if request["trace"]:
        trace = StepTrace(
            Path(request["trace"]["directory"]),
            request["trace"]["step"],
            model,
            lambda weight: engine.optimizer_state(weight),
            lambda weight: engine.optimizer_settings(weight),
        )
        undo.callback(trace.close)
    step = RunStep(request, connection, events, recorder, tap, trace, checkpoint_bytes)
    engine = build(model, request, train_windows, held_out_windows, step)
    held = HeldTrainer(model, engine, step, events, recorder, directory, steps, lock_fd, team)
    resumed = go_back(held, exact=request["resume"] == "exact") if request["resume"] else Resumption(None, -1, [])
    held.checkpoint = resumed.checkpoint
    held.is_new = resumed.checkpoint is None
    if held.is_new and request["start_from"]:
        held.checkpoint = checkpoints.checkpoint_path(directory, first_step)
        engine.load(held.checkpoint)
    held.libraries = LibraryState()
    return {
        "handle": registry.keep(held),
        "windows": len(train_windows),
        "device": str(engine.device),
        "from_step": engine.state.global_step,
        "recorded_step": resumed.recorded_step,
        "rejected_checkpoints": resumed.problems,
    }


def train(request: TrainerTrain) -> TrainerTrainReply:
    """Operation `trainer.train`: train to the end or until stopped; the run is complete on disk either way."""
    held = untrained(request["handle"])
    with closing_after(held), output_to(held.run_directory / OUTPUT_LOG) as log:
        held.step.attach(request["training"], log)
        held.libraries.restore()  # other calls since `create` may have drawn random numbers
        return train_held(held)


def untrained(handle: Handle) -> HeldTrainer:
    """Return a trainer that has not trained yet; ConfigInvalid otherwise."""
    held: HeldTrainer = registry.find(handle)
    if held.lock_fd is None:
        raise ConfigInvalid("this trainer has already trained, and its run is closed: create another trainer")
    return held


@contextlib.contextmanager
def closing_after(held: HeldTrainer) -> Generator[None]:
    """Close a trainer however its training ends, and explain an error of a rank."""
    try:
        with storage_errors(held.run_directory):
            yield
    except RankEnded as error:
        raise error if held.team is None else held.team.explain(error) from error
    finally:
        held.close()


def train_held(held: HeldTrainer) -> TrainerTrainReply:
    """Train to the end or until stopped; return the reply of `trainer.train`.

    The initial state is recorded here, not in `create`, because other calls can change the model in between.
    """
    engine, events = held.engine, held.events
    first_step, max_steps = engine.state.global_step, held.max_steps
    if held.is_new:
        held.recorder.record(first_step, math.nan)
    if first_step < max_steps and held.team is not None:
        held.step.group = held.team.meet(blueprint_of(held.model), held.checkpoint)
        held.step.group.share_start(held.model)
    started = time.monotonic()
    if first_step < max_steps:
        engine.train()
    else:  # the process died after the last step
        events.emit("train_end", global_step=first_step, epoch=engine.state.epoch)
    seconds = time.monotonic() - started
    state = engine.state
    reason = held.step.stop_reason(state)
    held.recorder.commit()
    if reason is not None and reason != "orphaned":  # an orphan exits within a second and will be resumed
        held.recorder.shorten()
    if reason in (None, "decider"):  # an interrupted run has no final model: it resumes from its checkpoint
        _save_final(held, state.global_step)
    if reason is not None:
        events.emit("stopped", global_step=state.global_step, epoch=state.epoch, reason=reason)
    events.commit()
    return {
        "status": "completed" if reason is None else "stopped",
        "reason": reason,
        "global_step": state.global_step,
        "max_steps": max_steps,
        "steps_this_time": state.global_step - first_step,
        "seconds": seconds,
        "log_history": finite([log for log in state.log_history if "loss" in log or "eval_loss" in log]),
        "best_metric": finite(state.best_metric),
    }


def _save_final(held: HeldTrainer, step: int) -> None:
    """Write the trained model into `final/`, unless an earlier process already did."""
    target = held.run_directory / "final"
    if checkpoints.problem_of(target) is None and checkpoints.read_manifest(target)["global_step"] == step:
        return
    with replace_directory(target) as final:
        save_model(held.model, final)
        if (held.run_directory / "tokenizer.json").exists():
            save_tokenizer(held.run_directory / "tokenizer.json", final)
        checkpoints.write_manifest(final, global_step=step)
        checkpoints.copy_foreign_files(target, final)


def evaluate(request: TrainerEvaluate) -> TrainerEvaluateReply:
    """Operation `trainer.evaluate`: loss and perplexity on the held-out windows."""
    held: HeldTrainer = registry.find(request["handle"])
    if not held.step.has_held_out:
        raise ConfigInvalid("no text is held out: set data.held_out to a fraction, for example 0.1")
    loss = held.engine.evaluate()["eval_loss"]
    return {"loss": finite(loss), "perplexity": finite(math.exp(loss) if loss < 700 else math.inf)}


def state(request: TrainerState) -> TrainerStateReply:
    """Operation `trainer.state`: the fields of TrainingState."""
    held: HeldTrainer = registry.find(request["handle"])
    return finite({name: getattr(held.engine.state, name) for name in TrainingState.__annotations__})


def close(request: TrainerClose) -> TrainerCloseReply:
    """Operation `trainer.close`: close the files, release the lock of the run, forget the trainer."""
    registry.find(request["handle"]).close()
    return registry.release(request)


def _require_one_process_where_needed(request: TrainerCreate) -> None:
    """Refuse requests that several processes do not support; TypeScript has checked the configuration."""
    if request["engine"]["processes"] == 1:
        return
    if request["trace"]:
        raise ConfigInvalid("a step can be traced only in one process: set engine.processes=1")
    if request["device"] == "mps":
        raise ConfigInvalid(
            "engine.processes: each process needs its own GPU, and a Mac has only one. Train on the CPU (device=cpu)"
        )


def _rows(rows: str | list[int], corpus: Corpus, vocab: int) -> list[int] | None:
    """The rows to record as token ids; None for all."""
    if rows == "all":
        return None
    if not isinstance(rows, str):
        return list(rows)
    live = corpus.live(vocab)
    return live if rows == "live" else sorted(set(range(vocab)).difference(live))
