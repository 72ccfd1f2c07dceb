"""The base of both engines: HF's Trainer as used by the notebook, without needless work and with the same bits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn.utils import get_total_norm
from torch.utils.data import DataLoader
from transformers import PreTrainedModel, PrinterCallback

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.bridge.wire import numbers
from bh_bridge.data.corpus import WindowNumbers, Windows, collate_nothing
from bh_bridge.data.window_order import shrink_order
from bh_bridge.engines.durable_trainer import DurableTrainer
from bh_bridge.engines.step_callback import StepCallback
from bh_bridge.engines.step_method import StepMethod
from bh_bridge.engines.training_arguments import decaying_names, training_arguments, wide_adamw
from bh_bridge.gpu import WholeStep, obstacle
from bh_bridge.hf_internals import look_for_lomo_once
from bh_bridge.models.own_code import load
from bh_bridge.ranks.group import Group
from bh_bridge.training.optimizers import settings_of, wide_part
from bh_bridge.training.step import Step
from bh_bridge.training.tracking import Tracking, require_trackers

look_for_lomo_once()


def trainer_options(
    model: PreTrainedModel,
    request: TrainerCreate,
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> dict[str, Any]:
    """The arguments of a RunTrainer. `training` of the request has the names of TrainingArguments."""
    args = training_arguments(request)
    require_trackers(request["track"])
    return {
        "step": step,
        "decay_norms": request["training"]["decay_norms"],
        "wide": wide_part(request),
        "graph_obstacle": obstacle(request, args, getattr(model, "config", None)),
        "model": model,
        "args": args,
        "train_dataset": train_windows,
        "eval_dataset": held_out_windows,
        "data_collator": collate_nothing,
        "compute_loss_func": own_loss(request),
        "tracking": Tracking(request["track"], Path(request["run_directory"]), step),
    }


def own_loss(request: TrainerCreate) -> Callable[..., Any] | None:
    """The loss of the user's own that a configuration names; None for the model's."""
    own = request["training"].get("compute_loss_func")
    path = "training.compute_loss_func"
    return None if own is None else load(own["code"], own["function"], f"{path}.code", f"{path}.function")


class RunTrainer(DurableTrainer):
    """Trainer that reports every step to the Step, with configurable weight decay of norms and optimizer dtype."""

    def __init__(
        self,
        *,
        model: PreTrainedModel,
        step: Step,
        decay_norms: str,
        wide: str | None,
        graph_obstacle: str | None,
        tracking: Tracking,
        train_dataset: Windows,
        **options: Any,
    ) -> None:
        """graph_obstacle: why whole steps cannot be replayed from a CUDA graph; None if they can."""
        self._run_step = step
        self._decay_norms = decay_norms
        self._wide = wide  # from `wide_part`
        self._losses: list[torch.Tensor] = []
        self._graph_obstacle = graph_obstacle
        self._tracking = tracking
        self._whole_step: WholeStep | None = None
        self._reported: set[str] = set()  # names of the methods
        self._window_order: str | None = None  # from `shrink_order`, known when training begins
        batches = train_dataset if graph_obstacle else WindowNumbers(train_dataset)
        callback = StepCallback(step, self._take_losses, lambda: self._window_order)
        super().__init__(model=model, callbacks=[callback, tracking], train_dataset=batches, **options)
        self.remove_callback(PrinterCallback)
        if graph_obstacle is None:
            windows, size = train_dataset.to(self.device), self.args.train_batch_size
            self._whole_step = WholeStep(windows, size, self._add_all_gradients, self._clip)

    @property
    def device(self) -> torch.device:
        return self.args.device

    def train(self, *_: Any, **__: Any) -> Any:
        try:
            return super().train()
        finally:
            self._tracking.close()

    def optimizer_state(self, weight: torch.Tensor) -> Mapping[str, object]:
        return {} if self.optimizer is None else self._plain_optimizer().state.get(weight, {})

    def optimizer_settings(self, weight: torch.Tensor) -> Mapping[str, object]:
        return settings_of(self._plain_optimizer(), weight)

    def total_norm(self) -> torch.Tensor:
        return get_total_norm([weight.grad for weight in self._plain_model.parameters() if weight.grad is not None])

    def write_checkpoint(self) -> None:
        if self._run_step.group is not None:
            self._run_step.group.require_equal_weights(self._plain_model)
        self._run_step.save(self.state, self.save)

    def training_step(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Add the gradients of a batch; with a CUDA graph, compute the whole step in place of Trainer."""
        if self._graph_obstacle is not None:
            self.report_graphed(StepMethod("graphed", False, self._graph_obstacle))
        if self._whole_step is not None:
            loss = self._make_whole_step(self._whole_step, model, inputs["numbers"])
        elif self._run_step.group is not None:
            loss = add_part(
                self._run_step.group,
                model,
                inputs,
                lambda part: self.add_gradients(model, part, num_items_in_batch),
                at=(self.state.global_step, len(self._losses)),
                ends_step=self.accelerator.sync_gradients,
            )
        else:
            loss = self.add_gradients(model, inputs, num_items_in_batch)
        self._losses.append(loss)
        return loss

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, torch.Tensor], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """Add the gradients of a batch to those of the weights; return its loss. Engines override this."""
        return super().training_step(model, inputs, num_items_in_batch)

    def _add_all_gradients(self, model: nn.Module, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
        """As `add_gradients`, for the only batch of a step."""
        return self.add_gradients(model, inputs, self.items_of([inputs]))

    def _make_whole_step(self, whole: WholeStep, model: nn.Module, numbers: torch.Tensor) -> torch.Tensor:
        loss = whole.make(model, self._plain_optimizer(), numbers.to(self.device))
        if whole.verdict is not None:
            self.report_method(whole.verdict)
        if whole.norm is not None:
            self.accelerator.gradient_state.sync_gradients = False  # otherwise accelerate would make another step
        return loss

    def report_graphed(self, verdict: StepMethod) -> None:
        """Report whether steps come from a CUDA graph, on CUDA only."""
        if self.device.type == "cuda":
            self.report_method(verdict)

    def report_method(self, verdict: StepMethod) -> None:
        """Report once per method whether it computes the steps from now on."""
        if verdict.method not in self._reported:
            self._reported.add(verdict.method)
            self._run_step.report_method(self.state, verdict)

    def _clip(self, model: nn.Module) -> torch.Tensor:
        """Clip the gradients if configured; return their norm before clipping."""
        norm: Any = super().clip_gradients(model) if self.args.max_grad_norm > 0 else None
        return cast("torch.Tensor", super().gradient_norm(model, norm))

    def clip_gradients(self, model: nn.Module) -> Any:
        norm = super().clip_gradients(model) if self._known_norm is None else self._known_norm
        self._run_step.note_norm(cast("torch.Tensor", norm))
        return norm

    def gradient_norm(self, model: nn.Module, norm: Any) -> Any:
        return super().gradient_norm(model, norm) if self._known_norm is None else self._known_norm

    @property
    def _known_norm(self) -> torch.Tensor | None:
        """The gradient norm of a step that was computed as a whole; None otherwise."""
        return None if self._whole_step is None else self._whole_step.norm

    def log(self, logs: dict[str, float], *args: Any, **options: Any) -> None:
        if "loss" in logs:
            # HF resets the sum by subtracting it from itself, so one NaN would make every later mean NaN.
            self.loss_since_log.zero_()
        super().log(numbers(logs), *args, **options)  # HF writes them as JSON, which has no NumPy scalars

    def _take_losses(self) -> list[torch.Tensor]:
        """The losses of the batches of the latest step, each already divided by their number."""
        losses, self._losses = self._losses, []
        return losses

    def get_train_dataloader(self) -> DataLoader[Any]:
        loader = super().get_train_dataloader()
        self._window_order = shrink_order(loader)
        return loader

    def floating_point_ops(self, inputs: dict[str, torch.Tensor]) -> int:
        return 0  # HF would count all parameters at every step, for a figure that nobody reads

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        return decaying_names(model, super().get_decay_parameter_names(model), self._decay_norms)

    def own_optimizer(self) -> tuple[type[torch.optim.Optimizer], dict[str, object]] | None:
        """The class and the options of an optimizer that replaces that of transformers; None to keep it."""
        return None if self._wide is None else wide_adamw(self.args, self._wide)

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        own = self.own_optimizer()
        if own is not None and self.optimizer is None:
            self.optimizer_cls_and_kwargs = own
        return super().create_optimizer(model)


def add_part(
    group: Group,
    model: nn.Module,
    inputs: dict[str, torch.Tensor],
    add_gradients: Callable[[dict[str, torch.Tensor]], torch.Tensor],
    *,
    at: tuple[int, int],
    ends_step: bool,
) -> torch.Tensor:
    """Add the gradients of this process's part of a batch; return the loss of the whole batch.

    The last batch of a step sums the gradients over all processes.

    add_gradients: adds the gradients of a part. Its loss is the part's sum divided by the items of the whole batch, so
    losses and gradients of the parts add up.
    at: the step and the index of the batch in it.
    """
    part = group.part(inputs)
    device = next(model.parameters()).device
    loss = torch.zeros((), device=device)
    if len(part["input_ids"]):
        with group.own_draws(*at, device):
            loss = add_gradients(part)
    if ends_step:
        group.add_gradients(model.parameters())
    return group.add(loss)
