"""Operation `trainer.train_stack`: trains batched runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from bh_bridge.bridge.messages import Ended, TrainerTrainReply, TrainerTrainStack, TrainerTrainStackReply
from bh_bridge.errors import ConfigInvalid, describe
from bh_bridge.fast_step import Batch
from bh_bridge.gpu.stack import Gradients, StackedTrainer
from bh_bridge.gpu.turns import Turn
from bh_bridge.operations.trainer_operations import OUTPUT_LOG, HeldTrainer, closing_after, train_held, untrained
from bh_bridge.process.output_log import OutputLog


def train_stack(request: TrainerTrainStack) -> TrainerTrainStackReply:
    """Train several runs. If one ends early or fails, its slot stays empty and the others continue.

    The reply contains for each run the reply of `trainer.train` or its error.
    """
    trainings = [(untrained(each["handle"]), each["training"]) for each in request["trainings"]]
    slots = [_Slot(held, training) for held, training in trainings]
    with contextlib.ExitStack() as undo:
        for slot in slots:
            undo.callback(slot.close)
        stack = StackedTrainer.stack([slot.engine for slot in slots])
        waiting = {place: batch for place, slot in enumerate(slots) if (batch := slot.go_on(None)) is not None}
        while waiting:
            made = stack.gradients(waiting)
            waiting = {place: batch for place, each in made.items() if (batch := slots[place].go_on(each)) is not None}
    return {"ended": [slot.ended for slot in slots]}


class _Slot:
    """A training that runs from one batch to the next, and its slot in the stack."""

    def __init__(self, held: HeldTrainer, training: int) -> None:
        self._held = held
        self._training = training
        self._reply: TrainerTrainReply | None = None
        self._log = OutputLog(held.run_directory / OUTPUT_LOG)
        self._turn: Turn[Batch, Gradients] = Turn(self._train, held.libraries)

    @property
    def engine(self) -> StackedTrainer:
        engine = self._held.engine
        if not isinstance(engine, StackedTrainer):
            raise ConfigInvalid("batched runs need engine fast and engine.batched_runs above 1")
        return engine

    @property
    def ended(self) -> Ended:
        error = self._turn.error
        return {"ok": self._reply, "err": None if error is None else describe(error)}

    def go_on(self, gradients: Gradients | None) -> Batch | None:
        """Train to the next batch and return it; None at the end."""
        with self._log.listening():
            return self._turn.go_on(gradients)

    def close(self) -> None:
        with self._log.listening():
            self._turn.abandon()
        self._log.close()
        self._held.close()

    def _train(self, gradients_of: Callable[[Batch], Gradients]) -> None:
        with closing_after(self._held):
            self._held.step.attach(self._training, self._log, is_one_of_several=True)
            self.engine.take_gradients_from(gradients_of)
            self._reply = train_held(self._held)
