"""Engine `trainer`, the reference: HF's Trainer, with the exact step once it is verified to give the same bits."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.engines.run_trainer import RunTrainer, trainer_options
from bh_bridge.engines.training_arguments import foreseen_state as foreseen_state  # HF chooses the optimizer
from bh_bridge.exact_step import ExactStep, obstacle
from bh_bridge.training.step import Step


def build(
    model: PreTrainedModel,
    request: TrainerCreate,
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> Engine:
    """Build the engine of a run."""
    options = trainer_options(model, request, train_windows, held_out_windows, step)
    engine = request["engine"]
    assert engine["name"] == "trainer"
    return ExactTrainer(exact=engine["exact"], **options)


class ExactTrainer(RunTrainer):
    """A RunTrainer that verifies the exact step on its first batches."""

    def __init__(self, *, exact: str, **options: Any) -> None:
        super().__init__(**options)
        self._exact_step = ExactStep(self._plain_model, self._obstacle(exact))

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        def plain() -> torch.Tensor:
            return super(ExactTrainer, self).add_gradients(model, inputs, num_items_in_batch)

        exact = self._exact_step
        if exact.is_in_doubt:
            tokens, labels = inputs["input_ids"], inputs["labels"]
            loss = exact.check(tokens, labels, plain, num_items_in_batch=num_items_in_batch)
        else:
            loss = plain()
        if exact.verdict is not None:
            self.report_method(exact.verdict)
        return loss

    def compute_loss(
        self,
        model: nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:
        if return_outputs or not model.training or not self._exact_step.is_used:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        return self._exact_step.loss(inputs["input_ids"], inputs["labels"], num_items_in_batch=num_items_in_batch)

    def _obstacle(self, exact: str) -> str | None:
        if exact == "off":
            return "engine.exact is off"
        if self._run_step.needs_forward:
            return "hidden states can be recorded only in the model's own forward pass"
        if (
            self.compute_loss_func is not None
            or self.label_smoother is not None
            or self.args.torch_compile
            or not self.model_accepts_loss_kwargs
        ):
            return "it supports only the plain loss"
        return obstacle(self._plain_model, self.device)
