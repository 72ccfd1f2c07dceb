"""Engine `fast`: HF's Trainer with another forward and backward pass. Its bits differ from the reference's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.engines.chosen_optimizer import foreseen_state as foreseen_state  # its optimizer is HF's choice
from bh_bridge.engines.run_trainer import RunTrainer, trainer_options
from bh_bridge.errors import ConfigInvalid, ResumeMismatch
from bh_bridge.fast_step import (
    Compiled,
    FastStep,
    add_to_gradients,
    obstacle,
    obstacle_on,
    obstacle_to_compiling,
)
from bh_bridge.gpu.graphed_step import Graphed
from bh_bridge.gpu.stack import Batch, FastStack, Form, Gradients
from bh_bridge.models.families import embedding_of
from bh_bridge.training.step import Step

STEP_FILE = "fast_step.json"  # of a checkpoint: whether its bits come from the compiled step


def build(
    model: PreTrainedModel,
    request: dict[str, Any],
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> Engine:
    """The engine of a run; ConfigInvalid for what it does not implement."""
    problem = obstacle(model)
    if problem is not None:
        raise ConfigInvalid(f"{problem}. Use engine trainer")
    if step.needs_forward:
        raise ConfigInvalid(
            "engine fast does not compute the hidden states that record.tensors names. Use engine trainer"
        )
    options = trainer_options(model, request, train_windows, held_out_windows, step)
    if request["stack"] == 1:
        return FastTrainer(compiled_step=request["compiled_step"], **options)
    if request["compiled_step"] == "on":
        raise ConfigInvalid("compiled_step is on, and a stack is not compiled. Set it to auto or off, or stack to 1")
    return StackedTrainer(width=request["stack"], graphed_step=request["graphed_step"], **options)


class FastTrainer(RunTrainer):
    """A RunTrainer that computes gradients by the fast step, compiled or not: a run has one of the two throughout."""

    def __init__(self, *, compiled_step: str, **options: Any) -> None:
        super().__init__(**options)
        args, gpt2 = self.args, cast("GPT2LMHeadModel", self._plain_model)  # `obstacle` has seen to it
        weight = embedding_of(gpt2)
        self._narrow = torch.bfloat16 if args.bf16 else weight.dtype
        problem = obstacle_on(self.device, (weight.dtype, self._narrow))
        if problem is not None:
            raise ConfigInvalid(f"{problem}: set model.dtype to float32 and training.bf16 to false, or device to cpu")
        batch = (args.train_batch_size, gpt2.config.n_positions)
        self._fast_step = FastStep(gpt2, self._narrow, batch)
        self._wish = compiled_step
        self._compiled: Compiled | None = None  # None until the first step
        self._was_compiled: bool | None = None  # in the run that this one goes on with

    def save(self, directory: Path) -> None:
        super().save(directory)
        if self._compiled is not None:
            (directory / STEP_FILE).write_text(json.dumps({"compiled": self._compiled.used}), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        super().load(checkpoint)
        if (checkpoint / STEP_FILE).exists():  # not in a checkpoint of another engine
            self._was_compiled = json.loads((checkpoint / STEP_FILE).read_text(encoding="utf-8"))["compiled"]

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        if self._compiled is None:
            self._compiled = self._compile()
            self._run_step.tell("compiled_step", self.state, self._compiled)
        inputs = self.on_device(inputs)
        count = torch.as_tensor(num_items_in_batch, device=self.device)
        loss = self._add(Batch(inputs["input_ids"], inputs["labels"], count))
        self._run_step.batch_made({**inputs, "num_items_in_batch": count}, loss)
        return loss

    def _add(self, batch: Batch) -> torch.Tensor:
        return self._fast_step.add_gradients(*batch)

    def _compile(self) -> Compiled:
        """Compile the step where the configuration and this machine allow it, or as the run was begun."""
        if self._was_compiled is None:
            why = "compiled_step is on" if self._wish == "on" else "it pays for a run of this length"
            told = self._try(self._wish, why)
            if self._wish == "on" and not told.used:
                raise ConfigInvalid(f"compiled_step is on, and {told.reason}. Set it to auto or off")
            return told
        if not self._was_compiled:
            return Compiled(False, "the run began without it", None)
        told = self._try("on", "the run began with it")
        if not told.used:
            raise ResumeMismatch(
                f"the run was made with the compiled step, and {told.reason}: its other steps would have other bits. "
                "Go on where it can be compiled, or begin a new run from the weights alone, with --from"
            )
        return told

    def _try(self, wish: str, why: str) -> Compiled:
        reason = obstacle_to_compiling(wish, self.args.max_steps, self.device)
        if reason is not None:
            return Compiled(False, reason, None)
        self._run_step.tell("compiled_step", self.state, Compiled(True, "compiling", None))
        with self._run_step.pause():
            return self._fast_step.compile(why)


class StackedTrainer(FastTrainer):
    """A FastTrainer whose gradients are computed in a stack: beside those of other runs, or alone at the same width.

    Clipping, AdamW and everything that follows is its own.
    """

    def __init__(self, *, width: int, graphed_step: str, **options: Any) -> None:
        super().__init__(compiled_step="off", **options)
        self._width = width
        self._wants_graph = graphed_step != "off"
        self._stack: FastStack | None = None
        self._gradients_of: Callable[[Batch], Gradients] | None = None

    @staticmethod
    def stack(trainers: Sequence[StackedTrainer]) -> FastStack:
        """One stack for these trainers, in their order. ConfigInvalid where they do not fit into it."""
        first = trainers[0]
        if len(trainers) > first._width:
            raise ConfigInvalid(f"stack is {first._width}, and {len(trainers)} runs are to be trained together")
        if any(trainer._form != first._form for trainer in trainers):
            raise ConfigInvalid("runs of one stack need the same model, batch, precision, device and stack")
        models = [trainer._gpt2 for trainer in trainers]
        stack = FastStack(models, first._narrow, first._width, first._obstacle_to_graph)
        for trainer in trainers:
            trainer._stack = stack
        return stack

    def take_gradients_from(self, gradients_of: Callable[[Batch], Gradients]) -> None:
        """Where those of each batch come from: a stack with other runs in it."""
        self._gradients_of = gradients_of

    def train(self, *_: Any, **__: Any) -> Any:
        if self._gradients_of is None:
            alone = StackedTrainer.stack([self])
            self._gradients_of = lambda batch: alone.gradients({0: batch})[0]
        return super().train()

    def tell_graphed(self, verdict: Graphed) -> None:
        """What is told is whether the stack comes from a graph."""
        if self._stack is not None and self._stack.verdict is not None:
            super().tell_graphed(self._stack.verdict)

    def _compile(self) -> Compiled:
        return Compiled(False, "a stack is not compiled", None)

    def _add(self, batch: Batch) -> torch.Tensor:
        assert self._gradients_of is not None
        loss, grads = self._gradients_of(batch)
        add_to_gradients(dict(self._gpt2.named_parameters()), grads)
        return loss

    @property
    def _gpt2(self) -> GPT2LMHeadModel:
        return cast("GPT2LMHeadModel", self._plain_model)

    @property
    def _form(self) -> tuple[Form, int, int]:
        return Form.of(self._gpt2, self._narrow), self.args.train_batch_size, self._width

    @property
    def _obstacle_to_graph(self) -> str | None:
        if not self._wants_graph:
            return "graphed_step is off"
        if self.device.type != "cuda":
            return "it is for CUDA"
        return "it is for steps of one batch" if self.args.gradient_accumulation_steps > 1 else None
