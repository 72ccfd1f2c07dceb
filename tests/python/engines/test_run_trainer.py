"""HF's Trainer as an engine: every event of transformers under its name, and weight decay as the configuration says."""

import hashlib
import inspect
import struct
from pathlib import Path
from typing import Any

import pytest
from bh_bridge import registry
from bh_bridge.data import Windows
from bh_bridge.engines.run_trainer import RunTrainer, StepCallback
from bh_bridge.events import EventLog
from bh_bridge.protocol import schema
from bh_bridge.run_step import LOGGED_EVENTS
from tiny_run import CORPUS, MODEL, create, events_of, in_child, train
from transformers import TrainerCallback

EVENTS = sorted(
    name.removeprefix("on_") for name, _ in inspect.getmembers(TrainerCallback, callable) if name.startswith("on_")
)
ON_REQUEST = sorted(set(EVENTS) - set(LOGGED_EVENTS))


def test_it_handles_every_event_of_the_installed_transformers_itself() -> None:
    assert [name for name in EVENTS if f"on_{name}" in vars(StepCallback)] == EVENTS


def test_the_protocol_has_an_event_for_each() -> None:
    assert set(EVENTS) <= {option["properties"]["type"]["const"] for option in schema()["event"]["oneOf"]}


@pytest.mark.parametrize("asked", [ON_REQUEST, []], ids=["asked for", "not asked for"])
def test_an_event_is_sent_when_it_was_asked_for_and_not_otherwise(tmp_path: Path, asked: list[str]) -> None:
    def task() -> dict[str, list[str]]:
        trainer = created(tmp_path / "run", events=asked)
        [callback] = [each for each in trainer.callback_handler.callbacks if isinstance(each, StepCallback)]
        sent: list[str] = []
        told: dict[str, list[str]] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EventLog, "emit", lambda self, type, **_: sent.append(type))
            for event in ON_REQUEST:
                getattr(callback, f"on_{event}")(trainer.args, trainer.state, trainer.control)
                told[event], sent[:] = list(sent), []
        return told

    assert in_child(task) == {event: [event] if asked else [] for event in ON_REQUEST}


@pytest.mark.parametrize("strategy", ["random", "sequential"])
def test_the_order_of_windows_that_is_told_is_that_in_which_an_epoch_takes_them(tmp_path: Path, strategy: str) -> None:
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
            train(tmp_path / "run", **{f"training__{name}": value for name, value in settings.items()})
        return taken

    taken = in_child(task)
    [begin] = [event for event in events_of(tmp_path / "run") if event["type"] == "train_begin"]
    windows = len(CORPUS) - MODEL["config"]["n_positions"]
    first_epoch = taken[:windows]
    assert sorted(first_epoch) == list(range(windows))
    assert (first_epoch == sorted(first_epoch)) == (strategy == "sequential")
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


NORMS = {"transformer.h.0.ln_1.weight", "transformer.h.0.ln_2.weight", "transformer.ln_f.weight"}
OTHERS = {
    "transformer.wte.weight",
    "transformer.wpe.weight",
    "transformer.h.0.attn.c_attn.weight",
    "transformer.h.0.attn.c_proj.weight",
    "transformer.h.0.mlp.c_fc.weight",
    "transformer.h.0.mlp.c_proj.weight",
}


@pytest.mark.parametrize(
    ("norm", "decay_norms", "norms_decay"),
    [
        ("layernorm", "hf", False),
        ("rmsnorm", "hf", True),  # HF does not know RMSNorm: the notebook's confound
        ("layernorm", "never", False),
        ("rmsnorm", "never", False),
        ("layernorm", "always", True),
        ("rmsnorm", "always", True),
    ],
)
def test_which_weights_decay(tmp_path: Path, norm: str, decay_norms: str, norms_decay: bool) -> None:
    def task() -> list[str]:
        MODEL["norm"] = norm
        trainer = created(tmp_path / "run", training__decay_norms=decay_norms)
        optimizer = trainer.create_optimizer()
        names = {parameter: name for name, parameter in trainer.model.named_parameters()}
        return [names[each] for group in optimizer.param_groups if group["weight_decay"] for each in group["params"]]

    assert set(in_child(task)) == OTHERS | (NORMS if norms_decay else set())


def created(run: Path, **changes: Any) -> RunTrainer:
    return registry.find(create(run, **changes)["handle"]).engine
