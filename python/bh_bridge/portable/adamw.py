"""Decoupled AdamW by the C code of engine `portable`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

from bh_bridge.portable.interface import AdamwSettings, Library, Update


class PortableAdamW(torch.optim.Optimizer):
    """Decoupled AdamW (Loshchilov & Hutter 2019, algorithm 2), computed in float32 by the recipe.

    Moments have the dtype `moments`. keep_master: step a float32 copy of the weights and round it into them.
    """

    def __init__(
        self,
        params: Iterable[Any],
        library: Library,
        lr: float,
        betas: tuple[float, float],
        eps: float,
        weight_decay: float = 0.0,
        moments: torch.dtype = torch.bfloat16,
        keep_master: bool = False,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self._library = library
        self._moments = moments
        self._keep_master = keep_master

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else closure()
        for group in self.param_groups:
            by_step: dict[int, list[Update]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    step, update = self._next(parameter)
                    by_step.setdefault(step, []).append(update)
            beta1, beta2 = group["betas"]
            for step, updates in by_step.items():
                settings = AdamwSettings(float(group["lr"]), beta1, beta2, group["eps"], group["weight_decay"], step)
                self._library.adamw(updates, settings)
        return loss

    def _next(self, parameter: torch.Tensor) -> tuple[int, Update]:
        """The number of the next step of a weight, and its tensors."""
        state = self.state[parameter]
        if not state:
            state.update(new_state(parameter, self._moments, self._keep_master))
        state["step"] += 1
        assert parameter.grad is not None
        update = Update(parameter, parameter.grad, state["exp_avg"], state["exp_avg_sq"], state.get("master"))
        return state["step"], update


def new_state(parameter: torch.Tensor, moments: torch.dtype, keep_master: bool) -> dict[str, torch.Tensor | int]:
    """The state of a weight before its first step."""
    state: dict[str, torch.Tensor | int] = {
        "step": 0,
        "exp_avg": torch.zeros_like(parameter, dtype=moments),
        "exp_avg_sq": torch.zeros_like(parameter, dtype=moments),
    }
    if keep_master:
        state["master"] = parameter.detach().to(torch.float32).clone()
    return state
