"""The optimizer that a configuration chooses for HF's Trainer: what it is, which weights decay, what it will keep."""

from __future__ import annotations

from typing import Any, cast

import torch
from torch import nn
from transformers import Trainer, TrainingArguments

from bh_bridge.bridge.messages import TrainerCreate
from bh_bridge.engines.training_arguments import training_arguments
from bh_bridge.errors import ConfigInvalid
from bh_bridge.models.modeling_other_norms import is_norm
from bh_bridge.training.optimizers import WideAdamW, wide_part


def decaying_names(model: nn.Module, hf_names: list[str], decay_norms: str) -> list[str]:
    """The parameters that decay; hf_names: those that HF would choose.

    HF exempts nn.LayerNorm but decays RMSNorm, which it does not know; `decay_norms` can treat both alike. "all" makes
    no difference between parameters, as an optimizer that is given `model.parameters()` does.
    """
    if decay_norms == "all":
        return [name for name, _ in model.named_parameters()]
    if decay_norms == "hf":
        return hf_names
    norms = {f"{name}.weight" for name, module in model.named_modules() if is_norm(module)}
    return [name for name in hf_names if name not in norms] + (sorted(norms) if decay_norms == "always" else [])


def wide_adamw(args: TrainingArguments, wide: str) -> tuple[type[WideAdamW], dict[str, object]]:
    """The optimizer of a run that keeps more than its weights' dtype, and its options; `wide` as `wide_part` says."""
    options: dict[str, object] = {
        "lr": args.learning_rate,
        "betas": (args.adam_beta1, args.adam_beta2),
        "eps": args.adam_epsilon,
        "keep_master": wide == "master",
    }
    return WideAdamW, options


def foreseen_state(request: TrainerCreate, model: Any, weight: nn.Parameter) -> dict[str, Any]:
    """What the optimizer of a run will keep for a weight: one like it makes a step of a copy."""
    args, wide = training_arguments(request), wide_part(request)
    kind, options = wide_adamw(args, wide) if wide else Trainer.get_optimizer_cls_and_kwargs(args, model)
    copy = nn.Parameter(weight.detach().clone())
    copy.grad = torch.zeros_like(copy)
    try:
        optimizer = cast("Any", kind)([copy], **options)
        optimizer.step()
    except Exception as error:
        name = request["training"].get("optim")
        raise ConfigInvalid(f"record.tensors: what optimizer {name} keeps cannot be recorded: {error}") from error
    return dict(optimizer.state[copy])
