"""What HF's Trainer forgets when it goes on, and a run does not: its place in an epoch, and the mean since a log."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.engines.durable_trainer import DurableTrainer
from bh_bridge.models.model import build_model, save_model
from tiny_run import differences, in_child, killed_at, train
from transformers import PreTrainedModel, TrainingArguments

# 602 windows make ten batches of 64 an epoch; logs come every 7 steps, checkpoints every 4.
CHANGES: dict[str, Any] = {
    "training__per_device_train_batch_size": 64,
    "training__max_steps": 24,
    "training__logging_steps": 7,
    "checkpoint__every": 4,
}


def progress(run: Path, step: int) -> dict[str, Any]:
    return json.loads((run / f"checkpoints/step-{step:06}/progress.json").read_text())


@pytest.mark.parametrize(("batches", "at"), [(1, 13), (1, 22), (2, 6), (2, 13)], ids=str)
def test_a_run_killed_in_an_epoch_and_between_two_logs_goes_on_to_the_same_bits(
    tmp_path: Path, batches: int, at: int
) -> None:
    changes = {**CHANGES, "training__gradient_accumulation_steps": batches}
    whole, run = tmp_path / "whole", tmp_path / "run"
    assert in_child(lambda: train(whole, **changes))["status"] == "completed"
    killed_at(run, "step_end", at, **changes)
    outcome = in_child(lambda: train(run, "exact", **changes))
    assert (outcome["status"], outcome["from_step"]) == ("completed", at // 4 * 4)
    assert differences(run, whole) == []


def test_a_checkpoint_knows_its_place_in_the_epoch_and_since_the_last_log(tmp_path: Path) -> None:
    run = tmp_path / "run"
    in_child(lambda: train(run, **CHANGES, checkpoint__keep=6))
    places = {step: progress(run, step) for step in (8, 20, 24)}
    assert [(each["epoch"], each["steps_in_epoch"]) for each in places.values()] == [(0, 8), (2, 0), (2, 4)]
    assert [each["last_logged_step"] for each in places.values()] == [7, 14, 21]


def test_experts_that_transformers_saves_under_other_names_are_loaded(tmp_path: Path) -> None:
    sizes = {"vocab_size": 128, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1}
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "num_local_experts": 2}

    def mixtral(seed: int) -> PreTrainedModel:
        config: Any = {"type": "mixtral", **sizes, **heads}
        return build_model(config, "native", "float32", {"kind": "normal"}, seed)

    saved, other = mixtral(1), mixtral(2)
    save_model(saved, tmp_path / "saved")
    args = TrainingArguments(str(tmp_path), use_cpu=True, report_to="none")
    DurableTrainer(model=other, callbacks=[], args=args).load_weights(tmp_path / "saved")
    expected = saved.state_dict()
    assert [name for name, value in other.state_dict().items() if not torch.equal(value, expected[name])] == []
