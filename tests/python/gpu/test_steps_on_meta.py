"""Steps of both engines on the device `meta`, which has shapes without data.

Every call that waits for a GPU (`.item()`, `.tolist()`, `.cpu()`, `if tensor`) raises there. SameDevice raises where a
tensor of the host is computed with, because PyTorch itself allows that on `meta`.
"""

from pathlib import Path
from typing import Any

import accelerate
import pytest
import torch
from bh_bridge.bridge import registry
from bh_bridge.engines import run_trainer
from bh_bridge.gpu import graphed_step
from bh_bridge.hf_internals import one_text_a_row
from bh_bridge.operations import trainer_operations
from bh_bridge.recording.recorder import Recorder
from bh_bridge.training import run_step
from bh_bridge.training.run_step import HeldStep, RunStep
from tiny_run import MODEL, in_child, train
from torch.optim import optimizer as torch_optimizer
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import TrainingArguments

META = torch.device("meta")
STEPS = 3
RECORDED = ["wte", "wte.grad", "wte.exp_avg", "transformer.h.0.mlp.c_fc.weight", "grad_norm", "grad_norm.clipped"]
OPTIONS: dict[str, Any] = {
    "exact_step": "off",
    "training__max_grad_norm": 0.1,
    "training__logging_steps": 100,
    "record__tensors": RECORDED,
}
NO_DATA = ("Tensor.item() cannot be called on meta tensors", "Cannot copy out of meta tensor; no data!")


class SameDevice(TorchDispatchMode):
    """Refuses an operation on tensors of `meta` and of the host, apart from copies and single numbers."""

    COPIES = ("aten.copy_.default", "aten._to_copy.default")

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        tensors = [leaf for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, torch.Tensor)]
        devices = {tensor.device.type for tensor in tensors if tensor.dim() > 0}
        if len(devices) > 1 and str(func) not in self.COPIES:
            raise RuntimeError(f"{func} mixes tensors on {' and '.join(sorted(devices))}")
        return func(*args, **(kwargs or {}))


class StepsMade(Exception):
    """Ends a training before the first tensor is copied to the host."""


class StandInForTheGraph:
    """Makes whole steps as they are captured, without a graph and without comparing them."""

    verdict = None

    def __init__(self, make: Any, optimizer: torch.optim.Optimizer, _numbers: torch.Tensor) -> None:
        self._make = make
        self._optimizer = optimizer

    def step(self, numbers: torch.Tensor) -> graphed_step.Made:
        self._optimizer.zero_grad()
        return graphed_step.Made(*self._make(numbers), [])


def tensors_on_meta(directory: Path, **options: Any) -> dict[str, list[str]]:
    """Train some steps on `meta`; the devices of what is then to be copied to the host, by name."""
    found: dict[str, list[str]] = {}
    held: list[HeldStep] = []
    kept: list[tuple[int, dict[str, torch.Tensor]]] = []
    end, keep, create = RunStep.end, Recorder.keep, trainer_operations.create

    def end_and_stop(self: RunStep, state: Any, *rest: Any) -> None:
        end(self, state, *rest)
        if state.global_step == STEPS:
            held.extend(vars(self)["_held"])
            raise StepsMade

    def keep_and_look(self: Recorder, step: int) -> None:
        keep(self, step)
        kept[:] = vars(self)["_kept"]

    def create_on_meta(request: dict[str, Any]) -> dict[str, Any]:
        torch.nn.Module.to(registry.find(request["model"]), META)
        return create(request)

    fused = vars(torch_optimizer)["_get_fused_kernels_supported_devices"]()
    # Outside a graph, transformers itself waits once per forward pass; one_text_a_row leaves that out.
    with pytest.MonkeyPatch.context() as patch, one_text_a_row():
        patch.setattr(torch_optimizer, "_get_fused_kernels_supported_devices", lambda: [*fused, "meta"])
        patch.setattr(TrainingArguments, "device", property(lambda _: META))
        patch.setattr(accelerate.Accelerator, "device", property(lambda _: META))
        patch.setattr(trainer_operations, "create", create_on_meta)
        patch.setattr(Recorder, "record", lambda *_: None)  # state 0, copied before the first step
        patch.setattr(Recorder, "keep", keep_and_look)
        patch.setattr(RunStep, "_has_held_enough", lambda _: False)
        patch.setattr(RunStep, "end", end_and_stop)
        with SameDevice(), pytest.raises(StepsMade):
            train(directory, **{**OPTIONS, **options})
    assert [step.global_step for step in held] == [step for step, _ in kept] == list(range(1, STEPS + 1))
    for name in RECORDED:
        found[name] = [rows[name].device.type for _, rows in kept]
    found["losses"] = [loss.device.type for step in held for loss in step.losses]
    found["is_finite"] = [torch.as_tensor(step.is_finite).device.type for step in held]
    return found


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)


@pytest.fixture(params=["plain steps", "whole steps by a stand-in for the graph"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param != "plain steps":
        monkeypatch.setattr(run_trainer, "obstacle", lambda *_: None)
        monkeypatch.setattr(graphed_step, "GraphedStep", StandInForTheGraph)


@pytest.mark.usefixtures("how")
@pytest.mark.parametrize("engine", ["trainer", "fast"])
def test_a_step_leaves_no_tensor_on_the_host_and_waits_for_nothing(tmp_path: Path, engine: str) -> None:
    """Forward, backward, clipping, AdamW, noise and recording, up to the copy to the host."""
    found = in_child(lambda: tensors_on_meta(tmp_path / "run", engine=engine))
    assert found == {name: ["meta"] * STEPS for name in (*RECORDED, "losses", "is_finite")}


@pytest.mark.parametrize("engine", ["trainer", "fast"])
@pytest.mark.parametrize(
    "waiting",
    [
        lambda weight: weight.sum().item(),
        lambda weight: weight.tolist(),
        lambda weight: weight.cpu(),
        lambda weight: bool(weight.sum()),
    ],
    ids=["item", "tolist", "cpu", "bool"],
)
def test_a_step_that_waits_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, waiting: Any) -> None:
    monkeypatch.setattr(run_step, "add_noise", lambda weight, *_: waiting(weight))
    outcome = in_child(lambda: tensors_on_meta(tmp_path / "run", engine=engine))
    assert any(outcome["message"].startswith(text) for text in NO_DATA), outcome


@pytest.mark.parametrize("engine", ["trainer", "fast"])
def test_a_tensor_that_was_left_on_the_host_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str
) -> None:
    monkeypatch.setattr(run_step, "add_noise", lambda weight, *_: weight.add_(torch.zeros(weight.shape)))
    outcome = in_child(lambda: tensors_on_meta(tmp_path / "run", engine=engine))
    assert outcome["message"] == "aten.add_.Tensor mixes tensors on cpu and meta"
