"""A run that ended early goes on to the bits that it would have had."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from tiny_run import differences, events_of, in_child, killed_at, train


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("whole") / "run"
    assert in_child(lambda: train(directory))["status"] == "completed"
    return directory


def resume(directory: Path, **changes: Any) -> Any:
    return in_child(lambda: train(directory, "exact", **changes))


@pytest.mark.parametrize(
    ("event", "step", "goes_on_from"),
    [
        ("train_begin", 0, 0),
        ("step_end", 7, 0),
        ("step_end", 10, 0),
        ("log", 10, 0),
        ("save", 10, 10),
        ("step_end", 29, 20),
        ("step_end", 40, 30),
        ("save", 40, 40),
        ("train_end", 40, 40),
    ],
)
def test_a_run_killed_at_an_event_resumes_to_the_same_bits(
    tmp_path: Path, whole: Path, event: str, step: int, goes_on_from: int
) -> None:
    run = tmp_path / "run"
    killed_at(run, event, step)
    outcome = resume(run)
    assert outcome["from_step"] == goes_on_from
    assert outcome["status"] == "completed"
    assert differences(run, whole) == []


def test_a_run_killed_again_while_it_recomputes_resumes_to_the_same_bits(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 29)
    killed_at(run, "step_end", 25, resume="exact")
    killed_at(run, "step_end", 33, resume="exact")
    assert resume(run)["from_step"] == 30
    assert differences(run, whole) == []


def test_a_run_killed_between_the_renames_of_a_replaced_directory_loses_nothing(tmp_path: Path) -> None:
    constant = {"training__lr_scheduler_type": "constant"}  # a longer run then has the same steps
    end = {**constant, "training__max_steps": 60}
    shorter, longer = tmp_path / "shorter", tmp_path / "longer"
    in_child(lambda: train(shorter, **constant))
    in_child(lambda: train(longer, **end))
    mine = ["checkpoints/step-000040/mine.txt", "final/mine.txt"]
    for replaced in ("step-000040", "final"):
        run = tmp_path / f"replaced-{replaced}"
        shutil.copytree(shorter, run)
        for path in mine:
            (run / path).write_text("mine")
        (run / "checkpoints/step-000040/model.safetensors").write_bytes(b"damaged")  # so that it is made once more
        dies_before_renaming(run, f".{replaced}.partial", **end)
        assert not list(run.rglob(replaced))
        assert resume(run, **end)["status"] == "completed"
        assert [name for name in differences(run, longer) if name != "events.jsonl"] == []
        assert [(run / path).read_text() for path in mine] == ["mine", "mine"]
        assert list(run.rglob(".*")) == []


def dies_before_renaming(run: Path, name: str, **changes: Any) -> None:
    """Resume a run and die by SIGKILL just before the directory of this name gets another one."""
    rename = Path.rename

    def deadly(self: Path, target: Path) -> Path:
        if self.name == name:
            os.kill(os.getpid(), signal.SIGKILL)
        return rename(self, target)

    def task() -> Any:
        Path.rename = deadly
        return train(run, "exact", **changes)

    assert in_child(task) is None, "it was to die"


def test_the_checksums_of_an_earlier_end_are_gone_before_anything_changes(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(whole, run)
    (run / "SHA256SUMS").write_text("of the first 40 steps\n")
    killed_at(run, "resumed", 40, resume="exact")
    assert not (run / "SHA256SUMS").exists()


def test_a_damaged_checkpoint_is_passed_over_for_the_one_before_and_that_is_said(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 35)
    flip_a_bit(run / "checkpoints/step-000030/optimizer.safetensors")
    outcome = resume(run)
    assert outcome["from_step"] == 20
    assert "step-000030/optimizer.safetensors differs from its manifest" in outcome["rejected_checkpoints"][0]
    rejected = [e for e in raw_events(run) if e["type"] == "checkpoint_rejected"]
    assert [e["problem"] for e in rejected] == outcome["rejected_checkpoints"]
    assert differences(run, whole) == []


def test_without_any_sound_checkpoint_it_starts_over_and_compares(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 25)
    shutil.rmtree(run / "checkpoints")
    outcome = resume(run)
    assert outcome["from_step"] == 0
    assert outcome["recorded_step"] == 20
    assert differences(run, whole) == []


def test_a_step_that_comes_out_differently_is_reported(tmp_path: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 25)
    flip_a_bit(run / "history.idx", at=24 * 13 + 8)  # the checksum of step 13
    shutil.rmtree(run / "checkpoints")
    outcome = resume(run)
    assert outcome["code"] == "RESUME_DIVERGED"
    assert outcome["message"].startswith("step 13 differs from the recorded step")


def test_going_on_inexactly_replaces_the_steps_after_the_checkpoint(tmp_path: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 25)
    outcome = in_child(lambda: train(run, "inexact", noise__epsilon=0.1))
    assert outcome["status"] == "completed"
    assert outcome["from_step"] == 20


def test_a_longer_run_equals_the_one_that_was_that_long_from_the_start(tmp_path: Path) -> None:
    constant = {"training__lr_scheduler_type": "constant", "record__every": 7}
    short, long = tmp_path / "short", tmp_path / "long"
    in_child(lambda: train(short, **constant, training__max_steps=30))
    in_child(lambda: train(long, **constant))
    assert resume(short, **constant)["from_step"] == 30
    # The last state of the short run, step 30, is off the beat of 7 and gone; its last save and end are history.
    assert [name for name in differences(short, long) if name != "events.jsonl"] == []
    assert [e for e in events_of(short) if e["type"] == "step_end"] == [
        e for e in events_of(long) if e["type"] == "step_end"
    ]


def test_a_checkpoint_of_the_real_trainer_is_gone_on_from_to_its_bits(tmp_path: Path) -> None:
    theirs = in_child(lambda: train_with_trainer(tmp_path / "theirs"))
    source = f"{tmp_path}/theirs/checkpoint-20"
    ours = tmp_path / "ours"
    plain = {"noise__epsilon": 0.0, "record__tensors": ["wte"], "model_from": source}
    assert in_child(lambda: train(ours, start_from=source, **plain))["steps_this_time"] == 20
    with safe_open(ours / "final/model.safetensors", "pt") as file:
        assert {name: digest(file.get_tensor(name)) for name in file.keys()} == theirs  # noqa: SIM118


def test_a_run_that_begins_with_a_checkpoint_of_another_comes_to_its_bits(tmp_path: Path, whole: Path) -> None:
    source = str(whole / "checkpoints/step-000030")
    fork = tmp_path / "fork"
    outcome = in_child(lambda: train(fork, start_from=source, model_from=source))
    assert (outcome["status"], outcome["from_step"], outcome["steps_this_time"]) == ("completed", 30, 10)
    assert (fork / "final/model.safetensors").read_bytes() == (whole / "final/model.safetensors").read_bytes()
    states = [load_file(run / "history.safetensors")["embedding_history"] for run in (fork, whole)]
    assert torch.equal(states[0], states[1][-len(states[0]) :])
    damaged = tmp_path / "damaged"
    shutil.copytree(source, damaged)
    (damaged / "optimizer.json").write_text("{}")
    refused = in_child(lambda: train(tmp_path / "none", start_from=str(damaged), model_from=source))
    assert refused["code"] == "CONFIG_INVALID"
    assert "optimizer.json differs from its manifest" in refused["message"]


def test_a_pickle_in_a_trainers_checkpoint_is_refused_and_not_executed(tmp_path: Path) -> None:
    in_child(lambda: train_with_trainer(tmp_path / "theirs"))
    source, bait = tmp_path / "theirs/checkpoint-20", tmp_path / "executed"
    torch.save({"state": Bomb(str(bait))}, source / "optimizer.pt")
    outcome = in_child(lambda: train(tmp_path / "run", start_from=str(source), model_from=str(source)))
    assert outcome["code"] == "CONFIG_INVALID"
    assert "contains more than plain data and is not loaded" in outcome["message"]
    assert not bait.exists()


class Bomb:
    """Unpickled without restraint, it makes a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Path]]:
        return Path.touch, (Path(self.path),)


def train_with_trainer(directory: Path) -> dict[str, str]:
    """The tiny training with HF's Trainer alone, with its own checkpoints; digests of the final weights."""
    from bh_bridge.data.corpus import Windows
    from bh_bridge.models.model import build_model
    from tiny_run import CORPUS, MODEL, tokens_of
    from transformers import Trainer, TrainingArguments

    corpus = directory.parent / "corpus.txt"
    corpus.write_text(CORPUS)
    model = build_model(MODEL["config"], MODEL["norm"], MODEL["dtype"], MODEL["init"], MODEL["seed"])
    windows = Windows(tokens_of(corpus, 128), 16, "double")
    args = TrainingArguments(
        output_dir=str(directory),
        max_steps=40,
        per_device_train_batch_size=8,
        learning_rate=1e-3,
        weight_decay=0.01,
        bf16=True,
        logging_steps=5,
        save_strategy="steps",
        save_steps=20,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
    )
    Trainer(model=model, args=args, train_dataset=PlainWindows(windows)).train()
    with safe_open(directory / "checkpoint-40/model.safetensors", "pt") as file:
        return {name: digest(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118


class PlainWindows(torch.utils.data.Dataset[Any]):
    """One window at a time, as HF's default collator wants them."""

    def __init__(self, windows: Any) -> None:
        self._windows = windows

    def __len__(self) -> int:
        return len(self._windows)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        batch = self._windows.__getitems__([index])
        return {name: value[0] for name, value in batch.items()}


def digest(tensor: torch.Tensor) -> str:
    return tensor.contiguous().view(torch.uint8).numpy().tobytes().hex()


def flip_a_bit(path: Path, at: int = -9) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def raw_events(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
