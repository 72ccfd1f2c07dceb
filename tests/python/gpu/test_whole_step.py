"""A step made as a whole is that of a plain loop, after a first one that leaves the optimizer to its caller."""

from typing import Any

import torch
from bh_bridge.data.corpus import Windows
from bh_bridge.gpu.whole_step import WholeStep
from tiny_run import in_child
from torch import nn

TOKENS = torch.arange(40, dtype=torch.uint8)
BATCHES = [torch.tensor([0, 5]), torch.tensor([9, 2]), torch.tensor([7, 30])]


def parts() -> tuple[nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(3)
    model = nn.Embedding(40, 4)
    return model, torch.optim.AdamW(model.parameters(), 0.1, fused=True)


def add_gradients(model: nn.Module, inputs: dict[str, Any]) -> torch.Tensor:
    loss = model(inputs["input_ids"]).square().sum() + model(inputs["labels"]).sum()
    loss.backward()
    return loss.detach()


def clip(model: nn.Module) -> torch.Tensor:
    return nn.utils.clip_grad_norm_(model.parameters(), 1.0)


def plainly() -> list[Any]:
    windows = Windows(TOKENS, 4, "double")
    model, optimizer = parts()
    made: list[Any] = []
    for batch in BATCHES:
        loss = add_gradients(model, windows.batch(batch))
        made.append([loss.item(), clip(model).item()])
        optimizer.step()
        optimizer.zero_grad()
    return [*made, [weight.tolist() for weight in model.parameters()]]


def as_a_whole() -> list[Any]:
    model, optimizer = parts()
    whole = WholeStep(Windows(TOKENS, 4, "double"), 2, add_gradients, clip)
    made: list[Any] = []
    for batch in BATCHES:
        loss = whole.make(model, optimizer, batch)
        if whole.norm is None:
            made.append([loss.item(), clip(model).item()])
            optimizer.step()
        else:
            made.append([loss.item(), whole.norm.item()])
        optimizer.zero_grad()
    return [*made, [weight.tolist() for weight in model.parameters()]]


def test_its_steps_are_those_of_a_plain_loop() -> None:
    assert in_child(as_a_whole) == plainly()


def test_the_first_step_leaves_the_optimizer_to_its_caller() -> None:
    model, optimizer = parts()
    whole = WholeStep(Windows(TOKENS, 4, "double"), 2, add_gradients, clip)
    whole.make(model, optimizer, BATCHES[0])
    assert not optimizer.state
    assert (whole.norm, whole.verdict) == (None, None)
