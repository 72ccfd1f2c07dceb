"""HF's Trainer as the notebook used it, made lean without changing a bit, and made durable: what engines build on."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, cast

import accelerate.accelerator
import accelerate.optimizer
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader
from transformers import (
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from bh_bridge import checkpoints
from bh_bridge.data import WindowNumbers, Windows, collate_nothing, order_checksum
from bh_bridge.device import resolve_device
from bh_bridge.errors import ConfigInvalid
from bh_bridge.exact_step import Verdict
from bh_bridge.graphed_step import Graphed, GraphedStep, obstacle
from bh_bridge.model import save_model
from bh_bridge.modeling_other_norms import is_norm
from bh_bridge.optimizers import WideAdamW, settings_of, wide_part
from bh_bridge.ranks.group import Group
from bh_bridge.step import Step
from bh_bridge.wire import numbers

# accelerate looks for this package on the disk twice in every step, 0.4 ms in all: once will do.
for module in (accelerate.accelerator, accelerate.optimizer):
    vars(module)["is_lomo_available"] = functools.cache(vars(module)["is_lomo_available"])

OWN_FIELDS = ("decay_norms", "optimizer_state_dtype", "data_seed")  # of `training`: told to HF by this module


def trainer_options(
    model: PreTrainedModel,
    request: dict[str, Any],
    train_windows: Windows,
    held_out_windows: Windows | None,
    step: Step,
) -> dict[str, Any]:
    """What a RunTrainer of a run is made with. `training` of the request holds TrainingArguments' own names."""
    args = training_arguments(request)
    return {
        "step": step,
        "decay_norms": request["training"]["decay_norms"],
        "wide": wide_part(request),
        "graph_obstacle": obstacle(request, args, model.config),
        "model": model,
        "args": args,
        "train_dataset": train_windows,
        "eval_dataset": held_out_windows,
        "data_collator": collate_nothing,
    }


def training_arguments(request: dict[str, Any]) -> TrainingArguments:
    """HF's arguments of a run."""
    training = {name: value for name, value in request["training"].items() if name not in OWN_FIELDS}
    args = TrainingArguments(
        **training,
        output_dir=request["run_directory"],
        **_seeds(request),
        use_cpu=resolve_device(request["device"]) == "cpu",
        logging_nan_inf_filter=False,  # HF's default puts 0 or an older mean in place of a loss that is not a number
        save_strategy="no",  # checkpoints are asked for by the RunStep
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,  # batches come ready from Windows
    )
    vars(args)["_n_gpu"] = min(args.n_gpu, 1)  # one device: Trainer would spread the batch over every GPU
    return args


def _seeds(request: dict[str, Any]) -> dict[str, Any]:
    """The arguments that seed the streams of a training: of what draws during the steps, and of the data apart."""
    apart = {} if request["data_seed"] == request["seed"] else {"data_seed": request["data_seed"]}
    return {"seed": request["seed"], **apart}


class RunTrainer(Trainer):
    """Trainer that hands every step to the RunStep, and knows the two choices that HF makes in silence."""

    def __init__(
        self,
        *,
        model: PreTrainedModel,
        step: Step,
        decay_norms: str,
        wide: str | None,
        graph_obstacle: str | None,
        train_dataset: Windows,
        **options: Any,
    ) -> None:
        """graph_obstacle: why whole steps cannot be replayed from a CUDA graph, if they cannot."""
        self._plain_model = model
        self._run_step = step
        self._decay_norms = decay_norms
        self._wide = wide  # as `wide_part` says
        self._resume_from: Path | None = None  # the checkpoint that `train` goes on from
        self._epoch = -1  # index of the epoch under way
        self._epoch_began_at: int | None = None  # global step
        self._losses: list[torch.Tensor] = []
        self._graph_obstacle = graph_obstacle
        self._graphed_step: GraphedStep | None = None
        self._told: set[str] = set()  # how steps are computed, by the name of the event
        self._norm: torch.Tensor | None = None  # of the gradients, where this step has been made as a whole
        self.window_order: str | None = None  # as `order_checksum` says; known when training begins
        batches = train_dataset if graph_obstacle else WindowNumbers(train_dataset)
        super().__init__(model=model, callbacks=[StepCallback(self, step)], train_dataset=batches, **options)
        self.remove_callback(PrinterCallback)
        self._windows = (
            None if graph_obstacle else train_dataset.to(self.device)
        )  # what a whole step takes its batch from

    @property
    def device(self) -> torch.device:
        return self.args.device

    def optimizer_state(self, weight: torch.Tensor) -> dict[str, Any]:
        return {} if self.optimizer is None else self._plain_optimizer().state.get(weight, {})

    def optimizer_settings(self, weight: torch.Tensor) -> dict[str, Any]:
        return settings_of(self._plain_optimizer(), weight)

    def train(self, *_: Any, **__: Any) -> Any:
        return super().train(resume_from_checkpoint=None if self._resume_from is None else str(self._resume_from))

    def save(self, directory: Path) -> None:
        """Everything that the next step depends on, in place of HF's pickles."""
        save_model(self._plain_model, directory)
        checkpoints.save_optimizer(self._plain_optimizer(), directory)
        checkpoints.save_random_state(directory)
        (directory / "scheduler.json").write_text(json.dumps(self._scheduler().state_dict()), encoding="utf-8")
        self.state.save_to_json(str(directory / "trainer_state.json"))
        (directory / "progress.json").write_text(json.dumps(self._progress()), encoding="utf-8")

    def load(self, checkpoint: Path) -> None:
        """Weights and state are put back now; `train` does it again, with all the rest."""
        self._resume_from = checkpoint
        self._load_from_checkpoint(str(checkpoint))
        self.state = TrainerState.load_from_json(str(checkpoint / "trainer_state.json"))
        self.state.max_steps = self.args.max_steps

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        if self._run_step.group is not None:
            self._run_step.group.require_equal_weights(self._plain_model)
        self._run_step.save(self.state, self.save)

    def training_step(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None = None
    ) -> torch.Tensor:
        """Gradients of a batch; the whole step where it can come from a graph, and Trainer's own calls do nothing."""
        group = self._run_step.group
        self._norm = None
        if self._graph_obstacle is not None:
            self.tell_graphed(Graphed(False, self._graph_obstacle, None, None))
        if self._windows is not None:
            loss = self._make_whole_step(model, inputs["numbers"], self._windows)
        elif group is not None:
            loss = self._add_part(group, model, inputs, num_items_in_batch)
        else:
            loss = self.add_gradients(model, inputs, num_items_in_batch)
        self._losses.append(loss)
        return loss

    def add_gradients(
        self, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """Add the gradients of a batch to those that the weights have, in the engine's way; the loss is the result."""
        return super().training_step(model, inputs, num_items_in_batch)

    def _add_part(
        self, group: Group, model: nn.Module, inputs: dict[str, Any], num_items_in_batch: torch.Tensor | int | None
    ) -> torch.Tensor:
        """As `add_gradients`, each process a part of the batch; the loss is that of the whole.

        The loss of a part is its sum over the items of the whole batch, so that losses and gradients only add up.
        """
        part = group.part(inputs)
        loss = torch.zeros((), device=self.device)
        if len(part["input_ids"]):
            with group.own_draws(self.state.global_step, len(self._losses), self.device):
                loss = self.add_gradients(model, part, num_items_in_batch)
        if self.accelerator.sync_gradients:  # the last batch of the step
            group.add_gradients(model.parameters())
        return group.add(loss)

    def _make_whole_step(self, model: nn.Module, numbers: torch.Tensor, windows: Windows) -> torch.Tensor:
        """The step on the windows of these numbers, from the graph or as it will be captured; its loss."""

        def add_gradients(numbers: torch.Tensor) -> torch.Tensor:
            inputs = windows.batch(numbers)
            return self.add_gradients(model, inputs, self._get_num_items_in_batch([inputs], self.device))

        def make(numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            loss = add_gradients(numbers)
            norm: Any = super(RunTrainer, self)._clip_grad_norm(model) if self.args.max_grad_norm > 0 else None
            norm = super(RunTrainer, self)._get_grad_norm(model, norm)
            optimizer.step()
            return loss, norm

        numbers, optimizer = numbers.to(self.device), self._plain_optimizer()
        if not optimizer.state:  # Trainer's own calls make the first step, and what the optimizer keeps
            return add_gradients(numbers)
        if self._graphed_step is None:
            self._graphed_step = GraphedStep(make, optimizer, numbers.new_zeros(self.args.train_batch_size))
        made = self._graphed_step.step(numbers)
        if self._graphed_step.verdict is not None:
            self.tell_once("graphed_step", self._graphed_step.verdict)
        self._norm = made.norm
        self.accelerator.gradient_state.sync_gradients = False  # accelerate would make another step
        return made.loss.clone()

    def tell_graphed(self, verdict: Graphed) -> None:
        """Whether steps come from a CUDA graph: said where there is CUDA."""
        if self.device.type == "cuda":
            self.tell_once("graphed_step", verdict)

    def tell_once(self, event: str, verdict: Verdict | Graphed) -> None:
        """How steps are computed from here on."""
        if event not in self._told:
            self._told.add(event)
            self._run_step.tell(event, self.state, verdict)

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        norm = super()._clip_grad_norm(model) if self._norm is None else self._norm
        self._run_step.note_norm(cast("torch.Tensor", norm))
        return norm

    def _get_grad_norm(self, model: nn.Module, grad_norm: Any = None) -> Any:
        return super()._get_grad_norm(model, grad_norm) if self._norm is None else self._norm

    def log(self, logs: dict[str, Any], *args: Any, **options: Any) -> None:
        if "loss" in logs:
            self._tr_loss.zero_()  # HF subtracts the sum from itself, and NaN stays NaN: every later mean would be NaN
        super().log(numbers(logs), *args, **options)  # HF keeps them for its JSON, which has no NumPy scalars

    def take_losses(self) -> list[torch.Tensor]:
        """Losses of the batches of the step that has just ended; HF has divided each by their number."""
        losses, self._losses = self._losses, []
        return losses

    def get_train_dataloader(self) -> DataLoader[Any]:
        loader = super().get_train_dataloader()
        self.window_order = order_checksum(cast("BatchSampler", loader.batch_sampler).sampler)
        return loader

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        return 0  # HF walks all parameters at every step to count them; nobody reads the figure

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """HF exempts nn.LayerNorm but decays RMSNorm, which it does not know; `decay_norms` can treat both alike.

        "all" makes no difference between parameters, as an optimizer that is given `model.parameters()` does.
        """
        if self._decay_norms == "all":
            return [name for name, _ in model.named_parameters()]
        names: list[str] = super().get_decay_parameter_names(model)
        if self._decay_norms == "hf":
            return names
        norms = {f"{name}.weight" for name, module in model.named_modules() if is_norm(module)}
        return [name for name in names if name not in norms] + (sorted(norms) if self._decay_norms == "always" else [])

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self._wide is not None and self.optimizer is None:
            self.optimizer_cls_and_kwargs = (WideAdamW, wide_options(self.args, self._wide))
        return super().create_optimizer(model)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_optimizer(self._plain_optimizer(), Path(checkpoint))
            self._scheduler().load_state_dict(
                json.loads(Path(checkpoint, "scheduler.json").read_text(encoding="utf-8"))
            )

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_random_state(Path(checkpoint))

    def _init_training_state(self, *args: Any, **options: Any) -> tuple[int, int]:
        """Where in the data to go on: HF divides the step by an epoch's steps, wrong after an epoch was cut short."""
        epoch, batches = super()._init_training_state(*args, **options)
        if self._resume_from is None:
            return epoch, batches
        progress = _read_progress(self._resume_from)
        return progress["epoch"], progress["steps_in_epoch"] * self.args.gradient_accumulation_steps

    def restore_progress(self) -> None:
        """Put back what `train` has just reset; called when it begins."""
        if self._resume_from is None:
            return
        progress = _read_progress(self._resume_from)
        self._tr_loss = torch.tensor(progress["total_loss"], device=self.args.device)
        self._total_loss_scalar = progress["total_loss_before_last_log"]
        self._globalstep_last_logged = progress["last_logged_step"]
        self._epoch = progress["epoch"] - 1
        self._epoch_began_at = self.state.global_step - progress["steps_in_epoch"]

    def begin_epoch(self) -> None:
        """Keep count of epochs; called when one begins, the one that a run is resumed in included."""
        self._epoch += 1
        if self._epoch_began_at is None:
            self._epoch_began_at = self.state.global_step

    def end_epoch(self) -> None:
        self._epoch_began_at = None

    def _progress(self) -> dict[str, Any]:
        """What HF forgets on resuming: the next logged loss is a mean since the last log, and an epoch can be cut."""
        began_at = self.state.global_step if self._epoch_began_at is None else self._epoch_began_at
        epoch_ends = self.control.should_epoch_stop or (self.state.epoch or 0) >= self._epoch + 1
        return {
            "total_loss": self._tr_loss.item(),
            "total_loss_before_last_log": self._total_loss_scalar,
            "last_logged_step": self._globalstep_last_logged,
            "epoch": self._epoch + 1 if epoch_ends else self._epoch,
            "steps_in_epoch": 0 if epoch_ends else self.state.global_step - began_at,
        }

    def _plain_optimizer(self) -> torch.optim.Optimizer:
        """torch's own optimizer, out of accelerate's wrapper; there is none before training begins."""
        return cast("torch.optim.Optimizer", getattr(self.optimizer, "optimizer", self.optimizer))

    def _scheduler(self) -> torch.optim.lr_scheduler.LRScheduler:
        return cast("torch.optim.lr_scheduler.LRScheduler", self.lr_scheduler)


def wide_options(args: TrainingArguments, wide: str) -> dict[str, Any]:
    """What WideAdamW is made with; `wide` as `wide_part` says."""
    return {
        "lr": args.learning_rate,
        "betas": (args.adam_beta1, args.adam_beta2),
        "eps": args.adam_epsilon,
        "keep_master": wide == "master",
    }


def foreseen_state(request: dict[str, Any], model: Any, weight: nn.Parameter) -> dict[str, Any]:
    """What the optimizer of a run will keep for a weight: one like it makes a step of a copy."""
    args, wide = training_arguments(request), wide_part(request)
    kind, options = (WideAdamW, wide_options(args, wide)) if wide else Trainer.get_optimizer_cls_and_kwargs(args, model)
    copy = nn.Parameter(weight.detach().clone())
    copy.grad = torch.zeros_like(copy)
    try:
        optimizer = cast("Any", kind)([copy], **options)
        optimizer.step()
    except Exception as error:
        name = request["training"].get("optim")
        raise ConfigInvalid(f"record.tensors: what optimizer {name} keeps cannot be recorded: {error}") from error
    return dict(optimizer.state[copy])


class StepCallback(TrainerCallback):
    """Hands every event of Trainer to the RunStep, in the order in which they happen."""

    def __init__(self, trainer: RunTrainer, step: Step) -> None:
        self._trainer = trainer
        self._step = step

    def on_init_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("init_end", state)

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.restore_progress()
        self._step.begin(state, self._trainer.window_order)

    def on_epoch_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.begin_epoch()
        self._step.report("epoch_begin", state)

    def on_step_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("step_begin", state)

    def on_substep_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("substep_end", state)

    def on_pre_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.capture_gradient()
        self._step.report("pre_optimizer_step", state)

    def on_optimizer_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("optimizer_step", state)

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.end(state, control, self._trainer.take_losses())

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **_: Any) -> None:
        if "loss" in (logs or {}):  # not the summary of the whole training: timings of this process, not of the run
            self._step.log(state, control, logs)

    def on_evaluate(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._step.evaluate(state, control, metrics)

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Nothing: `RunStep.save` has told of it."""

    def on_epoch_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._trainer.end_epoch()
        self._step.report("epoch_end", state)

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.finish(state)

    def on_prediction_step(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("prediction_step", state)

    def on_predict(
        self, args: Any, state: TrainerState, control: TrainerControl, metrics: Any = None, **_: Any
    ) -> None:
        self._step.report("predict", state, metrics=metrics)

    def on_push_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        self._step.report("push_begin", state)


def _read_progress(checkpoint: Path) -> dict[str, Any]:
    return json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))
