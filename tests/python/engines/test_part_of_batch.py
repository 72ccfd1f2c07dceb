"""Processes that share a batch have the gradients and the loss of the whole, those without a part included."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from bh_bridge.engines.run_trainer import add_part
from bh_bridge.ranks.group import Group
from tiny_run import in_child
from torch import nn

TOKENS = torch.arange(15).view(5, 3)


def model_and_adding(windows: int) -> tuple[nn.Module, Callable[[dict[str, Any]], torch.Tensor]]:
    """A model whose loss is a mean over a batch of so many windows."""
    torch.manual_seed(3)
    model = nn.Embedding(15, 4)

    def add_gradients(part: dict[str, Any]) -> torch.Tensor:
        loss = model(part["input_ids"]).square().sum() / windows
        loss.backward()
        return loss.detach()

    return model, add_gradients


@pytest.mark.parametrize("windows", [5, 1], ids=["a part for each", "none for the second"])
def test_gradients_and_loss_are_those_of_the_whole_batch(windows: int) -> None:
    batch = {"input_ids": TOKENS[:windows]}
    model, add_gradients = model_and_adding(windows)
    expected = [add_gradients(batch).item(), next(model.parameters()).grad]

    def both() -> Any:
        store = Path(tempfile.mkdtemp()) / "store"
        rank = 0 if os.fork() else 1
        dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
        model, add_gradients = model_and_adding(windows)
        loss = add_part(Group(rank, 2, 42), model, batch, add_gradients, at=(0, 0), ends_step=True)
        if rank == 1:
            os._exit(0)
        os.wait()
        grad = next(model.parameters()).grad
        assert grad is not None
        return [loss.item(), grad.tolist()]

    loss, grad = in_child(both)
    assert loss == pytest.approx(expected[0], rel=1e-6)
    torch.testing.assert_close(torch.tensor(grad), expected[1])
