"""When a run is asked, stopped and saved, whichever engine makes its steps."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from bh_bridge.operations import trainer_operations
from bh_bridge.training import run_step, watch
from bh_bridge.training.run_step import COALESCIBLE_EVENTS, HELD_BYTES, HELD_STEPS, STOP_REQUEST, steps_to_hold
from safetensors.torch import load_file
from silent_node import deciding
from tiny_run import create, differences, events_of, in_child, killed_at, train

DECIDER: dict[str, Any] = {"every": None, "on": [], "timeout_seconds": 60}
PLAIN = {"record__tensors": ["wte"]}

engines = pytest.mark.parametrize("engine", ["trainer", "sgd"])


def stopping(question: dict[str, Any]) -> dict[str, Any]:
    """The Node that stops the training at its first question: for certain, so, at that step."""
    return {"type": "stop", "training": 1, "reason": "user"}


def checkpoints_of(run: Path) -> dict[int, bool]:
    """The steps of a run's checkpoints, and whether each was made to stop."""
    manifests = [json.loads(path.read_text()) for path in (run / "checkpoints").glob("*/MANIFEST.json")]
    return {manifest["global_step"]: manifest["to_stop"] for manifest in manifests}


@engines
def test_a_stop_by_node_ends_a_training_after_its_step_with_a_checkpoint_to_go_on_from(
    tmp_path: Path, engine: str
) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    in_child(lambda: train(whole, engine=engine, **PLAIN))
    stopped = in_child(lambda: train(run, answer=stopping, engine=engine, deciders=[{**DECIDER, "every": 25}], **PLAIN))
    assert (stopped["status"], stopped["reason"], stopped["global_step"]) == ("stopped", "user", 25)
    assert checkpoints_of(run) == {20: False, 25: True}
    assert not (run / "final").exists()
    assert in_child(lambda: train(run, "exact", engine=engine, **PLAIN))["from_step"] == 25
    assert differences(run, whole) == []


@engines
def test_a_checkpoint_that_was_due_anyway_was_not_made_to_stop(tmp_path: Path, engine: str) -> None:
    run = tmp_path / "run"
    in_child(lambda: train(run, answer=stopping, engine=engine, deciders=[{**DECIDER, "every": 20}], **PLAIN))
    assert checkpoints_of(run) == {10: False, 20: False}


@engines
def test_a_file_in_the_run_asks_for_a_stop_once_and_an_old_one_asks_for_nothing(tmp_path: Path, engine: str) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    in_child(lambda: train(whole, engine=engine, **PLAIN))

    def ask(question: dict[str, Any]) -> dict[str, Any]:
        (run / STOP_REQUEST).touch()
        return deciding({})(question)

    stopped = in_child(lambda: train(run, answer=ask, engine=engine, deciders=[{**DECIDER, "every": 25}], **PLAIN))
    assert (stopped["status"], stopped["reason"], stopped["global_step"]) == ("stopped", "signal", 25)
    assert checkpoints_of(run) == {20: False, 25: True}
    assert not (run / STOP_REQUEST).exists()
    (run / STOP_REQUEST).touch()
    assert in_child(lambda: train(run, "exact", engine=engine, **PLAIN))["from_step"] == 25
    assert differences(run, whole) == []


@engines
def test_replay_points_change_no_bit_and_no_event_and_a_killed_run_resumes_from_one(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, run, killed = tmp_path / "whole", tmp_path / "run", tmp_path / "killed"
    options = {"engine": engine, "training__max_steps": 80, "checkpoint__every": 32, "checkpoint__keep": 3}
    options["record__tensors"] = ["wte", "wte.grad"]  # so that a fifth of the history has room for points
    in_child(lambda: train(whole, **options))
    assert checkpoints_of(whole) == {32: False, 64: False, 80: False}  # no 10 seconds between them
    monkeypatch.setattr(run_step, "REPLAY_SECONDS", 0)  # a child inherits it
    monkeypatch.setattr(run_step, "REPLAY_PER_SAVE", 0)
    in_child(lambda: train(run, **options))
    points = {step for step, to_stop in checkpoints_of(run).items() if to_stop}
    assert points
    assert {step % 4 for step in points} == {0}
    assert checkpoints_of(run).keys() - points == {32, 64, 80}
    assert differences(run, whole) == []
    killed_at(killed, "step_end", 46, **options)
    assert checkpoints_of(killed)[44]
    assert in_child(lambda: train(killed, "exact", **options))["from_step"] == 44
    assert differences(killed, whole) == []


@engines
def test_a_replay_point_that_a_decider_asks_for_is_a_checkpoint(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    monkeypatch.setattr(run_step, "REPLAY_SECONDS", 0)
    monkeypatch.setattr(run_step, "REPLAY_PER_SAVE", 0)
    options = {"engine": engine, "training__max_steps": 80, "training__logging_steps": 20, "checkpoint__every": 80}
    options |= {"checkpoint__keep": 9, "record__tensors": ["wte", "wte.grad"]}
    deciders = [{**DECIDER, "on": ["log"]}]
    in_child(lambda: train(run, answer=deciding({"should_save": True}), deciders=deciders, **options))
    assert {step for step, to_stop in checkpoints_of(run).items() if not to_stop} == {20, 40, 60, 80}
    assert True in checkpoints_of(run).values()
    assert [event["global_step"] for event in events_of(run) if event["type"] == "save"] == [20, 40, 60, 80]


@engines
@pytest.mark.parametrize("turn", [{"every": 15}, {"on": ["log"]}], ids=["at a step", "at a log"])
def test_a_deciders_stop_is_an_end_with_checkpoint_and_model(tmp_path: Path, engine: str, turn: dict[str, Any]) -> None:
    run = tmp_path / "run"
    options = {"engine": engine, "training__logging_steps": 15, "deciders": [{**DECIDER, **turn}], **PLAIN}
    outcome = in_child(lambda: train(run, answer=deciding({"should_training_stop": True}), **options))
    assert (outcome["status"], outcome["reason"], outcome["global_step"]) == ("stopped", "decider", 15)
    assert checkpoints_of(run) == {10: False, 15: False}
    assert (run / "final/model.safetensors").is_file()


@engines
def test_a_decider_gets_the_checkpoint_and_the_evaluation_that_it_asks_for(tmp_path: Path, engine: str) -> None:
    run, decider = tmp_path / "run", {**DECIDER, "every": 17}
    options = {"engine": engine, "deciders": [decider], "checkpoint__every": None, "checkpoint__keep": 9, **PLAIN}
    answer = deciding({"should_save": True, "should_evaluate": True})
    in_child(lambda: train(run, answer=answer, data__held_out=0.3, **options))
    assert checkpoints_of(run) == {17: False, 34: False, 40: False}
    assert [event["global_step"] for event in events_of(run) if event["type"] == "evaluate"] == [17, 34]


@engines
def test_node_gets_the_checkpoint_that_it_asks_for_and_the_bits_stay(tmp_path: Path, engine: str) -> None:
    whole, run = tmp_path / "whole", tmp_path / "run"
    options = {"engine": engine, "checkpoint__every": None, **PLAIN}

    def saving(question: dict[str, Any]) -> list[dict[str, Any]]:
        return [{"type": "save", "training": 1}, {"type": "answer", "question": question["question"], "control": {}}]

    in_child(lambda: train(whole, **options))
    in_child(lambda: train(run, answer=saving, deciders=[{**DECIDER, "every": 17}], checkpoint__keep=9, **options))
    assert checkpoints_of(run) == {17: False, 34: False, 40: False}
    assert differences(run, whole) == ["events.jsonl"]  # its saves


@engines
def test_deciders_are_asked_of_evaluations_of_a_training_and_not_of_those_after_it(tmp_path: Path, engine: str) -> None:
    asked: list[tuple[str, int]] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        asked.append((question["event"], question["state"]["global_step"]))
        return deciding({"should_evaluate": question["event"] == "step_end"})(question)

    def task() -> list[tuple[str, int]]:
        options = {"engine": engine, "deciders": [{**DECIDER, "every": 30, "on": ["evaluate"]}], **PLAIN}
        trained = train(tmp_path / "run", answer=answer, data__held_out=0.3, **options)
        trainer_operations.evaluate({"handle": trained["handle"]})
        return asked

    assert in_child(task) == [["step_end", 30], ["evaluate", 30]]


def test_the_events_that_may_be_left_out_are_those_of_every_step() -> None:
    assert set(COALESCIBLE_EVENTS) == {
        "step_begin",
        "pre_optimizer_step",
        "optimizer_step",
        "substep_end",
        "step_end",
        "prediction_step",
    }


@engines
def test_steps_that_are_trained_again_take_the_room_of_these_steps_alone_and_leave_no_model(
    tmp_path: Path, engine: str
) -> None:
    whole, again = tmp_path / "whole", tmp_path / "again"
    options = {"engine": engine, "record__every": 4, "checkpoint__every": None, **PLAIN}
    in_child(lambda: train(whole, **options))

    def task() -> tuple[int, str]:
        created = create(again, until=13, **options)
        size = (again / "history.safetensors").stat().st_size
        return size, trainer_operations.train({"handle": created["handle"], "training": 1})["reason"]

    size, reason = in_child(task)
    assert (size, reason) == (4096 + 8 + 4 * 128 * 8 * 2, "until")  # the steps 0, 4, 8 and 12 in bfloat16
    assert (again / "history.safetensors").stat().st_size == size
    states = [load_file(run / "history.safetensors")["embedding_history"][:4] for run in (whole, again)]
    assert torch.equal(*states)
    losses = [[event["loss"] for event in events_of(run) if event["type"] == "step_end"] for run in (whole, again)]
    assert losses[1] == losses[0][:13]
    assert checkpoints_of(again) == {}
    assert not (again / "final").exists()


@pytest.mark.parametrize(
    ("device", "state_bytes", "steps"),
    [("cpu", 1, 1), ("cuda", 0, HELD_STEPS), ("mps", HELD_BYTES // 10, 10), ("cuda", 2 * HELD_BYTES, 1)],
)
def test_how_many_steps_a_device_holds(device: str, state_bytes: int, steps: int) -> None:
    assert steps_to_hold(torch.device(device), state_bytes) == steps


@engines
def test_steps_that_are_held_are_recorded_and_told_as_if_each_had_been_waited_for(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a GPU does, on the CPU: 7 steps at most are made before they are told."""
    whole, run, killed = tmp_path / "whole", tmp_path / "run", tmp_path / "killed"
    tensors = ["wte", "wte.grad"] if engine == "sgd" else ["wte", "wte.grad", "wte.exp_avg"]
    options: dict[str, Any] = {"engine": engine, "record__tensors": tensors, "record__every": 3}
    options |= {"record__rows": [0, 5, 127], "deciders": [{**DECIDER, "every": 8}]}
    in_child(lambda: train(whole, answer=deciding({}), **options))
    monkeypatch.setattr(run_step, "steps_to_hold", lambda *_: 7)
    monkeypatch.setattr(run_step, "HELD_SECONDS", 1e9)
    monkeypatch.setattr(watch, "FIRST_USAGE_STEPS", 3)
    held: list[int] = []
    tell = run_step.RunStep._report_held

    def watched(self: Any) -> None:
        held.append(len(self._held))
        tell(self)

    def longest() -> int:
        monkeypatch.setattr(run_step.RunStep, "_report_held", watched)
        train(run, answer=deciding({}), **options)
        return max(held)

    assert in_child(longest) == 5  # from one log or decider to the next
    assert differences(run, whole) == []
    killed_at(killed, "step_end", 7, **options)  # the second of three that are told before the first question
    assert in_child(lambda: train(killed, "exact", answer=deciding({}), **options))["from_step"] == 0
    assert differences(killed, whole) == []
