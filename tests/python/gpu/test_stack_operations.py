"""Runs that are trained together are those that each is alone: on the CPU in every bit, however the others end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.recording.events import EventLog
from stack_runs import STACKED, train_together
from tiny_run import MODEL, differences, events_of, in_child, killed_at, train

ALONE: dict[str, Any] = {"engine": "fast"}


def of_seed(seed: int) -> dict[str, Any]:
    return {"seed": seed, "data_seed": seed, "model_fields": {"seed": seed, "init_seed": seed}}


FIRST = of_seed(1)
SECOND: dict[str, Any] = {
    **of_seed(2),
    "training__learning_rate": 3e-3,
    "model_fields": {"seed": 2, "init_seed": 2, "init": {"kind": "snowball", "sigma": 1e-3}},
}


@pytest.fixture(autouse=True)
def without_dropout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODEL["config"], "resid_pdrop", 0.0)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """The two runs, each trained alone by engine `fast`."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(MODEL["config"], "resid_pdrop", 0.0)
        for name, changes in {"first": FIRST, "second": SECOND}.items():
            run, fields = folder / name, changes
            assert in_child(lambda run=run, fields=fields: train(run, **ALONE, **fields))["status"] == "completed"
        yield [folder / "first", folder / "second"]


def test_each_run_of_a_stack_is_the_run_that_it_is_alone(tmp_path: Path, whole: list[Path]) -> None:
    """Seed, order of the text, noise, learning rate and initial state are its own; the stack has a place left."""
    runs = [tmp_path / "first", tmp_path / "second"]
    ended = in_child(lambda: train_together(dict(zip(runs, (FIRST, SECOND), strict=True))))
    assert [each["ok"]["status"] for each in ended] == ["completed", "completed"]
    assert [differences(run, alone) for run, alone in zip(runs, whole, strict=True)] == [[], []]


def test_a_run_of_a_stack_that_is_trained_alone_is_the_same_run(tmp_path: Path, whole: list[Path]) -> None:
    run = tmp_path / "run"
    assert in_child(lambda: train(run, **STACKED, **SECOND))["status"] == "completed"
    assert differences(run, whole[1]) == []


@pytest.mark.parametrize(("event", "step"), [("step_end", 7), ("save", 20), ("step_end", 29)])
def test_a_killed_stack_goes_on_together_or_alone_to_the_same_bits(
    tmp_path: Path, whole: list[Path], event: str, step: int
) -> None:
    runs = [tmp_path / "first", tmp_path / "second"]

    def killed() -> None:
        killed_while_stacked(dict(zip(runs, (FIRST, SECOND), strict=True)), event, step)

    assert in_child(killed) is None, "it was to die"
    ended = in_child(lambda: train_together({runs[0]: FIRST}, "exact"))
    assert ended[0]["ok"]["status"] == "completed"
    assert in_child(lambda: train(runs[1], "exact", **STACKED, **SECOND))["status"] == "completed"
    assert [differences(run, alone) for run, alone in zip(runs, whole, strict=True)] == [[], []]


def test_runs_at_different_steps_go_on_together(tmp_path: Path, whole: list[Path]) -> None:
    """One has died at its step 29 and goes on from 20, the other begins."""
    runs = [tmp_path / "first", tmp_path / "second"]
    killed_at(runs[0], "step_end", 29, **STACKED, **FIRST)
    ended = in_child(lambda: train_together({runs[0]: {**FIRST, "resume": "exact"}, runs[1]: SECOND}))
    assert [each["from_step"] for each in ended] == [20, 0]
    assert [differences(run, alone) for run, alone in zip(runs, whole, strict=True)] == [[], []]


def test_one_that_fails_and_one_that_is_no_number_leave_the_others_alone(tmp_path: Path, whole: list[Path]) -> None:
    runs = [tmp_path / name for name in ("fails", "second", "lost")]

    def task() -> list[dict[str, Any]]:
        emit = EventLog.emit

        def failing(self: EventLog, type: str, **fields: Any) -> None:
            if type == "step_end" and fields["global_step"] == 13 and vars(self)["_path"].parent.name == "fails":
                raise OSError("no more of this")
            emit(self, type, **fields)

        EventLog.emit = failing
        lost = {**of_seed(3), "training__learning_rate": 1e30}
        return train_together(dict(zip(runs, (FIRST, SECOND, lost), strict=True)))

    failed, second, lost = in_child(task)
    assert failed["ok"] is None
    assert "no more of this" in failed["err"]["message"]
    assert lost["ok"]["status"] == "completed"
    assert any(event["type"] == "step_end" and event["loss"] == "NaN" for event in events_of(runs[2]))
    assert second["ok"]["status"] == "completed"
    assert differences(runs[1], whole[1]) == []


def test_a_decider_asks_for_its_own_run_and_a_stop_ends_that_one(tmp_path: Path, whole: list[Path]) -> None:
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        asked.append(question["training"])
        return {
            "type": "answer",
            "question": question["question"],
            "control": {"should_training_stop": question["state"]["global_step"] == 15},
        }

    deciders = [{"every": 5, "on": [], "timeout_seconds": 30.0}]
    runs = [tmp_path / "stopped", tmp_path / "second"]

    def task() -> Any:
        return [train_together({runs[0]: {**FIRST, "deciders": deciders, "answer": answer}, runs[1]: SECOND}), asked]

    (stopped, second), trainings = in_child(task)
    assert [stopped["ok"][name] for name in ("status", "reason", "global_step")] == ["stopped", "decider", 15]
    assert second["ok"]["status"] == "completed"
    assert set(trainings) == {1}
    assert differences(runs[1], whole[1]) == []


def test_batches_that_share_a_step_and_an_optimizer_of_its_own_are_as_alone(tmp_path: Path) -> None:
    changes = {"training__gradient_accumulation_steps": 2, "training__optimizer_state_dtype": "float32"}
    fields: dict[str, Any] = {**changes, "training__max_steps": 6, "checkpoint__every": 3}
    runs, alone = [tmp_path / "first", tmp_path / "second"], tmp_path / "alone"
    assert in_child(lambda: train(alone, **ALONE, **of_seed(2), **fields))["status"] == "completed"
    in_child(lambda: train_together({run: {**of_seed(seed), **fields} for seed, run in enumerate(runs, 1)}))
    assert differences(runs[1], alone) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([{}, {"training__per_device_train_batch_size": 4}], "batched runs need the same model, batch"),
        ([{}, {"model_fields": {"norm": "layernorm"}}], "batched runs need the same model, batch"),
        ([{}, {}, {}, {}], "engine.batched_runs is 3, but 4 runs were given"),
        ([{"engine__batched_runs": 1}], "batched runs need engine fast and engine.batched_runs above 1"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_by_name(tmp_path: Path, changes: list[dict[str, Any]], message: str) -> None:
    outcome = in_child(lambda: train_together({tmp_path / str(index): each for index, each in enumerate(changes)}))
    assert outcome["code"] == "CONFIG_INVALID"
    assert message in outcome["message"]


def killed_while_stacked(runs: dict[Path, dict[str, Any]], event: str, step: int) -> None:
    """Train runs in one stack, and die in the instant when an event of a step is in the log of the last one."""
    emit, last = EventLog.emit, list(runs)[-1]

    def deadly(self: EventLog, type: str, **fields: Any) -> None:
        emit(self, type, **fields)
        if type == event and fields["global_step"] == step and last in vars(self)["_path"].parents:
            os.kill(os.getpid(), signal.SIGKILL)

    EventLog.emit = deadly
    train_together(runs)
