"""Engine `portable` trains near the reference and resumes to the same bits with other threads and builds."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.models.draws import PortableDraws
from bh_bridge.portable import builds
from safetensors.torch import load_file
from tiny_run import MODEL, differences, events_of, history, in_child, killed_at, losses, train

PORTABLE: dict[str, Any] = {"engine": "portable", "model_fields": {"draws": "portable"}}
SHORT: dict[str, Any] = {"training__max_steps": 20}


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODEL["config"], "resid_pdrop", 0.0)
        assert in_child(lambda: train(directory, **PORTABLE))["status"] == "completed"
        yield directory


@pytest.mark.parametrize(
    "changes",
    [
        {"training__gradient_accumulation_steps": 2},
        {"training__optimizer_state_dtype": "float32", "data__label_shift": "causal"},
        {"dtype": "float32-master", "noise__epsilon": 0},
        {"training__max_grad_norm": 0, "training__lr_scheduler_type": "inverse_sqrt", "training__decay_norms": "all"},
    ],
    ids=str,
)
def test_a_training_stays_near_the_reference(tmp_path: Path, changes: dict[str, Any]) -> None:
    runs = {engine: tmp_path / engine for engine in ("trainer", "portable")}
    for engine, run in runs.items():
        outcome = in_child(lambda run=run, engine=engine: train(run, **{**SHORT, **changes, "engine": engine}))
        assert outcome["status"] == "completed", outcome
    far = max(abs(one - other) for one, other in zip(losses(runs["portable"]), losses(runs["trainer"]), strict=True))
    assert 0 < far < 0.01
    ours, theirs = history(runs["portable"]), history(runs["trainer"])
    assert (ours[-1] - theirs[-1]).norm() < 0.2 * (theirs[-1] - theirs[0]).norm()


def test_a_killed_run_resumes_to_the_same_bits_with_other_threads_and_another_build(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 29, **PORTABLE)
    others = [build.name for build in builds() if build.usable]
    monkeypatch.setenv("BH_BRIDGE_PORTABLE", others[-2] if others[-1] == "wasm" and len(others) > 1 else others[-1])

    def resume() -> dict[str, Any]:
        torch.set_num_threads(3)
        return train(run, "exact", **PORTABLE)

    outcome = in_child(resume)
    assert (outcome["status"], outcome["from_step"]) == ("completed", 20)
    assert differences(run, whole) == []


def test_norms_gradients_and_moments_are_recorded_as_the_optimizer_had_them(tmp_path: Path) -> None:
    run = tmp_path / "run"
    recorded = ["wte", "wte.grad", "wte.exp_avg", "grad_norm", "grad_norm.clipped"]
    clipped_to = {"training__max_steps": 3, "training__max_grad_norm": 0.01}
    in_child(lambda: train(run, **PORTABLE, **clipped_to, record__tensors=recorded))
    names = {name: tensor for path in run.glob("history*.safetensors") for name, tensor in load_file(path).items()}
    grad, moment = names["wte.grad"].float(), names["wte.exp_avg"].float()
    assert torch.allclose(moment[1], 0.1 * grad[1], rtol=2**-7)  # Adam's first moment after its first step: (1 − β₁)·g
    assert names["grad_norm"][1].item() > 0.1
    assert names["grad_norm.clipped"][1].item() == pytest.approx(0.01, rel=2**-6)


def test_evaluations_have_the_loss_of_the_model(tmp_path: Path) -> None:
    found: dict[str, list[float]] = {}
    for engine in ("trainer", "portable"):
        run = tmp_path / engine
        evaluated = {"data__held_out": 0.2, "training__eval_strategy": "steps", "training__eval_steps": 5}
        one = {"training__per_device_eval_batch_size": 1}  # of which transformers weights every window alike
        outcome = in_child(
            lambda run=run, engine=engine, more={**evaluated, **one}: train(run, **SHORT, **more, engine=engine)
        )
        assert outcome["status"] == "completed", outcome
        found[engine] = [event["metrics"]["eval_loss"] for event in events_of(run) if event["type"] == "evaluate"]
    assert found["portable"] == pytest.approx(found["trainer"], abs=0.002)
    assert len(found["portable"]) == 4


def test_draws_of_sizes_that_are_no_multiple_of_16_are_normal() -> None:
    torch.manual_seed(1)
    expected = torch.randn(1000)
    torch.manual_seed(1)
    assert torch.allclose(PortableDraws().normal(1000, dtype=torch.float32), expected, atol=1e-5)
    assert PortableDraws().normal(3, dtype=torch.bfloat16).shape == (3,)
    unit = PortableDraws().unit_vector(5, torch.float32)
    assert unit.double().norm().item() == pytest.approx(1, abs=1e-6)


def test_a_run_says_which_build_computed_it(whole: Path) -> None:
    events = [json.loads(line) for line in (whole / "events.jsonl").read_text().splitlines()]
    (method,) = [event for event in events if event["type"] == "step_method"]
    assert (method["method"], method["used"]) == ("portable", True)
    assert method["reason"].startswith("build ")
