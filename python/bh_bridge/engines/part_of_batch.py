"""A batch that several processes share: each computes a part of it, and all get the gradients of the whole."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from bh_bridge.ranks.group import Group


def add_part(
    group: Group,
    model: nn.Module,
    inputs: dict[str, torch.Tensor],
    add_gradients: Callable[[dict[str, torch.Tensor]], torch.Tensor],
    *,
    at: tuple[int, int],
    ends_step: bool,
) -> torch.Tensor:
    """Add the gradients of this process's part; with the last batch of a step, those of all. The whole batch's loss.

    add_gradients: adds those of a part. The loss that it gives is the part's sum over the items of the whole batch, so
    that losses and gradients only add up.
    at: the step, and the number of the batch in it.
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
