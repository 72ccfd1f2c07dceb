"""Engine `portable`: HF's Trainer with steps whose bits do not depend on the machine (native/README.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader
from transformers import PreTrainedModel
from transformers.trainer_utils import EvalLoopOutput

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import Engine
from bh_bridge.engines.run_trainer import RunTrainer, trainer_options
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.portable import library
from bh_bridge.portable.adamw import PortableAdamW, new_state
from bh_bridge.portable.model import shape_of, tensors_of
from bh_bridge.training.optimizers import moment_dtype, wide_part
from bh_bridge.training.step import Step

IGNORED = -100  # the label of a token that is not predicted


def build(
    model: PreTrainedModel,
    request: TrainerCreate,
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> Engine:
    """Build the engine of a run; ConfigInvalid if no build of the C code can be used."""
    options = trainer_options(model, request, train_windows, held_out_windows, step)
    return PortableTrainer(moments=moment_dtype(request, torch.bfloat16), **options)


def foreseen_state(request: TrainerCreate, _model: Any, weight: nn.Parameter) -> Mapping[str, object]:
    """The optimizer state that a run will have for a weight."""
    return new_state(weight, moment_dtype(request, weight.dtype), wide_part(request) == "master")


class PortableTrainer(RunTrainer):
    """A RunTrainer that computes gradients, norms, updates and evaluations by the C code."""

    def __init__(self, *, moments: torch.dtype, **options: Any) -> None:
        """moments: the dtype of Adam's moments."""
        super().__init__(**options)
        self._library = library()
        self._weights = tensors_of(self._plain_model)
        self._gradients = [torch.zeros_like(weight) for weight in self._weights]
        self._moments = moments
        shape, scales = shape_of(self._plain_model)
        self._steps = self._library.open(shape, scales, torch.get_num_threads())

    def train(self) -> object:
        """Train with one thread of torch, whose idle threads would spin on the processors that ours use."""
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        model: Any = self._plain_model
        model.zero_grad = self._forget_gradients  # Trainer calls it at every step; that of torch searches all modules
        try:
            return super().train()
        finally:
            del model.zero_grad
            torch.set_num_threads(threads)

    def _forget_gradients(self) -> None:
        """Clear the gradients; C overwrites them in the next step."""
        for weight in self._weights:
            weight.grad = None

    def items_of(self, batches: list[dict[str, torch.Tensor]]) -> torch.Tensor | int | None:
        """As transformers 5.24: classes `…ForCausalLM` do not count the first label of a window. 5.4 does."""
        first = 1 if "ForCausalLM" in type(self._plain_model).__name__ else 0
        counts = [batch["labels"][..., first:].ne(IGNORED).sum() for batch in batches]
        return torch.stack(counts).sum() if counts else None

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        self.report_method(StepMethod("portable", True, self._build_in_words()))
        assert num_items_in_batch is not None
        is_first = self._weights[0].grad is None
        loss = torch.tensor(self._loss(inputs, float(num_items_in_batch), self._gradients, not is_first))
        for weight, gradient in zip(self._weights, self._gradients, strict=True):
            weight.grad = gradient
        self._run_step.batch_made({**inputs, "num_items_in_batch": torch.as_tensor(num_items_in_batch)}, loss)
        return loss

    def _loss(
        self,
        inputs: Mapping[str, torch.Tensor],
        items: float,
        gradients: list[torch.Tensor] | None = None,
        accumulate: bool = False,
    ) -> float:
        """The loss of a batch, summed over its positions and divided by `items`; its gradients go into `gradients`."""
        tokens = inputs["input_ids"].to(torch.int32).contiguous()
        return self._steps.gradients(self._weights, gradients, tokens, targets_of(inputs["labels"]), items, accumulate)

    def _build_in_words(self) -> str:
        build = self._library
        return f"build {build.name}, SHA-256 {build.sha256}, recipe {build.recipe()}"

    def clip_gradients(self, model: nn.Module) -> torch.Tensor:
        norm = self._clip_to(self.args.max_grad_norm)
        self._run_step.note_norm(norm)
        return norm

    def gradient_norm(self, model: nn.Module, norm: Any) -> Any:
        return self.total_norm() if norm is None else norm

    def total_norm(self) -> torch.Tensor:
        return self._clip_to(0.0)

    def _clip_to(self, most: float) -> torch.Tensor:
        """The norm of the gradients; if `most` is positive, they are scaled to it if they exceed it."""
        return torch.tensor(self._library.clip(self._gradients, most), dtype=torch.bfloat16)

    def own_optimizer(self) -> tuple[type[PortableAdamW], dict[str, object]]:
        return PortableAdamW, {
            "library": self._library,
            "lr": self.args.learning_rate,
            "betas": (self.args.adam_beta1, self.args.adam_beta2),
            "eps": self.args.adam_epsilon,
            "moments": self._moments,
            "keep_master": self._wide == "master",
        }

    @torch.no_grad()
    def evaluation_loop(
        self,
        dataloader: DataLoader[Any],
        description: str,
        prediction_loss_only: bool | None = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> EvalLoopOutput:
        """The loss of all windows, added up in float64 in their order, divided by their labels as transformers does.

        The first label of a window is no target, but counts.
        """
        total, labels, windows = 0.0, 0, 0
        for inputs in dataloader:
            total += self._loss(inputs, 1.0)
            labels += int((inputs["labels"] != IGNORED).sum())
            windows += len(inputs["input_ids"])
            self.control = self.callback_handler.on_prediction_step(self.args, self.state, self.control)
        metrics = {f"{metric_key_prefix}_loss": total / labels}
        return EvalLoopOutput(predictions=np.empty(0), label_ids=None, metrics=metrics, num_samples=windows)


def targets_of(labels: torch.Tensor) -> torch.Tensor:
    """The token to predict at each position, int32 [batch, length]: the next label; negative where there is none."""
    targets = torch.full(labels.shape, IGNORED, dtype=torch.int32)
    targets[:, :-1] = labels[:, 1:]
    return targets
