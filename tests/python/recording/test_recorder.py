"""Every recorded tensor keeps its own dtype: what is on disk is what the optimizer had, not a rounding of it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_run import differences, in_child, killed_at, train

RECORDED = ["wte", "wte.grad", "wte.exp_avg", "wte.exp_avg_sq"]
STEPS = 12


@pytest.mark.parametrize(
    ("changes", "moments"),
    [
        ({}, torch.bfloat16),
        ({"training__optimizer_state_dtype": "float32"}, torch.float32),
        ({"dtype": "float32-master"}, torch.float32),
    ],
    ids=["as the model", "float32 state", "float32 master"],
)
def test_recorded_moments_equal_those_of_the_checkpoint_in_every_bit(
    tmp_path: Path, changes: dict[str, str], moments: torch.dtype
) -> None:
    run = tmp_path / "run"
    outcome = in_child(lambda: train(run, record__tensors=RECORDED, training__max_steps=STEPS, **changes))
    assert outcome["status"] == "completed", outcome
    recorded = {name: load_file(run / f"history.{name}.safetensors")[name] for name in RECORDED[1:]}
    assert {name: tensor.dtype for name, tensor in recorded.items()} == {
        "wte.grad": torch.bfloat16,  # torch gives a gradient the dtype of its weight
        "wte.exp_avg": moments,
        "wte.exp_avg_sq": moments,
    }
    assert load_file(run / "history.safetensors")["embedding_history"].dtype == torch.bfloat16
    saved = load_file(run / f"checkpoints/step-{STEPS:06d}/optimizer.safetensors")
    for name in ("exp_avg", "exp_avg_sq"):
        last = recorded[f"wte.{name}"][-1]
        [same] = [tensor for key, tensor in saved.items() if key.endswith(f".{name}") and tensor.shape == last.shape]
        assert torch.equal(same, last), name


def test_a_killed_run_with_float32_moments_resumes_to_the_same_bits(tmp_path: Path) -> None:
    changes = {"training__optimizer_state_dtype": "float32", "training__max_steps": STEPS}
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert in_child(lambda: train(whole, **changes))["status"] == "completed"
    killed_at(run, "step_end", STEPS - 1, **changes)
    assert in_child(lambda: train(run, "exact", **changes))["status"] == "completed"
    assert differences(run, whole) == []
