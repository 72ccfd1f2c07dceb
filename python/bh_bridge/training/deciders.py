"""Deciders: callbacks in TypeScript that a training waits for, and that can set fields of its control."""

from __future__ import annotations

from bh_bridge.bridge.channel import Channel
from bh_bridge.bridge.messages import Decider, Decision
from bh_bridge.bridge.wire import finite
from bh_bridge.errors import ConfigInvalid
from bh_bridge.recording.events import EventLog
from bh_bridge.training.control import CONTROL_FIELDS, Control, TrainingState


class Deciders:
    """The deciders of a run, each asked at some steps or events."""

    def __init__(self, deciders: list[Decider], channel: Channel, events: EventLog, has_held_out: bool) -> None:
        self.have_stopped = False
        self._deciders = deciders
        self._channel = channel
        self._events = events
        self._has_held_out = has_held_out

    def are_due(self, event: str, state: TrainingState) -> bool:
        """Whether a decider is asked at this event."""
        return any(_is_due(decider, event, state) for decider in self._deciders)

    def ask(self, training: int, event: str, state: TrainingState, loss: float, control: Control) -> None:
        """Ask the deciders that are due, and wait; one that times out changes nothing."""
        for index, decider in enumerate(self._deciders):
            if not _is_due(decider, event, state):
                continue
            question = {"type": "decide", "decider": index, "event": event, "state": finite(_shown(state, loss))}
            decision = self._channel.ask(training, question, decider["timeout_seconds"])
            if decision is None:
                self._events.emit("decider_timeout", global_step=state.global_step, epoch=state.epoch, decider=index)
                continue
            self._apply(decision, control)

    def _apply(self, decision: Decision, control: Control) -> None:
        if decision.get("should_evaluate") and not self._has_held_out:
            raise ConfigInvalid(
                "data.held_out: a decider asked for an evaluation (should_evaluate), but no text is held out: "
                "set data.held_out, for example to 0.1"
            )
        for field in CONTROL_FIELDS:
            if decision.get(field):
                setattr(control, field, True)
        if decision.get("should_training_stop"):
            self.have_stopped = True
            control.should_save = True  # a training always ends with a checkpoint


def _is_due(decider: Decider, event: str, state: TrainingState) -> bool:
    every: int | None = decider["every"]
    is_at_interval = event == "step_end" and every is not None and state.global_step % every == 0
    return event in decider["on"] or is_at_interval


def _shown(state: TrainingState, loss: float) -> dict[str, object]:
    return {
        "global_step": state.global_step,
        "max_steps": state.max_steps,
        "epoch": state.epoch,
        "loss": loss,
        "best_metric": state.best_metric,
        "log_history": state.log_history[-1:],
    }
