"""The norms of a GPT-2 and their backward passes, in autograd's order of operations and roundings."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from bh_bridge.models.modeling_gpt2_rmsnorm import RMSNorm

Saved = tuple[Any, ...]


def norm(module: nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, Saved]:
    """The norm of x [rows, hidden], and what its backward pass needs."""
    if isinstance(module, RMSNorm):
        wide = x.float()
        inverse = torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + module.eps)
        normalized = (wide * inverse).to(x.dtype)
        return module.weight * normalized, (wide, inverse, normalized)
    assert isinstance(module, nn.LayerNorm)
    y, mean, inverse = torch.native_layer_norm(x, module.normalized_shape, module.weight, module.bias, module.eps)
    return y, (x, mean, inverse)


def norm_backward(module: nn.Module, grad: torch.Tensor, saved: Saved) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Gradient of x, and those of the norm's parameters in their order."""
    if isinstance(module, RMSNorm):
        wide, inverse, normalized = saved
        scaled = (grad * module.weight).float()
        slope = (scaled * wide).sum(-1, keepdim=True) * -0.5 * inverse.pow(3) / wide.shape[-1] * 2
        return (scaled * inverse + wide * slope).to(grad.dtype), [(grad * normalized).sum(0)]
    assert isinstance(module, nn.LayerNorm)
    x, mean, inverse = saved
    wanted = [True, True, True]
    x_grad, *grads = torch.ops.aten.native_layer_norm_backward(
        grad, x, module.normalized_shape, mean, inverse, module.weight, module.bias, wanted
    )
    return x_grad, grads
