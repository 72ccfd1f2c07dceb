"""The TrainingArguments and the optimizer that a configuration chooses for HF's Trainer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, cast

import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.errors import ConfigInvalid
from bh_bridge.hf_internals import use_one_gpu
from bh_bridge.models.modeling_other_norms import is_norm
from bh_bridge.tensors import resolve_device
from bh_bridge.training.optimizers import WideAdamW, wide_part

OWN_FIELDS = (
    "decay_norms",
    "optimizer_state_dtype",
    "data_seed",
    "compute_loss_func",
)  # of `training`, but not of TrainingArguments


def training_arguments(request: TrainerCreate) -> TrainingArguments:
    """The TrainingArguments of a run. `request` is that of `trainer.create`."""
    training: dict[str, Any] = {name: value for name, value in request["training"].items() if name not in OWN_FIELDS}
    _require_fields(training)
    args = TrainingArguments(
        **training,
        output_dir=request["run_directory"],
        seed=request["seed"],  # of random numbers drawn during the steps
        data_seed=None if request["data_seed"] == request["seed"] else request["data_seed"],
        use_cpu=resolve_device(request["device"]) == "cpu",
        logging_nan_inf_filter=False,  # HF's default replaces a loss of NaN by 0 or an older mean
        save_strategy="no",  # the RunStep requests checkpoints
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,  # Windows returns complete batches
    )
    use_one_gpu(args)
    return args


def _require_fields(training: Iterable[str]) -> None:
    """ConfigInvalid for settings of newer versions that the installed transformers does not support."""
    known = {field.name for field in dataclasses.fields(TrainingArguments)}
    if unknown := sorted(set(training) - known):
        fields = ", ".join(f"training.{name}" for name in unknown)
        version = metadata.version("transformers")
        raise ConfigInvalid(
            f"{fields}: transformers {version} does not support it. Omit it, or install a newer version"
        )


def decaying_names(model: nn.Module, hf_names: list[str], decay_norms: str) -> list[str]:
    """The parameters with weight decay; hf_names: those that HF would choose.

    HF exempts nn.LayerNorm but decays RMSNorm, which it does not recognize; `decay_norms` can treat both alike. "all"
    decays every parameter, like an optimizer of `model.parameters()`.
    """
    if decay_norms == "all":
        return [name for name, _ in model.named_parameters()]
    if decay_norms == "hf":
        return hf_names
    norms = {f"{name}.weight" for name, module in model.named_modules() if is_norm(module)}
    return [name for name in hf_names if name not in norms] + (sorted(norms) if decay_norms == "always" else [])


def wide_adamw(args: TrainingArguments, wide: str) -> tuple[type[WideAdamW], dict[str, object]]:
    """The optimizer class of a run with float32 state, and its options; `wide` is the result of `wide_part`."""
    options: dict[str, object] = {
        "lr": args.learning_rate,
        "betas": (args.adam_beta1, args.adam_beta2),
        "eps": args.adam_epsilon,
        "keep_master": wide == "master",
    }
    return WideAdamW, options


def foreseen_state(request: TrainerCreate, model: Any, weight: nn.Parameter) -> Mapping[str, object]:
    """The state that the optimizer of a run will have for a weight, found by stepping a copy."""
    args, wide = training_arguments(request), wide_part(request)
    kind, options = wide_adamw(args, wide) if wide else Trainer.get_optimizer_cls_and_kwargs(args, model)
    copy = nn.Parameter(weight.detach().clone())
    copy.grad = torch.zeros_like(copy)
    try:
        optimizer = cast("Any", kind)([copy], **options)
        optimizer.step()
    except Exception as error:
        name = request["training"].get("optim")
        raise ConfigInvalid(f"record.tensors: the state of optimizer {name} cannot be recorded: {error}") from error
    return optimizer.state[copy]
