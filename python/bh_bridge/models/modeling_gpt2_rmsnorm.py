"""GPT-2 with RMSNorm in place of every LayerNorm.

This file has no dependencies on bh-bridge. A copy is saved with every RMSNorm model, so that
`AutoModelForCausalLM.from_pretrained(directory, trust_remote_code=True)` loads the model without bh-bridge.
"""

from __future__ import annotations

import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel


class RMSNorm(nn.Module):
    """RMSNorm(x) = weight * x / sqrt(mean(x**2) + eps), without centring (Zhang & Sennrich 2019, eq. 4).

    x: [..., hidden]. Statistics are taken in float32; the product with `weight` is in the dtype of x.
    """

    def __init__(self, hidden_size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden_size))
        self.eps = eps

    def forward(self, hidden_states: torch.Tensor) -> torch.Tensor:
        wide = hidden_states.to(torch.float32)
        normalized = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * normalized.to(hidden_states.dtype)


def replace_norms(module: nn.Module) -> int:
    """Replace every nn.LayerNorm below `module` by RMSNorm, keeping its eps; return how many."""
    replaced = 0
    for name, child in module.named_children():
        if isinstance(child, nn.LayerNorm):
            setattr(module, name, RMSNorm(child.normalized_shape[0], child.eps))
            replaced += 1
        else:
            replaced += replace_norms(child)
    return replaced


class GPT2RMSNormConfig(GPT2Config):
    """GPT2Config with a `model_type` unknown to transformers, so that it never loads the weights as a plain GPT-2."""

    model_type = "gpt2_with_rmsnorm"


class GPT2RMSNormLMHeadModel(GPT2LMHeadModel):
    """GPT2LMHeadModel with RMSNorm; its weights have the same names, without the biases of the norms."""

    config_class = GPT2RMSNormConfig

    def __init__(self, config: GPT2Config) -> None:
        super().__init__(config)
        replace_norms(self)
