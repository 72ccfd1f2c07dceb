"""The fast step: hand-written loss and gradients of a GPT-2, with bits of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import nn
from transformers import GPT2LMHeadModel, PreTrainedModel

from bh_bridge.fast_step.gpt2 import loss_and_gradients, shape_of
from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm

__all__ = ["Batch", "FastStep", "obstacle", "obstacle_on"]


def obstacle(model: PreTrainedModel) -> str | None:
    """Why the fast step does not support a model, naming the field; None if it does."""
    if not isinstance(model, GPT2LMHeadModel):
        return f"model.type is {model.config.model_type}: engine fast supports only GPT-2"
    config = model.config
    dropout = {name: getattr(config, name) for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop")}
    for name, probability in dropout.items():
        if probability:
            return f"model.{name} is {probability}: engine fast does not support dropout"
    if config.activation_function != "gelu_new":
        return f"model.activation_function is {config.activation_function}: engine fast supports only gelu_new"
    if config.reorder_and_upcast_attn:
        return "model.reorder_and_upcast_attn is true: engine fast supports only plain attention"
    if not all(isinstance(block.ln_1, nn.LayerNorm | RMSNorm) for block in model.transformer.h):
        return "model.norm: engine fast supports only LayerNorm and RMSNorm"
    return None


def obstacle_on(device: torch.device, dtypes: Iterable[torch.dtype]) -> str | None:
    """Report a dtype that a device cannot multiply, such as bfloat16 on old Macs; None if it supports all."""
    for dtype in dtypes:
        try:
            torch.ones(2, 2, dtype=dtype, device=device).mm(torch.ones(2, 2, dtype=dtype, device=device))
        except (RuntimeError, TypeError):
            return f"device {device.type} cannot multiply {str(dtype).removeprefix('torch.')}"
    return None


class Batch(NamedTuple):
    """Tokens and labels, int64 [batch, length], and the number by which the sum of losses is divided."""

    tokens: torch.Tensor
    labels: torch.Tensor
    items: torch.Tensor


class FastStep:
    """The steps of one model."""

    def __init__(self, model: GPT2LMHeadModel, narrow: torch.dtype) -> None:
        """narrow: the dtype of products."""
        self._weights: dict[str, torch.Tensor] = dict(model.named_parameters())
        self._shape = shape_of(model, narrow)

    @torch.no_grad()
    def add_gradients(self, tokens: torch.Tensor, labels: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Add the gradients of a batch to those of the weights; return the loss of the batch."""
        loss, grads = loss_and_gradients(self._weights, tokens, labels, count, self._shape)
        add_to_gradients(self._weights, grads)
        return loss


def add_to_gradients(weights: Mapping[str, torch.Tensor], grads: Mapping[str, torch.Tensor]) -> None:
    """Add gradients to those of the weights, by name."""
    for name, weight in weights.items():
        weight.grad = grads[name] if weight.grad is None else weight.grad.add_(grads[name])
