"""Engine `fast`: HF's Trainer with its own forward and backward pass, whose bits differ from the reference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.bridge.messages import Compiling, TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.engines.run_trainer import RunTrainer, trainer_options
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.engines.training_arguments import foreseen_state as foreseen_state  # HF chooses the optimizer
from bh_bridge.errors import ConfigInvalid, ResumeMismatch
from bh_bridge.fast_step import (
    Batch,
    FastStep,
    obstacle,
    obstacle_on,
    obstacle_to_compiling,
)
from bh_bridge.gpu import stacked_trainer
from bh_bridge.models.families import embedding_of
from bh_bridge.training.step import Step

STEP_FILE = "fast_step.json"  # of a checkpoint: whether the step was compiled


def build(
    model: PreTrainedModel,
    request: TrainerCreate,
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> Engine:
    """Build the engine of a run; ConfigInvalid for unsupported models."""
    problem = obstacle(model)
    if problem is not None:
        raise ConfigInvalid(f"{problem}. Use engine trainer")
    options = trainer_options(model, request, train_windows, held_out_windows, step)
    engine = request["engine"]
    assert engine["name"] == "fast"
    options["compiling"] = engine["compiling"]
    if engine["batched_runs"] == 1:
        return FastTrainer(**options)
    return stacked_trainer(width=engine["batched_runs"], graph=engine["graph"], **options)


class FastTrainer(RunTrainer):
    """A RunTrainer that computes gradients by the fast step, in a whole run either compiled or not."""

    def __init__(self, *, compiling: Compiling, **options: Any) -> None:
        """compiling: TypeScript's decision whether to compile (`never`, `try`, `require`), and its reason."""
        super().__init__(**options)
        args, gpt2 = self.args, cast("GPT2LMHeadModel", self._plain_model)  # checked by `obstacle`
        weight = embedding_of(gpt2)
        self._narrow = torch.bfloat16 if args.bf16 else weight.dtype
        problem = obstacle_on(self.device, (weight.dtype, self._narrow))
        if problem is not None:
            raise ConfigInvalid(f"{problem}: set model.dtype to float32 and training.bf16 to false, or device to cpu")
        batch = (args.train_batch_size, gpt2.config.n_positions)
        self._fast_step = FastStep(gpt2, self._narrow, batch)
        self._compiling = compiling
        self._compiled: StepMethod | None = None  # None until the first step
        self._was_compiled: bool | None = None  # in the resumed run

    def save(self, directory: Path) -> None:
        super().save(directory)
        if self._compiled is not None:
            (directory / STEP_FILE).write_text(json.dumps({"compiled": self._compiled.used}), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        super().load(checkpoint)
        if (checkpoint / STEP_FILE).exists():  # missing in checkpoints of other engines
            self._was_compiled = json.loads((checkpoint / STEP_FILE).read_text(encoding="utf-8"))["compiled"]

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        if self._compiled is None:
            self._compiled = self._compile()
            self._run_step.report_method(self.state, self._compiled)
        inputs = self.on_device(inputs)
        count = torch.as_tensor(num_items_in_batch, device=self.device)
        loss = self._add(Batch(inputs["input_ids"], inputs["labels"], count))
        self._run_step.batch_made({**inputs, "num_items_in_batch": count}, loss)
        return loss

    def _add(self, batch: Batch) -> torch.Tensor:
        return self._fast_step.add_gradients(*batch)

    def _compile(self) -> StepMethod:
        """Compile the step as requested, or as the resumed run did."""
        if self._was_compiled is None:
            wish, reason = self._compiling["compile"], self._compiling["reason"]
            if wish == "never":
                return StepMethod("compiled", False, reason)
            method = self._try(reason)
            if wish == "require" and not method.used:
                raise ConfigInvalid(f"{reason}, and {method.reason}. Set it to auto or off")
            return method
        if not self._was_compiled:
            return StepMethod("compiled", False, "the run started without it")
        method = self._try("the run started with it")
        if not method.used:
            raise ResumeMismatch(
                f"the run uses the compiled step, but {method.reason}. Its remaining steps would have other bits. "
                "Resume where the step can be compiled, or start a new run from the weights alone with --from"
            )
        return method

    def _try(self, why: str) -> StepMethod:
        reason = obstacle_to_compiling(self.device)
        if reason is not None:
            return StepMethod("compiled", False, reason)
        self._run_step.report_method(self.state, StepMethod("compiled", True, "compiling"))
        with self._run_step.pause():
            return self._fast_step.compile(why)
