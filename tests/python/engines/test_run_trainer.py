"""What a run is told of HF's Trainer: the order of its windows, its logs and its losses."""

import hashlib
import struct
from pathlib import Path

import pytest
import torch
from bh_bridge.data.corpus import Windows
from tiny_run import CORPUS, MODEL, RUN, events_of, in_child, train


@pytest.mark.parametrize(("engine", "strategy"), [("trainer", "random"), ("trainer", "sequential"), ("fast", "random")])
def test_the_order_of_windows_that_is_told_is_that_in_which_an_epoch_takes_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, strategy: str
) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)  # engine fast has none

    def task() -> list[int]:
        taken: list[int] = []
        take = Windows.__getitems__
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Windows, "__getitems__", lambda self, indices: taken.extend(indices) or take(self, indices))
            settings = {
                "train_sampling_strategy": strategy,
                "per_device_train_batch_size": 64,
                "max_steps": 12,
            }  # an epoch takes ten
            train(tmp_path / "run", engine=engine, **{f"training__{name}": value for name, value in settings.items()})
        return taken

    taken = in_child(task)
    [begin] = [event for event in events_of(tmp_path / "run") if event["type"] == "train_begin"]
    windows = len(CORPUS) - MODEL["config"]["n_positions"]
    first_epoch = taken[:windows]
    assert sorted(first_epoch) == list(range(windows))
    randperm = torch.randperm(windows, generator=torch.Generator().manual_seed(RUN["data_seed"]))
    assert first_epoch == (randperm.tolist() if strategy == "random" else list(range(windows)))
    assert begin["window_order"] == hashlib.sha256(struct.pack(f"<{windows}q", *first_epoch)).hexdigest()


def test_the_summary_that_trainer_logs_at_its_end_is_no_event_of_the_run(tmp_path: Path) -> None:
    outcome = in_child(lambda: train(tmp_path / "run"))
    assert [log["step"] for log in outcome["log_history"]] == list(range(5, 45, 5))
    logs = [event for event in events_of(tmp_path / "run") if event["type"] == "log"]
    assert [event["global_step"] for event in logs] == list(range(5, 45, 5))


def test_the_loss_of_a_step_is_the_mean_of_its_batches(tmp_path: Path) -> None:
    """Trainer's own figure, logged at every step, is that mean in float32."""
    changes = {"training__gradient_accumulation_steps": 3, "training__logging_steps": 1, "training__max_steps": 6}
    in_child(lambda: train(tmp_path / "run", **changes))
    events = events_of(tmp_path / "run")
    losses = [event["loss"] for event in events if event["type"] == "step_end"]
    assert losses == pytest.approx([event["logs"]["loss"] for event in events if event["type"] == "log"], rel=1e-6)
