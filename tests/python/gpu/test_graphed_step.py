"""A whole step, computed twice and replayed, has the bits of Trainer's own calls; on CUDA it comes from a graph.

Tests without a GPU use a stand-in for the graph, which computes the step again, and their names say so.
"""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from bh_bridge import hf_internals
from bh_bridge.data.corpus import Windows
from bh_bridge.engines import run_trainer, step_method
from bh_bridge.gpu import WholeStep, graphed_step
from bh_bridge.gpu.graphed_step import Made, Replay, obstacle
from tiny_run import MODEL, differences, in_child, killed_at, train
from torch import nn
from transformers import GPT2Config, TrainingArguments, masking_utils
from transformers.utils import import_utils

ENGINES: list[dict[str, Any]] = [{"engine": "trainer", "engine__exact": "off"}, {"engine": "fast"}]
NO_DROPOUT = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)


def stand_in(step: Callable[[], Made]) -> Replay:
    """A stand-in for a graph: warm-ups change weights and moments, and transformers is told that CUDA captures."""
    step()

    def replay() -> Made:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(import_utils, "is_cuda_stream_capturing", lambda: True)
            return step()

    return replay


def test_a_text_a_row_needs_no_mask_while_it_is_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the bits of a replay hang on: without it, transformers makes a mask where the eager step has none."""
    hidden, positions = torch.zeros(2, 5, 8), torch.arange(5)[None]
    config = GPT2Config(attn_implementation="sdpa")

    def mask() -> torch.Tensor | None:
        return masking_utils.create_causal_mask(config, hidden, None, None, positions)

    assert mask() is None
    monkeypatch.setattr(import_utils, "is_cuda_stream_capturing", lambda: True)
    assert mask() is not None
    with hf_internals.one_text_a_row():
        assert mask() is None
    assert mask() is not None


def with_stand_in(monkeypatch: pytest.MonkeyPatch, capture: Callable[[Callable[[], Made]], Replay] = stand_in) -> None:
    """Make steps as a whole; on the clock a replay takes half the time of a step."""
    clock = itertools.cycle([0.0, 2.0, 0.0, 1.0])
    monkeypatch.setattr(run_trainer, "obstacle", lambda *_: None)
    monkeypatch.setattr(graphed_step, "capture", capture)
    monkeypatch.setattr(step_method, "time", SimpleNamespace(perf_counter=lambda: next(clock)))


def told_by(run: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    fields = ("used", "reason", "reference_seconds", "seconds")
    return [
        {name: event[name] for name in fields}
        for event in events
        if event["type"] == "step_method" and event["method"] == "graphed"
    ]


@pytest.fixture(params=ENGINES, ids=lambda engine: engine["engine"])
def plain(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A run of Trainer's own calls, and what it was made with: its 2nd batch of each epoch is smaller, and clipped."""
    options = {
        **request.param,
        "training__max_steps": 12,
        "training__per_device_train_batch_size": 400,
        "training__max_grad_norm": 0.1,
        "record__tensors": ["wte", "wte.grad", "wte.exp_avg"],
        "checkpoint__every": 5,
    }
    assert in_child(lambda: train(tmp_path / "plain", **options))["status"] == "completed"
    return tmp_path / "plain", options


def test_steps_replayed_by_a_stand_in_for_the_graph_have_the_bits_of_plain_steps(
    tmp_path: Path, plain: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, options = plain
    run = tmp_path / "run"
    with_stand_in(monkeypatch)
    assert in_child(lambda: train(run, **options))["status"] == "completed"
    used = {"used": True, "reason": "equal bits, and faster", "reference_seconds": 2.0, "seconds": 1.0}
    assert (told_by(run), told_by(whole)) == ([used], [])
    assert differences(run, whole) == []


def test_a_killed_run_with_a_stand_in_for_the_graph_resumes_to_the_same_bits(
    tmp_path: Path, plain: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, options = plain
    run = tmp_path / "run"
    with_stand_in(monkeypatch)
    killed_at(run, "step_end", 8, **options)
    outcome = in_child(lambda: train(run, "exact", **options))
    assert (outcome["status"], outcome["from_step"]) == ("completed", 5)
    assert differences(run, whole) == []


@pytest.mark.parametrize("kind", ["other bits", "an error"])
def test_after_a_stand_in_for_the_graph_that_is_wrong_or_fails_every_step_is_eager(
    tmp_path: Path, plain: tuple[Path, dict[str, Any]], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    whole, options = plain
    run = tmp_path / "run"

    def wrong(step: Callable[[], Made]) -> Replay:
        def replay() -> Made:
            if kind == "an error":
                raise RuntimeError("CUDA error: operation not permitted when stream is capturing\nCompile with …")
            step()  # weights and moments of two steps
            return step()

        stand_in(step)
        return replay

    with_stand_in(monkeypatch, wrong)
    assert in_child(lambda: train(run, **options))["status"] == "completed"
    (told,) = told_by(run)
    assert not told["used"]
    assert (
        told["reason"]
        == {
            "other bits": "its bits differ here, first in the weights and moments",
            "an error": "capturing failed: CUDA error: operation not permitted when stream is capturing",
        }[kind]
    )
    assert differences(run, whole) == []


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


def whole_steps() -> list[Any]:
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


def test_whole_steps_are_those_of_a_plain_loop() -> None:
    assert in_child(whole_steps) == plainly()


def test_the_first_whole_step_leaves_the_optimizer_to_its_caller() -> None:
    model, optimizer = parts()
    whole = WholeStep(Windows(TOKENS, 4, "double"), 2, add_gradients, clip)
    whole.make(model, optimizer, BATCHES[0])
    assert not optimizer.state
    assert (whole.norm, whole.verdict) == (None, None)


@pytest.mark.parametrize(
    ("changes", "config", "reason"),
    [
        ({}, {}, None),
        ({"engine": {"name": "fast", "graph": "off"}}, {}, "engine.graph is off"),
        ({"device": "cpu"}, {}, "it requires CUDA"),
        ({}, {"attn_pdrop": 0.1}, "it does not support dropout"),
        ({"engine": {"name": "fast", "graph": "auto", "processes": 2}}, {}, "it supports only one process"),
        (
            {"engine": {"name": "fast", "graph": "auto", "batched_runs": 2}},
            {},
            "batched runs share the graph of their gradients",
        ),
        (
            {"record": {"tensors": ["wte", "hidden.mean"]}},
            {},
            "hidden states can be recorded only in the model's own forward pass",
        ),
        ({"gradient_accumulation_steps": 2}, {}, "it supports only one batch per step"),
        ({"optim": "adafactor"}, {}, "it supports only PyTorch's fused AdamW with moments in the weights' dtype"),
        ({"dtype": "float32-master"}, {}, "it supports only PyTorch's fused AdamW with moments in the weights' dtype"),
        ({"trace": {"step": 3}}, {}, "a step is traced"),
        ({"neftune_noise_alpha": 5.0}, {}, "it does not support training.neftune_noise_alpha"),
    ],
    ids=str,
)
def test_what_cannot_be_captured_is_said(changes: dict[str, Any], config: dict[str, Any], reason: str | None) -> None:
    request: dict[str, Any] = {
        "engine": {"name": "fast", "graph": "auto", "processes": 1},
        "dtype": "bfloat16",
        "training": {"optimizer_state_dtype": None},
        "trace": None,
        "record": {"tensors": ["wte"]},
    }
    args = TrainingArguments(use_cpu=True, report_to="none")
    for name, value in changes.items():
        if name in request:
            request[name] = value
        else:
            vars(args)[name] = value
    seen: Any = SimpleNamespace(**{**vars(args), "device": torch.device(changes.get("device", "cuda"))})
    assert obstacle(request, seen, GPT2Config(**{**NO_DROPOUT, **config})) == reason


# CUDA must not be asked here: a forked process cannot use it when its parent has.
@pytest.mark.skipif(not Path("/dev/nvidia0").exists(), reason="there is no CUDA device")
@pytest.mark.parametrize("options", ENGINES, ids=lambda engine: engine["engine"])
def test_a_step_from_a_cuda_graph_has_the_bits_of_the_eager_one(tmp_path: Path, options: dict[str, Any]) -> None:
    runs = {wish: tmp_path / wish for wish in ("off", "auto")}
    for wish, run in runs.items():
        outcome = in_child(lambda run=run, wish=wish: train(run, **options, device="cuda", engine__graph=wish))
        assert outcome["status"] == "completed", outcome
    (told,) = told_by(runs["auto"])
    assert told["reason"] in ("equal bits, and faster", "it is not faster here")
    assert differences(runs["auto"], runs["off"]) == []
