"""HF Trainer as the notebook used it, made lean without changing a bit, and made durable."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from transformers import (
    GPT2LMHeadModel,
    PreTrainedModel,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainerState,
    TrainingArguments,
)

from bh_bridge import checkpoints
from bh_bridge.data import Windows, collate_nothing
from bh_bridge.errors import DeviceUnavailable
from bh_bridge.modeling_gpt2_rmsnorm import RMSNorm
from bh_bridge.optimizers import WideAdamW, wide_part
from bh_bridge.wire import numbers

OWN_FIELDS = ("decay_norms", "optimizer_state_dtype")  # of `training`: not arguments of TrainingArguments


class RunTrainer(Trainer):
    """Trainer that saves checkpoints into a run directory and knows the two choices that HF makes in silence."""

    def __init__(
        self,
        *,
        model: GPT2LMHeadModel,
        run_directory: Path,
        keep: int,
        decay_norms: str,
        wide: str | None,
        commit_recording: Callable[[], dict[str, Any]],
        **options: Any,
    ) -> None:
        self.gpt2 = model
        self.run_directory = run_directory
        self.step_loss = float("nan")  # of the latest optimizer step, mean over its batches
        self._keep = keep
        self._decay_norms = decay_norms
        self._wide = wide  # as `wide_part` says
        self._commit_recording = commit_recording
        self.resume_from: Path | None = None  # the checkpoint that `train` goes on from
        self._epoch = -1  # index of the epoch under way
        self._epoch_began_at: int | None = None  # global step
        self._losses: list[torch.Tensor] = []
        super().__init__(model=model, **options)
        self.remove_callback(PrinterCallback)

    def training_step(self, *args: Any, **options: Any) -> torch.Tensor:
        loss = super().training_step(*args, **options)
        self._losses.append(loss)
        return loss

    def log(self, logs: dict[str, Any], *args: Any, **options: Any) -> None:
        if "loss" in logs:
            self._tr_loss.zero_()  # HF subtracts the sum from itself, and NaN stays NaN: every later mean would be NaN
        super().log(numbers(logs), *args, **options)  # HF keeps them for its JSON, which has no NumPy scalars

    def take_step_loss(self) -> float:
        """Loss of the step that has just ended; on a GPU this waits for it, as recording the step does anyway."""
        self.step_loss = sum(loss.item() for loss in self._losses)  # each is divided by the accumulation steps already
        self._losses.clear()
        return self.step_loss

    @property
    def plain_optimizer(self) -> torch.optim.Optimizer | None:
        """torch's own optimizer, out of accelerate's wrapper; None before training."""
        return cast("torch.optim.Optimizer | None", getattr(self.optimizer, "optimizer", self.optimizer))

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        return 0  # HF walks all parameters at every step to count them; nobody reads the figure

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """HF exempts nn.LayerNorm but decays RMSNorm, which it does not know; `decay_norms` can treat both alike."""
        names: list[str] = super().get_decay_parameter_names(model)
        if self._decay_norms == "hf":
            return names
        norms = {
            f"{name}.weight" for name, module in model.named_modules() if isinstance(module, nn.LayerNorm | RMSNorm)
        }
        return [name for name in names if name not in norms] + (sorted(norms) if self._decay_norms == "always" else [])

    def create_optimizer(self, model: nn.Module | None = None) -> torch.optim.Optimizer:
        if self._wide is not None and self.optimizer is None:
            options = {
                "lr": self.args.learning_rate,
                "betas": (self.args.adam_beta1, self.args.adam_beta2),
                "eps": self.args.adam_epsilon,
                "keep_master": self._wide == "master",
            }
            self.optimizer_cls_and_kwargs = (WideAdamW, options)
        return super().create_optimizer(model)

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        """Everything that the next step depends on, in place of HF's pickles.

        What was recorded up to this step is made durable first: a checkpoint never knows more than the history.
        """
        step = self.state.global_step
        recorded = self._commit_recording()
        with checkpoints.replace_checkpoint(self.run_directory, step) as directory:
            save_model(self.gpt2, directory)
            checkpoints.save_optimizer(self._existing_optimizer(), directory)
            checkpoints.save_random_state(directory)
            (directory / "scheduler.json").write_text(json.dumps(self._scheduler().state_dict()), encoding="utf-8")
            self.state.save_to_json(str(directory / "trainer_state.json"))
            (directory / "progress.json").write_text(json.dumps(self._progress()), encoding="utf-8")
            checkpoints.write_manifest(directory, global_step=step, **recorded)
        checkpoints.prune(self.run_directory, self._keep)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_optimizer(self._existing_optimizer(), Path(checkpoint))
            self._scheduler().load_state_dict(
                json.loads(Path(checkpoint, "scheduler.json").read_text(encoding="utf-8"))
            )

    def _load_rng_state(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            checkpoints.load_random_state(Path(checkpoint))

    def _init_training_state(self, *args: Any, **options: Any) -> tuple[int, int]:
        """Where in the data to go on: HF divides the step by an epoch's steps, wrong after an epoch was cut short."""
        epoch, batches = super()._init_training_state(*args, **options)
        if self.resume_from is None:
            return epoch, batches
        progress = read_progress(self.resume_from)
        return progress["epoch"], progress["steps_in_epoch"] * self.args.gradient_accumulation_steps

    def restore_progress(self) -> None:
        """Put back what `train` has just reset; called when it begins."""
        if self.resume_from is None:
            return
        progress = read_progress(self.resume_from)
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

    def load_finished(self) -> None:
        """Take weights and state of a checkpoint after which no step is left."""
        checkpoint = str(self.resume_from)
        self._load_from_checkpoint(checkpoint)
        self.state = TrainerState.load_from_json(str(Path(checkpoint, "trainer_state.json")))
        self.state.max_steps = self.args.max_steps

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

    def _existing_optimizer(self) -> torch.optim.Optimizer:
        optimizer = self.plain_optimizer
        if optimizer is None:
            raise RuntimeError("there is no optimizer before training begins")
        return optimizer

    def _scheduler(self) -> torch.optim.lr_scheduler.LRScheduler:
        return cast("torch.optim.lr_scheduler.LRScheduler", self.lr_scheduler)


def read_progress(checkpoint: Path) -> dict[str, Any]:
    """What `RunTrainer` saves beside HF's own state."""
    return json.loads((checkpoint / "progress.json").read_text(encoding="utf-8"))


def build_trainer(
    model: GPT2LMHeadModel,
    request: dict[str, Any],
    train_windows: Windows,
    held_out_windows: Windows | None,
    callback: TrainerCallback,
    commit_recording: Callable[[], dict[str, Any]],
) -> RunTrainer:
    """The Trainer of a run. `request` is that of `trainer.create`; `training` holds TrainingArguments' own names."""
    training = {name: value for name, value in request["training"].items() if name not in OWN_FIELDS}
    args = TrainingArguments(
        **training,
        output_dir=request["run_directory"],
        seed=request["seed"],
        use_cpu=resolve_device(request["device"]) == "cpu",
        logging_nan_inf_filter=False,  # HF's default puts 0 or an older mean in place of a loss that is not a number
        save_strategy="no",  # checkpoints are asked for by the callback
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,  # batches come ready from Windows
    )
    vars(args)["_n_gpu"] = min(args.n_gpu, 1)  # one device: Trainer would spread the batch over every GPU
    return RunTrainer(
        run_directory=Path(request["run_directory"]),
        keep=request["checkpoint"]["keep"],
        decay_norms=request["training"]["decay_norms"],
        wide=wide_part(request),
        commit_recording=commit_recording,
        model=model,
        args=args,
        train_dataset=train_windows,
        eval_dataset=held_out_windows,
        data_collator=collate_nothing,
        callbacks=[callback],
    )


def resolve_device(device: str) -> str:
    """cpu, cuda or mps for a device as the configuration spells it; DeviceUnavailable when it is not there."""
    cuda, mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return "cuda" if cuda else "mps" if mps else "cpu"
    kind = device.partition(":")[0]
    if (kind == "cuda" and not cuda) or (kind == "mps" and not mps):
        there = [name for name, found in (("cuda", cuda), ("mps", mps), ("cpu", True)) if found]
        raise DeviceUnavailable(f"device {device} is not available here; PyTorch sees: {', '.join(there)}")
    return kind


def save_model(model: PreTrainedModel, directory: Path) -> None:
    """Save a model in HF layout; with RMSNorm its modelling file goes along, so that plain transformers loads it."""
    model.save_pretrained(directory)
    if not any(isinstance(module, RMSNorm) for module in model.modules()):
        return
    source = Path(__file__).with_name("modeling_gpt2_rmsnorm.py")
    (directory / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")
    path = directory / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["architectures"] = ["GPT2RMSNormLMHeadModel"]
    config["auto_map"] = {"AutoModelForCausalLM": f"{source.stem}.GPT2RMSNormLMHeadModel"}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
