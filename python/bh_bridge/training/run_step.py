"""The step of a run, whichever engine computes it: noise, record, tell, decide, checkpoint, stop."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from bh_bridge.bridge.channel import Channel
from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.bridge.protocol import schema
from bh_bridge.engines.step_method import StepMethod
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

# Always logged. The other events are those of transformers; they are sent only when a callback in TypeScript asks.
LOGGED_EVENTS = ("train_begin", "step_end", "log", "evaluate", "save", "train_end")
# Whoever may write into a run can ask its training to stop, from any process; src/runs/run-layout.ts does.
STOP_REQUEST = "stop.request"
COALESCIBLE_EVENTS = frozenset(schema()["coalescibleEvents"])
# A GPU is not waited for at every step: what it has computed stays there for so many steps, bytes and seconds at most.
HELD_STEPS = 64
HELD_BYTES = 64 << 20
HELD_SECONDS = 0.25


class HeldStep(NamedTuple):
    """A step that is made and not told yet."""

    global_step: int
    epoch: float | None
    losses: list[torch.Tensor]
    is_finite: bool | torch.Tensor  # the embedding


def steps_to_hold(device: torch.device, state_bytes: int) -> int:
    """How many steps may be made before the first of them is told; state_bytes: of what is recorded of one."""
    if device.type == "cpu":
        return 1
    return max(1, min(HELD_STEPS, HELD_BYTES // max(state_bytes, 1)))


class RunStep:
    """What a run does with every step of its training. An engine calls it, and obeys the control that it fills.

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
    ) -> None:
        self.group: Group | None = None  # of a training in several processes
        self.goes_on = False  # from a checkpoint of this run, whose log has the beginning already
        self.needs_forward = needs_forward(request)  # the model's own forward pass has to be run
        self.has_held_out = bool(request["data"]["held_out"])
        self._training = 0
        self._output_log: OutputLog | None = None
        self._is_training = False
        self._loss = float("nan")  # of the latest step that was told
        self._held: list[HeldStep] = []
        self._most_held = 1
        self._told_at = 0.0  # monotonic seconds
        self._saves_to_stop = False
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
        self._until: int | None = request["until"]
        self._subscribed = frozenset(request["events"]) - frozenset(LOGGED_EVENTS)

    def attach(self, training: int, output_log: OutputLog, *, is_one_of_several: bool = False) -> None:
        """Belong to the training of this number, which a stop names, and whose output goes to this log.

        is_one_of_several: other trainings are under way at the same time, and what is sent says whose it is.
        """
        self._training = training
        self._output_log = output_log
        if is_one_of_several:
            self._events.name_training(training)
            self._channel.name_training(training)

    def begin(self, state: TrainingState, window_order: str | None = None) -> None:
        """A training begins, or goes on after `state.global_step`.

        window_order: what is known of the order of the windows of text, as `shrink_order` says.
        """
        self._is_training = True
        self._take_stop_request()  # one that came too late for an earlier part of the run means nothing to this one
        self._watch.begin(state.global_step)
        self._most_held = steps_to_hold(self._tap.weight.device, self._recorder.state_bytes)
        if self._trace is not None:
            self._trace.begin(state.global_step)
        self._events.emit(
            "train_begin",
            durable=not self.goes_on,
            global_step=state.global_step,
            epoch=state.epoch,
            max_steps=state.max_steps,
            logging_steps=state.logging_steps,
            num_train_epochs=state.num_train_epochs,
            train_batch_size=state.train_batch_size,
            window_order=window_order,
        )

    def batch_made(self, inputs: Mapping[str, Any], loss: torch.Tensor) -> None:
        """Tell of a batch whose gradients were computed without calling the model's modules."""
        if self._trace is not None:
            self._trace.batch_made(inputs, loss)

    def note_norm(self, norm: torch.Tensor) -> None:
        """The norm of the gradients, which are about to be clipped; an engine that does not clip does not call it."""
        self._recorder.note_norm(norm)

    def capture_gradient(self) -> None:
        """Keep the gradients that the optimizer is about to use, and what else is recorded and gone after its step."""
        self._recorder.capture()
        if self._trace is not None:
            self._trace.capture_gradient()

    @torch.no_grad()
    def end(self, state: TrainingState, control: Control, losses: Iterable[torch.Tensor]) -> None:
        """The optimizer has made step `state.global_step`, and the notebook's order begins.

        losses: of the batches of the step, each divided by their number. A GPU is waited for now and then: then the
        steps since are recorded and told, in their order, and also before anything else is told or asked.
        """
        if self._trace is not None:
            self._trace.step_made()
        add_noise(self._tap.weight, self._epsilon)
        if self._trace is not None:
            self._trace.end(state.global_step)
        self._held.append(HeldStep(state.global_step, state.epoch, list(losses), self._tap.is_finite))
        if self._most_held > 1:
            self._recorder.keep(state.global_step)
        if self._has_held_enough() or self._deciders.are_due("step_end", state):
            self._tell_held()
        self._decide("step_end", state, control)
        self._heed_stop(control)
        self._ask_for_checkpoint(state, control)
        if self._is_until(state):
            control.should_training_stop = True
        self._agree(control)

    def log(self, state: TrainingState, control: Control, logs: dict[str, float]) -> None:
        self._tell_held()
        self._events.emit("log", global_step=state.global_step, epoch=state.epoch, logs=logs)
        self._decide("log", state, control)
        self._agree(control)

    def evaluate(self, state: TrainingState, control: Control, metrics: dict[str, float]) -> None:
        self._tell_held()
        self._events.emit("evaluate", global_step=state.global_step, epoch=state.epoch, metrics=metrics)
        if self._is_training:
            self._decide("evaluate", state, control)
            self._agree(control)

    def save(self, state: TrainingState, write_state: Callable[[Path], None]) -> None:
        """Make the checkpoint of a step, with what `write_state` writes into it, remove the oldest, and tell.

        What was recorded up to this step is made durable first: a checkpoint never knows more than the history.
        """
        self._tell_held()
        self._recorder.commit()
        checkpoints.write_checkpoint(
            self._directory,
            state.global_step,
            write_state,
            history_step=self._recorder.recorded_step,
            events_bytes=self._events.commit(),
            to_stop=self._saves_to_stop,
        )
        checkpoints.prune(self._directory, self._keep)
        self.report_save(state)

    def report_save(self, state: TrainingState) -> None:
        """Log a save. It follows the checkpoint that it names, so a resumed run logs the one that it goes on from."""
        self._events.emit(
            "save",
            global_step=state.global_step,
            epoch=state.epoch,
            checkpoint=f"checkpoints/step-{state.global_step:06d}",
        )

    def report(self, event: str, state: TrainingState, **fields: Any) -> None:
        """Send an event that is not logged, when a callback asked for it."""
        if event in self._subscribed:
            self._tell_held()
            self._events.emit(
                event,
                durable=False,
                droppable=event in COALESCIBLE_EVENTS,
                global_step=state.global_step,
                epoch=state.epoch,
                **fields,
            )

    def report_method(self, state: TrainingState, method: StepMethod) -> None:
        """How the steps are computed from here on, and why: event `step_method`."""
        self._tell_held()
        self._events.emit("step_method", global_step=state.global_step, epoch=state.epoch, **method._asdict())

    def pause(self) -> AbstractContextManager[None]:
        """While something takes time that is no step."""
        return self._watch.pause()

    def finish(self, state: TrainingState) -> None:
        """The training is over: all steps are done, or the control stopped it."""
        self._tell_held()
        self._watch.report_usage()
        self._events.emit("train_end", global_step=state.global_step, epoch=state.epoch)

    def stop_reason(self, state: TrainingState) -> str | None:
        """Why a training that is over ended before its last step; None when it did not."""
        if state.global_step >= state.max_steps:
            return None
        if self._deciders.have_stopped:
            return "decider"
        if self._was_asked_to_stop:
            return "signal"
        return self._channel.stop_reason(self._training) or ("until" if self._is_until(state) else "trainer")

    def close(self) -> None:
        """Look out for nothing any more, and ask nobody; called however the training ends."""
        self._is_training = False
        self._take_stop_request()
        self._watch.end()
        if self._trace is not None:
            self._trace.close()

    def _is_until(self, state: TrainingState) -> bool:
        """Whether the steps that were to be trained again are done."""
        return self._until is not None and state.global_step >= self._until

    def _agree(self, control: Control) -> None:
        """Let the other processes of the training do the same."""
        if self.group is not None:
            self.group.agree(control)

    def _has_held_enough(self) -> bool:
        has_waited = time.monotonic() - self._told_at >= HELD_SECONDS
        return len(self._held) >= self._most_held or has_waited or self._watch.is_measuring

    def _tell_held(self) -> None:
        """Record and tell the steps that were made since."""
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
        self._told_at = time.monotonic()

    def _decide(self, event: str, state: TrainingState, control: Control) -> None:
        self._deciders.ask(self._training, event, state, self._loss, control)

    def _heed_stop(self, control: Control) -> None:
        self._was_asked_to_stop |= self._take_stop_request()
        if self._was_asked_to_stop or self._channel.stop_reason(self._training) is not None:
            control.should_training_stop = True

    def _take_stop_request(self) -> bool:
        """Whether somebody has asked for a stop since; each request counts once."""
        try:
            os.unlink(self._directory / STOP_REQUEST)
        except FileNotFoundError:
            return False
        return True

    def _ask_for_checkpoint(self, state: TrainingState, control: Control) -> None:
        """Save on the beat, when a decider or Node asked, at the last step, and at a stop."""
        on_the_beat = self._checkpoint_every and state.global_step % self._checkpoint_every == 0
        is_asked = self._channel.take_save(self._training)
        is_due = control.should_save or is_asked or on_the_beat or state.global_step >= state.max_steps
        self._saves_to_stop = control.should_training_stop and not is_due  # an uninterrupted run has no such checkpoint
        control.should_save = bool(is_due or self._saves_to_stop)


def _sums(losses: list[list[torch.Tensor]]) -> list[float]:
    """The sum of each list, whose tensors come from their device at once."""
    values = iter(torch.stack([loss for each in losses for loss in each]).tolist())
    return [sum(next(values) for _ in each) for each in losses]
