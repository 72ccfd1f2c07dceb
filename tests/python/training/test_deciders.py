"""Deciders are shown where the training is; what they answer in time is done, where it can be done."""

from pathlib import Path
from typing import Any

from silent_node import deciding
from tiny_run import events_of, in_child, train

DECIDER: dict[str, Any] = {"every": None, "on": [], "timeout_seconds": 60}
SGD: dict[str, Any] = {"engine": "sgd", "record__tensors": ["wte"]}


def test_a_decider_is_shown_the_newest_log_and_the_loss_of_the_latest_step(tmp_path: Path) -> None:
    seen: list[dict[str, Any]] = []

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        seen.append(question)
        return deciding({})(question)

    def task() -> list[dict[str, Any]]:
        deciders = [{**DECIDER, "every": 7}, {**DECIDER, "on": ["log"]}]
        train(tmp_path / "run", answer=answer, deciders=deciders, training__max_steps=10, **SGD)
        return seen

    questions = in_child(task)
    losses = [event["loss"] for event in events_of(tmp_path / "run") if event["type"] == "step_end"]
    assert [(m["decider"], m["event"], m["state"]["global_step"]) for m in questions] == [
        (1, "log", 5),
        (0, "step_end", 7),
        (1, "log", 10),
    ]
    assert [m["state"]["loss"] for m in questions] == [losses[4], losses[6], losses[9]]
    assert [m["state"]["log_history"] for m in questions] == [
        [{"loss": losses[step - 1], "step": step}] for step in (5, 5, 10)
    ]


def test_a_decider_that_does_not_answer_in_time_decides_nothing_and_that_is_logged(tmp_path: Path) -> None:
    decider = {**DECIDER, "every": 30, "timeout_seconds": 0.05}
    assert in_child(lambda: train(tmp_path / "run", deciders=[decider], **SGD))["status"] == "completed"
    late = [event for event in events_of(tmp_path / "run") if event["type"] == "decider_timeout"]
    assert [(event["global_step"], event["decider"]) for event in late] == [(30, 0)]


def test_an_evaluation_that_a_decider_asks_for_needs_text_that_is_held_out(tmp_path: Path) -> None:
    answer = deciding({"should_evaluate": True})
    outcome = in_child(lambda: train(tmp_path / "run", answer=answer, deciders=[{**DECIDER, "every": 30}], **SGD))
    assert outcome["code"] == "CONFIG_INVALID"
    assert outcome["message"].startswith("data.held_out: a decider asked for an evaluation")
