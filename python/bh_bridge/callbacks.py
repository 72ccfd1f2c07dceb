"""The one TrainerCallback: records, reports, asks deciders, stops."""

from __future__ import annotations

from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState

from bh_bridge.channel import Channel
from bh_bridge.errors import ConfigInvalid
from bh_bridge.events import EventLog
from bh_bridge.output_log import OutputLog
from bh_bridge.protocol import schema
from bh_bridge.recorder import EmbeddingTap, Recorder
from bh_bridge.training import RunTrainer
from bh_bridge.watch import Watch
from bh_bridge.wire import finite

# Always logged. The other events of transformers are sent only when a callback in TypeScript asks for them.
LOGGED_EVENTS = ("train_begin", "step_end", "log", "evaluate", "save", "train_end")
COALESCIBLE_EVENTS = frozenset(schema()["coalescibleEvents"])
CONTROL_FIELDS = ("should_training_stop", "should_epoch_stop", "should_save", "should_evaluate", "should_log")


class BridgeCallback(TrainerCallback):
    """Carries every event of a training to the run directory and to Node, in the order in which they happen."""

    def __init__(
        self,
        request: dict[str, Any],
        channel: Channel,
        events: EventLog,
        recorder: Recorder,
        tap: EmbeddingTap,
    ) -> None:
        self.trainer: RunTrainer | None = None  # set when it exists: each needs the other
        self.training = 0  # number of the training, which a stop names
        self.output_log: OutputLog | None = None  # of the training under way
        self.decided_stop = False
        self._saves_to_stop = False
        self.goes_on = False  # from a checkpoint of this run, whose log has the beginning already
        self._channel = channel
        self._events = events
        self._watch = Watch(events)
        self._recorder = recorder
        self._tap = tap
        self._checkpoint_every: int | None = request["checkpoint"]["every"]
        self._epsilon: float = request["noise"]["epsilon"]
        self._subscribed = frozenset(request["events"]) - frozenset(LOGGED_EVENTS)
        self._deciders: list[dict[str, Any]] = request["deciders"]

    # ---- the step, in the notebook's order: noise, record, tell, decide -------------------------------------------

    def on_pre_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        if self._recorder.records_gradient:
            self._tap.capture_gradient()
        self._report("pre_optimizer_step", state)

    @torch.no_grad()
    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        trainer = self._trainer
        loss = trainer.take_step_loss()
        if self._epsilon:
            weight = self._tap.weight  # drawn in its dtype, but on the CPU, which draws the same everywhere
            weight.add_((torch.randn(weight.shape, dtype=weight.dtype) * (self._epsilon / 10)).to(weight.device))
        self._recorder.record(state.global_step, loss)
        self._events.emit(
            "step_end",
            droppable=True,
            global_step=state.global_step,
            epoch=state.epoch,
            loss=loss,
        )
        self._watch.step(state.global_step, state.epoch, loss, self._tap.is_finite)
        if self.output_log is not None:
            self.output_log.mark(state.global_step)
        self._ask_deciders("step_end", state, control)
        if self._channel.stop_reason(self.training) is not None:
            control.should_training_stop = True
        on_the_beat = self._checkpoint_every and state.global_step % self._checkpoint_every == 0
        is_due = control.should_save or on_the_beat or state.global_step >= state.max_steps
        self._saves_to_stop = control.should_training_stop and not is_due
        control.should_save = bool(is_due or self._saves_to_stop)

    # ---- the rest ---------------------------------------------------------------------------------------------------

    def on_init_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("init_end", state)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.restore_progress()
        self._watch.begin(state.global_step)
        self._events.emit(
            "train_begin",
            durable=not self.goes_on,
            global_step=state.global_step,
            epoch=state.epoch,
            max_steps=state.max_steps,
            logging_steps=state.logging_steps,
            num_train_epochs=state.num_train_epochs,
            train_batch_size=state.train_batch_size,
        )

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._watch.report_usage()
        self._events.emit("train_end", global_step=state.global_step, epoch=state.epoch)

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any) -> None:
        if "loss" not in (logs or {}):  # the summary of the whole training: timings of this process, not of the run
            return
        self._events.emit("log", global_step=state.global_step, epoch=state.epoch, logs=logs)
        self._ask_deciders("log", state, control)

    def on_evaluate(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._events.emit("evaluate", global_step=state.global_step, epoch=state.epoch, metrics=metrics)
        if self._trainer.is_in_train:
            self._ask_deciders("evaluate", state, control)

    def close(self) -> None:
        self._watch.end()

    def commit_recording(self) -> dict[str, Any]:
        """Make states and events so far durable; say how far they go, for the manifest of a checkpoint."""
        self._recorder.commit()
        return {
            "history_step": self._recorder.recorded_step,
            "events_bytes": self._events.commit(),
            "to_stop": self._saves_to_stop,  # an uninterrupted run has no such checkpoint
        }

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self.report_save(state)

    def report_save(self, state: TrainerState) -> None:
        """Log a save. It follows the checkpoint that it names, so a resumed run logs the one that it goes on from."""
        self._events.emit(
            "save",
            global_step=state.global_step,
            epoch=state.epoch,
            checkpoint=f"checkpoints/step-{state.global_step:06d}",
        )

    def on_epoch_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.begin_epoch()
        self._report("epoch_begin", state)

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.end_epoch()
        self._report("epoch_end", state)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("step_begin", state)

    def on_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("optimizer_step", state)

    def on_substep_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("substep_end", state)

    def on_prediction_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("prediction_step", state)

    def on_predict(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._report("predict", state, metrics=metrics)

    def on_push_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._report("push_begin", state)

    @property
    def _trainer(self) -> RunTrainer:
        if self.trainer is None:
            raise RuntimeError("the callback is used before its trainer is known")
        return self.trainer

    def _report(self, event: str, state: TrainerState, **fields: Any) -> None:
        if event in self._subscribed:
            self._events.emit(
                event,
                durable=False,
                droppable=event in COALESCIBLE_EVENTS,
                global_step=state.global_step,
                epoch=state.epoch,
                **fields,
            )

    def _ask_deciders(self, event: str, state: TrainerState, control: TrainerControl) -> None:
        """Ask the deciders whose turn it is, and wait; one that does not answer in time decides nothing."""
        for index, decider in enumerate(self._deciders):
            every = decider["every"]
            due = event in decider["on"] or (event == "step_end" and every and state.global_step % every == 0)
            if not due:
                continue
            decision = self._channel.ask(
                self.training,
                {
                    "type": "decide",
                    "decider": index,
                    "event": event,
                    "state": finite(describe_state(state, self._trainer)),
                },
                decider["timeout_seconds"],
            )
            if decision is None:
                self._events.emit("decider_timeout", global_step=state.global_step, epoch=state.epoch, decider=index)
                continue
            if decision.get("should_evaluate") and self._trainer.eval_dataset is None:
                raise ConfigInvalid(
                    "data.held_out: a decider asked for an evaluation (should_evaluate), and there is no text to "
                    "evaluate on: set data.held_out, for example to 0.1"
                )
            for field in CONTROL_FIELDS:
                if decision.get(field):
                    setattr(control, field, True)
            if decision.get("should_training_stop"):
                self.decided_stop = True
                control.should_save = True  # a training ends with a checkpoint, whichever event ended it


def describe_state(state: TrainerState, trainer: RunTrainer) -> dict[str, Any]:
    """TrainerState under its own names, with the loss of the latest step."""
    return {
        "global_step": state.global_step,
        "max_steps": state.max_steps,
        "epoch": state.epoch,
        "loss": trainer.step_loss,
        "best_metric": state.best_metric,
        "log_history": state.log_history[-1:],
    }
