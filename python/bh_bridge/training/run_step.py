"""The part of a step that is common to all engines: noise, recording, events, deciders, checkpoints, stopping."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bh_bridge.bridge.channel import Channel
from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.bridge.protocol import schema
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.models.draws import draws_of
from bh_bridge.process.output_log import OutputLog
from bh_bridge.ranks.group import Group
from bh_bridge.recording.events import EventLog
from bh_bridge.recording.quantities import needs_forward
from bh_bridge.recording.recorder import EmbeddingTap, Recorder
from bh_bridge.recording.step_trace import StepTrace
from bh_bridge.storage import checkpoints
from bh_bridge.training.control import Control, Position, TrainingState
from bh_bridge.training.deciders import Deciders
from bh_bridge.training.step import add_noise
from bh_bridge.training.watch import Watch

# Always logged. Other events of transformers are sent only if a callback in TypeScript subscribes to them.
LOGGED_EVENTS = ("train_begin", "step_end", "log", "evaluate", "save", "train_end")
# Any process can stop a training by creating this file; src/runs/run-layout.ts does.
STOP_REQUEST = "stop.request"
COALESCIBLE_EVENTS = frozenset(schema()["coalescibleEvents"])
# Results stay on a GPU for at most this many steps, bytes and seconds, to avoid waiting for it at every step.
HELD_STEPS = 64
HELD_BYTES = 64 << 20
HELD_SECONDS = 0.25
# Between the checkpoints that the configuration asks for, replay points make the model of any step a short training
# away. There is one at a step of this grid if the steps since the last checkpoint took this many seconds, and this many
# times as long as it took to write.
REPLAY_POINTS_PER_INTERVAL = 8
REPLAY_SECONDS = 10.0
REPLAY_PER_SAVE = 100


class HeldStep(NamedTuple):
    """A step that is computed but not reported yet."""

    global_step: int
    epoch: float | None
    losses: list[torch.Tensor]
    is_finite: bool | torch.Tensor  # of the embedding


def steps_to_hold(device: torch.device, state_bytes: int) -> int:
    """The number of steps that may be computed before they are reported; state_bytes: recorded per step."""
    if device.type == "cpu":
        return 1
    return max(1, min(HELD_STEPS, HELD_BYTES // max(state_bytes, 1)))


class RunStep:
    """Handles every step of a training. An engine calls it and follows the control that it fills.

    In order: `begin`; for each step `capture_gradient` before the optimizer's step and `end` after it, then `log`,
    `evaluate` and `save` as the control says; `finish`.
    """

    def __init__(
        self,
        request: TrainerCreate,
        channel: Channel,
        events: EventLog,
        recorder: Recorder,
        tap: EmbeddingTap,
        trace: StepTrace | None,
        checkpoint_bytes: int,
    ) -> None:
        """checkpoint_bytes: the estimated size of a checkpoint."""
        self.group: Group | None = None  # of a training in several processes
        self.is_resumed = False  # from a checkpoint of this run, whose log already has the start
        self.needs_forward = needs_forward(request)  # the model's own forward pass is required
        self.has_held_out = bool(request["data"]["held_out"])
        self._training = 0
        self._output_log: OutputLog | None = None
        self._is_training = False
        self._loss = float("nan")  # of the latest reported step
        self._held: list[HeldStep] = []
        self._most_held = 1
        self._reported_at = 0.0  # monotonic seconds
        self._saves_to_stop = False
        self._saves_replay_point = False
        self._saved_at = 0.0  # monotonic seconds; at first the start
        self._save_seconds = 0.0
        self._checkpoint_bytes = checkpoint_bytes
        self._was_asked_to_stop = False
        self._channel = channel
        self._events = events
        self._watch = Watch(events)
        self._recorder = recorder
        self._tap = tap
        self._trace = trace
        self._deciders = Deciders(request["deciders"], channel, events, self.has_held_out)
        self._directory = Path(request["run_directory"])
        self._checkpoint_every: int | None = request["checkpoint"]["every"]
        self._keep: int = request["checkpoint"]["keep"]
        self._epsilon: float = request["noise"]["epsilon"]
        self._draws = draws_of("portable" if request["engine"]["name"] == "portable" else "torch")
        self._last_noise: float = request["noise"]["last_step"] or math.inf
        self._until: int | None = request["until"]
        self._subscribed = frozenset(request["events"]) - frozenset(LOGGED_EVENTS)

    def attach(self, training: int, output_log: OutputLog, *, is_one_of_several: bool = False) -> None:
        """Set the number of the training, by which Node stops it, and its output log.

        is_one_of_several: other trainings run at the same time, so messages name their training.
        """
        self._training = training
        self._output_log = output_log
        if is_one_of_several:
            self._events.name_training(training)
            self._channel.name_training(training)

    def begin(self, state: TrainingState, window_order: str | None = None) -> None:
        """A training starts or resumes after `state.global_step`.

        window_order: the checksum from `shrink_order`.
        """
        self._is_training = True
        self._take_stop_request()  # ignore a request that came too late for an earlier process
        self._watch.begin(state.global_step)
        self._saved_at = time.monotonic()
        self._most_held = steps_to_hold(self._tap.weight.device, self._recorder.state_bytes)
        if self._trace is not None:
            self._trace.begin(state.global_step)
        self._events.emit(
            "train_begin",
            durable=not self.is_resumed,
            global_step=state.global_step,
            epoch=state.epoch,
            max_steps=state.max_steps,
            logging_steps=state.logging_steps,
            num_train_epochs=state.num_train_epochs,
            train_batch_size=state.train_batch_size,
            window_order=window_order,
        )

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None:
        """Trace a batch whose gradients were computed without calling the model's modules."""
        if self._trace is not None:
            self._trace.batch_made(inputs, loss)

    def note_norm(self, norm: torch.Tensor) -> None:
        """Note the gradient norm before clipping; engines that do not clip do not call it."""
        self._recorder.note_norm(norm)

    def capture_gradient(self) -> None:
        """Copy gradients and other recorded quantities that the optimizer step changes."""
        self._recorder.capture()
        if self._trace is not None:
            self._trace.capture_gradient()

    @torch.no_grad()
    def end(self, state: TrainingState, control: Control, losses: Iterable[torch.Tensor]) -> None:
        """Finish step `state.global_step` after the optimizer, in the order of the notebook.

        losses: of the batches of the step, each divided by their number. On a GPU, several steps are recorded and
        reported together, and always before any other event.
        """
        if self._trace is not None:
            self._trace.step_made()
        if state.global_step <= self._last_noise:
            add_noise(self._tap.weight, self._epsilon, self._draws)
        if self._trace is not None:
            self._trace.end(state.global_step)
        self._held.append(HeldStep(state.global_step, state.epoch, list(losses), self._tap.is_finite))
        if self._most_held > 1:
            self._recorder.keep(state.global_step)
        if self._has_held_enough() or self._deciders.are_due("step_end", state):
            self._report_held()
        self._decide("step_end", state, control)
        self._check_stop(control)
        self._ask_for_checkpoint(state, control)
        if self._is_until(state):
            control.should_training_stop = True
        self._agree(control)

    def log(self, state: TrainingState, control: Control, logs: dict[str, float]) -> None:
        self._report_held()
        self._events.emit("log", global_step=state.global_step, epoch=state.epoch, logs=logs)
        self._decide("log", state, control)
        self._agree(control)

    def evaluate(self, state: TrainingState, control: Control, metrics: dict[str, float]) -> None:
        self._report_held()
        self._events.emit("evaluate", global_step=state.global_step, epoch=state.epoch, metrics=metrics)
        if self._is_training:
            self._decide("evaluate", state, control)
            self._agree(control)

    def save(self, state: TrainingState, write_state: Callable[[Path], None]) -> None:
        """Write a checkpoint with the files of `write_state`, remove the oldest, and report all but replay points.

        Recorded states are made durable first, so that a checkpoint is never ahead of the history.
        """
        self._report_held()
        began_at = time.monotonic()
        self._recorder.commit()
        checkpoints.write_checkpoint(
            self._directory,
            state.global_step,
            write_state,
            history_step=self._recorder.recorded_step,
            events_bytes=self._events.commit(),
            to_stop=self._saves_to_stop,
            replay_point=self._saves_replay_point,
        )
        checkpoints.prune(self._directory, self._keep)
        self._saved_at = time.monotonic()
        self._save_seconds = self._saved_at - began_at
        if not self._saves_replay_point:
            self.report_save(state)
        self._saves_replay_point = False

    def report_save(self, state: TrainingState) -> None:
        """Log a save. It follows its checkpoint, so a resumed run logs the checkpoint from which it resumes."""
        self._events.emit(
            "save",
            global_step=state.global_step,
            epoch=state.epoch,
            checkpoint=f"checkpoints/step-{state.global_step:06d}",
        )

    def report(self, event: str, state: TrainingState, **fields: Any) -> None:
        """Send an event that is not logged, if a callback subscribes to it."""
        if event in self._subscribed:
            self._report_held()
            self._events.emit(
                event,
                durable=False,
                droppable=event in COALESCIBLE_EVENTS,
                global_step=state.global_step,
                epoch=state.epoch,
                **fields,
            )

    def report_method(self, state: TrainingState, method: StepMethod) -> None:
        """Report how steps are computed from now on, and why: event `step_method`."""
        self._report_held()
        self._events.emit("step_method", global_step=state.global_step, epoch=state.epoch, **method._asdict())

    def alert(self, kind: str, message: str) -> None:
        """Report a problem that does not end the training: event `alert`."""
        self._watch.alert(kind, message)

    def finish(self, state: TrainingState) -> None:
        """The training has ended, completed or stopped."""
        self._report_held()
        self._watch.report_usage()
        self._events.emit("train_end", global_step=state.global_step, epoch=state.epoch)

    def stop_reason(self, state: TrainingState) -> str | None:
        """Why a training ended before its last step; None if it did not."""
        if state.global_step >= state.max_steps:
            return None
        if self._deciders.have_stopped:
            return "decider"
        if self._was_asked_to_stop:
            return "signal"
        return self._channel.stop_reason(self._training) or ("until" if self._is_until(state) else "trainer")

    def close(self) -> None:
        """Stop watching and tracing; called however the training ends."""
        self._is_training = False
        self._take_stop_request()
        self._watch.end()
        if self._trace is not None:
            self._trace.close()

    def _is_until(self, state: TrainingState) -> bool:
        """Whether the last requested step (`until`) is done."""
        return self._until is not None and state.global_step >= self._until

    def _agree(self, control: Control) -> None:
        """Copy the control to the other processes of the training."""
        if self.group is not None:
            self.group.agree(control)

    def _has_held_enough(self) -> bool:
        has_waited = time.monotonic() - self._reported_at >= HELD_SECONDS
        return len(self._held) >= self._most_held or has_waited or self._watch.is_measuring

    def _report_held(self) -> None:
        """Record and report the held steps."""
        held, self._held = self._held, []
        if not held:
            return
        losses = _sums([step.losses for step in held])
        if self._most_held > 1:
            self._recorder.record_kept({step.global_step: loss for step, loss in zip(held, losses, strict=True)})
        for step, loss in zip(held, losses, strict=True):
            self._loss = loss
            at: Position = {"global_step": step.global_step, "epoch": step.epoch}
            if self._most_held == 1:
                self._recorder.record(step.global_step, loss)
            self._events.emit("step_end", droppable=True, **at, loss=loss)
            self._watch.step(step.global_step, step.epoch, loss, bool(step.is_finite))
            if self._output_log is not None:
                self._output_log.mark(step.global_step)
        self._reported_at = time.monotonic()

    def _decide(self, event: str, state: TrainingState, control: Control) -> None:
        if self._saves_replay_point:  # a decider may ask for a checkpoint of this step
            control.should_save = False
        self._deciders.ask(self._training, event, state, self._loss, control)
        self._saves_replay_point = self._saves_replay_point and not control.should_save
        control.should_save = control.should_save or self._saves_replay_point

    def _check_stop(self, control: Control) -> None:
        self._was_asked_to_stop |= self._take_stop_request()
        if self._was_asked_to_stop or self._channel.stop_reason(self._training) is not None:
            control.should_training_stop = True

    def _take_stop_request(self) -> bool:
        """Whether a stop was requested since the last call."""
        try:
            os.unlink(self._directory / STOP_REQUEST)
        except FileNotFoundError:
            return False
        return True

    def _ask_for_checkpoint(self, state: TrainingState, control: Control) -> None:
        """Request a checkpoint at the interval, for a decider or Node, at the last step, and at a stop."""
        every, step = self._checkpoint_every, state.global_step
        # Steps that are trained again save only one checkpoint.
        is_at_interval = every and (step % every == 0 if self._until is None else step == every)
        is_asked = self._channel.take_save(self._training)
        is_due = control.should_save or is_asked or is_at_interval or state.global_step >= state.max_steps
        self._saves_to_stop = control.should_training_stop and not is_due  # an uninterrupted run has no such checkpoint
        self._saves_replay_point = not (is_due or self._saves_to_stop) and self._is_replay_point(step)
        control.should_save = bool(is_due or self._saves_to_stop or self._saves_replay_point)

    def _is_replay_point(self, step: int) -> bool:
        if self._checkpoint_every is None or self._until is not None:
            return False
        seconds = max(REPLAY_SECONDS, REPLAY_PER_SAVE * self._save_seconds)
        return (
            step % max(1, self._checkpoint_every // REPLAY_POINTS_PER_INTERVAL) == 0
            and time.monotonic() - self._saved_at >= seconds
            and checkpoints.has_room_for_replay_point(self._directory, self._checkpoint_bytes, self._keep)
        )


def _sums(losses: list[list[torch.Tensor]]) -> list[float]:
    """The sum of each list, copying all tensors from their device at once."""
    values = iter(torch.stack([loss for each in losses for loss in each]).tolist())
    return [sum(next(values) for _ in each) for each in losses]
