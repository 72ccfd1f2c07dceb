"""A training in several processes: the numbers of one process, the same bits after a death, and nobody left over."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import bh_bridge
import numpy as np
import pytest
import torch
from bh_bridge.ranks.group import Group
from safetensors import safe_open
from tiny_run import CORPUS, IS_FULL, MODEL, RUN, differences, events_of, in_child, killed_at, train
from transformers import GPT2Config, GPT2LMHeadModel, Trainer, TrainingArguments, logging

TWO = {"engine__processes": 2}
# 602 windows make 66 batches of 9, and one of 8 that three processes cannot share out evenly.
THREE = {"engine__processes": 3, "training__per_device_train_batch_size": 9}
SEVERAL = THREE if IS_FULL else TWO
STEPS = 70


@pytest.fixture(autouse=True)
def _sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other processes find the sources as they do under Node, whose launcher sets this."""
    monkeypatch.setenv("PYTHONPATH", str(Path(bh_bridge.__file__).parents[1]))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of several processes that nobody interrupted, with dropout and noise."""
    directory = tmp_path_factory.mktemp("whole") / "run"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(bh_bridge.__file__).parents[1]))
        outcome = in_child(lambda: train(directory, **SEVERAL))
    assert outcome["status"] == "completed", outcome
    return directory


def test_losses_and_weights_are_those_of_one_process_with_the_same_batches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes = {**THREE, "training__max_steps": STEPS, "training__logging_steps": 1, "noise__epsilon": 0.0}
    exact = {"training__bf16": False, "dtype": "float32", "record__tensors": ["wte"], "data__label_shift": "causal"}
    for part, name, value in (
        (MODEL["config"], "resid_pdrop", 0.0),
        (MODEL, "dtype", "float32"),
        (MODEL, "norm", "layernorm"),
    ):
        monkeypatch.setitem(part, name, value)
    outcome = in_child(lambda: train(tmp_path / "run", **changes, **exact))
    assert outcome["status"] == "completed", outcome
    plain = in_child(lambda: plain_training(tmp_path / "plain"))
    assert "losses" in plain, plain
    losses = [event["loss"] for event in events_of(tmp_path / "run") if event["type"] == "step_end"]
    np.testing.assert_allclose(losses, plain["losses"], rtol=1e-5)
    with safe_open(tmp_path / "run" / "history.safetensors", "np") as file:
        last = file.get_slice("embedding_history")[STEPS]
    np.testing.assert_allclose(last, plain["embedding"], atol=2e-5)


def plain_training(folder: Path) -> dict[str, Any]:
    """The same training by HF's Trainer alone: windows, model and settings are written down here."""
    logging.set_verbosity_error()
    torch.manual_seed(42)
    dropout = {"resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0}
    sizes = {"vocab_size": 128, "n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 2}
    model = GPT2LMHeadModel(GPT2Config(**sizes, **dropout, bos_token_id=None, eos_token_id=None))
    row = torch.randn(8)
    with torch.no_grad():
        model.transformer.wte.weight[:] = row / row.norm()
    text = torch.tensor(list(CORPUS.encode()))
    windows = [{"input_ids": text[at : at + 16], "labels": text[at : at + 16]} for at in range(len(text) - 16)]
    training = {key: RUN["training"][key] for key in ("learning_rate", "weight_decay")}
    quiet = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, "logging_nan_inf_filter": False}
    steps = {"max_steps": STEPS, "per_device_train_batch_size": 9, "logging_steps": 1, "seed": RUN["seed"]}
    options = TrainingArguments(output_dir=str(folder), use_cpu=True, bf16=False, **steps, **quiet, **training)
    trainer = Trainer(model=model, args=options, train_dataset=windows)  # pyright: ignore[reportArgumentType]
    trainer.train()
    losses = [log["loss"] for log in trainer.state.log_history if "loss" in log]
    return {"losses": losses, "embedding": model.transformer.wte.weight.tolist()}


def test_a_run_whose_rank_0_was_killed_leaves_nobody_and_goes_on_to_the_same_bits(tmp_path: Path, whole: Path) -> None:
    run = tmp_path / "run"
    killed_at(run, "step_end", 27, **SEVERAL)
    assert not left(tmp_path)
    outcome = in_child(lambda: train(run, "exact", **SEVERAL))
    assert (outcome["status"], outcome["from_step"]) == ("completed", 20)
    assert differences(run, whole) == []


def test_a_process_that_dies_is_named_and_nobody_is_left(tmp_path: Path) -> None:
    def task() -> Any:
        from bh_bridge.recording.events import EventLog

        emit = EventLog.emit

        def deadly(self: EventLog, type: str, **fields: Any) -> None:
            emit(self, type, **fields)
            if type == "step_end" and fields["global_step"] == 5:
                os.kill(ranks_of(tmp_path)[-1], signal.SIGKILL)

        EventLog.emit = deadly
        return train(tmp_path / "run", engine__processes=2)

    outcome = in_child(task)
    assert outcome["code"] == "PEER_EXITED"
    assert outcome["message"].startswith("rank 1 of 2 (process ")
    assert outcome["message"].endswith(" was ended by SIGKILL")
    assert not left(tmp_path)


def ranks_of(place: Path) -> list[int]:
    """The processes that torchrun has started for runs in a folder."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes()
            if b"bh_bridge.ranks.member" in words and os.readlink(entry / "fd" / "2").startswith(str(place)):
                found.append(int(entry.name))
        except OSError:
            continue
    return sorted(found)


def left(place: Path) -> list[int]:
    """Those that are still there two seconds later."""
    deadline = time.monotonic() + 2
    while ranks_of(place) and time.monotonic() < deadline:
        time.sleep(0.05)
    return ranks_of(place)


@pytest.mark.parametrize(("windows", "sizes"), [(8, [3, 3, 2]), (2, [1, 1, 0])])
def test_a_batch_is_shared_out_in_its_order(windows: int, sizes: list[int]) -> None:
    batch = {"input_ids": torch.arange(windows * 4).view(windows, 4)}
    parts = [Group(rank, 3, 42).part(batch)["input_ids"] for rank in range(3)]
    assert [len(part) for part in parts] == sizes
    assert torch.equal(torch.cat(parts), batch["input_ids"])


def test_each_process_draws_for_itself_and_leaves_the_common_stream() -> None:
    torch.manual_seed(1)
    drawn: list[float] = []
    for rank in range(2):
        with Group(rank, 2, 42).own_draws(3, 0, torch.device("cpu")):
            drawn.append(torch.rand(()).item())
    assert drawn[0] != drawn[1]
    after = torch.rand(()).item()
    assert after == torch.rand((), generator=torch.Generator().manual_seed(1)).item()
