"""Engine `fast` trains near the reference, and a run of it that was killed ends with the same bits."""

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tiny_run import IS_FULL, MODEL, differences, history, in_child, killed_at, losses, train

FAST: dict[str, Any] = {"engine": "fast"}
SHORT: dict[str, Any] = {"training__max_steps": 40 if IS_FULL else 20}


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODEL["config"], "resid_pdrop", 0.0)
        assert in_child(lambda: train(directory, **FAST))["status"] == "completed"
        yield directory


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"training__gradient_accumulation_steps": 2},
        {"training__optimizer_state_dtype": "float32"},
        {"training__max_grad_norm": 0, "training__lr_scheduler_type": "cosine", "data__label_shift": "causal"},
        {"noise__epsilon": 0},
        {"training__bf16": False},
    ],
    ids=str,
)
def test_a_training_stays_near_the_reference(tmp_path: Path, changes: dict[str, Any]) -> None:
    runs = {engine: tmp_path / engine for engine in ("trainer", "fast")}
    for engine, run in runs.items():
        outcome = in_child(lambda run=run, engine=engine: train(run, **{**FAST, **SHORT, **changes, "engine": engine}))
        assert outcome["status"] == "completed", outcome
    far = max(abs(one - other) for one, other in zip(losses(runs["fast"]), losses(runs["trainer"]), strict=True))
    assert 0 < far < 0.01
    ours, theirs = history(runs["fast"]), history(runs["trainer"])
    assert (ours[-1] - theirs[-1]).norm() < 0.2 * (theirs[-1] - theirs[0]).norm()
    assert torch.equal(ours[0], theirs[0])


@pytest.mark.parametrize(
    ("event", "step", "goes_on_from"),
    [("step_end", 7, 0), ("save", 10, 10), ("step_end", 29, 20), ("train_end", 40, 40)],
)
def test_a_killed_run_resumes_to_the_same_bits(
    tmp_path: Path, whole: Path, event: str, step: int, goes_on_from: int
) -> None:
    run = tmp_path / "run"
    killed_at(run, event, step, **FAST)
    outcome = in_child(lambda: train(run, "exact", **FAST))
    assert (outcome["status"], outcome["from_step"]) == ("completed", goes_on_from)
    assert differences(run, whole) == []


def test_gradients_and_moments_are_recorded_as_the_optimizer_had_them(tmp_path: Path) -> None:
    run = tmp_path / "run"
    in_child(lambda: train(run, **FAST, record__tensors=["wte", "wte.grad", "wte.exp_avg"], training__max_steps=3))
    names = {name: tensor for path in run.glob("history*.safetensors") for name, tensor in load_file(path).items()}
    grad = next(tensor for name, tensor in names.items() if "grad" in name).float()
    moment = next(tensor for name, tensor in names.items() if "exp_avg" in name).float()
    assert torch.allclose(moment[1], 0.1 * grad[1], rtol=2**-7)  # Adam's first moment after its first step: (1 − β₁)·g
    assert grad[1].count_nonzero() > 0


def test_what_it_has_no_code_for_is_refused_before_anything_is_trained(tmp_path: Path) -> None:
    MODEL["config"]["resid_pdrop"] = 0.1
    outcome = in_child(lambda: train(tmp_path / "run", **FAST))
    assert outcome == {
        "code": "CONFIG_INVALID",
        "message": "model.resid_pdrop is 0.1: engine fast does not support dropout. Use engine trainer",
    }


def test_a_step_that_is_looked_into_shows_batch_loss_and_gradients(tmp_path: Path) -> None:
    run, trace = tmp_path / "run", tmp_path / "trace"
    trace.mkdir()
    options = {"training__max_steps": 3, "training__gradient_accumulation_steps": 2, "training__max_grad_norm": 0.01}
    looked = {"step": 2, "directory": str(trace)}
    assert in_child(lambda: train(run, **FAST, **options, trace=looked))["status"] == "completed"
    data = (trace / "tensors.bin").read_bytes()
    lines = [json.loads(line) for line in (trace / "tensors.jsonl").read_text().splitlines()]

    def read(quantity: str, batch: int, tensor: str, dtype: torch.dtype) -> torch.Tensor:
        """Of the embedding, or of the model itself."""
        (line,) = [
            line
            for line in lines
            if (line["quantity"], line["batch"], line["tensor"]) == (quantity, batch, tensor)
            and line["module"] in ("", "transformer.wte")
        ]
        count = math.prod(line["shape"])
        return torch.frombuffer(bytearray(data), dtype=dtype, count=count, offset=line["offset"]).view(line["shape"])

    assert [line["quantity"] for line in lines if line["quantity"] in ("input", "output gradient")] == []
    both = [read("output", batch, "loss", torch.float32).item() for batch in (1, 2)]
    assert sum(both) == losses(run)[1]
    text = [read("batch", batch, "input_ids", torch.int64) for batch in (1, 2)]
    assert [tokens.shape for tokens in text] == [(8, 16), (8, 16)]
    assert not torch.equal(*text)
    whole = read("gradient", 2, "weight", torch.bfloat16).float()
    assert not torch.equal(read("gradient", 1, "weight", torch.bfloat16).float(), whole)
    clipped = read("clipped gradient", 0, "weight", torch.bfloat16).float()
    shares = (clipped / whole)[whole != 0]
    assert shares.max() < 0.1  # the length of all gradients is 0.7 or so, and 0.01 is left
    assert torch.allclose(shares, shares.median(), rtol=2**-6)
