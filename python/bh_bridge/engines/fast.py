"""Engine `fast`, for GPUs: HF's Trainer with its own forward and backward pass, whose bits differ from the reference.

TypeScript refuses it on a CPU, where engine `portable` is faster. The tests compute it there.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.engines.run_trainer import RunTrainer, trainer_options
from bh_bridge.engines.training_arguments import foreseen_state as foreseen_state  # HF chooses the optimizer
from bh_bridge.errors import ConfigInvalid
from bh_bridge.fast_step import Batch, FastStep, obstacle, obstacle_on
from bh_bridge.gpu import stacked_trainer
from bh_bridge.models.families import embedding_of
from bh_bridge.training.step import Step


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
    if engine["batched_runs"] == 1:
        return FastTrainer(**options)
    return stacked_trainer(width=engine["batched_runs"], graph=engine["graph"], **options)


class FastTrainer(RunTrainer):
    """A RunTrainer that computes gradients by the fast step."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        args, gpt2 = self.args, cast("GPT2LMHeadModel", self._plain_model)  # checked by `obstacle`
        weight = embedding_of(gpt2)
        self._narrow = torch.bfloat16 if args.bf16 else weight.dtype
        problem = obstacle_on(self.device, (weight.dtype, self._narrow))
        if problem is not None:
            raise ConfigInvalid(f"{problem}: set model.dtype to float32 and training.bf16 to false")
        self._fast_step = FastStep(gpt2, self._narrow)

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        inputs = self.on_device(inputs)
        count = torch.as_tensor(num_items_in_batch, device=self.device)
        loss = self._add(Batch(inputs["input_ids"], inputs["labels"], count))
        self._run_step.batch_made({**inputs, "num_items_in_batch": count}, loss)
        return loss

    def _add(self, batch: Batch) -> torch.Tensor:
        return self._fast_step.add_gradients(*batch)
