"""Optimizer state in float32 for bfloat16 weights: moments, with or without a master copy."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import torch

from bh_bridge.bridge.messages import TrainerCreate


def wide_part(request: TrainerCreate) -> Literal["moments", "master"] | None:
    """The optimizer state in float32: the moments, or also a master copy of the weights.

    None if all state has the dtype of the weights. `request` is that of `trainer.create`.
    """
    if request["dtype"] == "float32-master":
        return "master"
    return "moments" if request["training"]["optimizer_state_dtype"] == "float32" else None


def moment_dtype(request: TrainerCreate, weights: torch.dtype) -> torch.dtype:
    """The dtype of Adam's moments in a run with weights of dtype `weights`."""
    return weights if wide_part(request) is None else torch.float32


def settings_of(optimizer: torch.optim.Optimizer, weight: torch.Tensor) -> Mapping[str, object]:
    """The current settings of a weight's parameter group (`lr`, `weight_decay`, …)."""
    group = next(group for group in optimizer.param_groups if any(each is weight for each in group["params"]))
    return {name: value for name, value in group.items() if name not in ("params", "initial_lr")}


class WideAdamW(torch.optim.Optimizer):
    """Decoupled AdamW (Loshchilov & Hutter 2019, algorithm 2), computed in float32 whatever the weights' dtype.

    keep_master: step a float32 copy of the weights and round it into them, so that small steps add up.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float = 0.0,
        keep_master: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self._keep_master = keep_master

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        for group in self.param_groups:
            settings = group["lr"], group["betas"], group["eps"], group["weight_decay"]
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._step_one(parameter, parameter.grad.to(torch.float32), *settings)
        return loss

    def _step_one(
        self,
        parameter: torch.Tensor,
        gradient: torch.Tensor,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float,
    ) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(parameter, dtype=torch.float32)
            state["exp_avg_sq"] = torch.zeros_like(parameter, dtype=torch.float32)
            if self._keep_master:
                state["master"] = parameter.detach().to(torch.float32).clone()
        state["step"] += 1
        beta1, beta2 = betas
        state["exp_avg"].lerp_(gradient, 1 - beta1)
        state["exp_avg_sq"].mul_(beta2).addcmul_(gradient, gradient, value=1 - beta2)
        root = (state["exp_avg_sq"].sqrt() / math.sqrt(1 - beta2 ** state["step"])).add_(eps)
        weight = state["master"] if self._keep_master else parameter.to(torch.float32)
        weight = weight.mul_(1 - lr * weight_decay)
        weight.addcdiv_(state["exp_avg"], root, value=-lr / (1 - beta1 ** state["step"]))
        parameter.copy_(weight)
