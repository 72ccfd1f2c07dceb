"""Stalls and losses without a value are told once each, and what a training uses is told now and then."""

import time
from typing import Any, cast

import pytest
import torch
from bh_bridge.models.model import build_model
from bh_bridge.recording.events import EventLog
from bh_bridge.recording.recorder import EmbeddingTap
from bh_bridge.training import watch

NORMAL: dict[str, Any] = {"kind": "normal"}


class Log:
    """An event log that keeps its events."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def emit(self, type: str, **facts: Any) -> None:
        self.events.append((type, facts))

    def alerts(self) -> list[tuple[str, int]]:
        return [(facts["kind"], facts["global_step"]) for type, facts in self.events if type == "alert"]


def started(log: Log) -> watch.Watch:
    watching = watch.Watch(cast("EventLog", log))
    watching.begin(0)
    return watching


def test_a_stall_is_told_once_and_again_after_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALL_SECONDS", 0.2)
    monkeypatch.setattr(watch, "STALL_STEPS", 0)
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.01)
    log = Log()
    watching = started(log)
    for step in (1, 2):
        watching.step(step, None, 1.0, True)
        time.sleep(0.5)  # a stall is time in which nothing happens
    watching.end()
    assert log.alerts() == [("stall", 1), ("stall", 2)]


def test_slow_steps_are_no_stall(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(watch, "CHECK_SECONDS", 0.01)
    log = Log()
    watching = started(log)
    for step in (1, 2):
        time.sleep(0.1)
        watching.step(step, None, 1.0, True)
    time.sleep(0.8)  # eight times the mean; a stall is thirty times
    watching.end()
    assert log.alerts() == []


def test_a_loss_without_a_value_is_told_when_it_begins() -> None:
    log = Log()
    watching = started(log)
    for step, loss in enumerate([1.0, float("nan"), float("nan"), 1.0, float("inf")], start=1):
        watching.step(step, None, loss, True)
    watching.end()
    assert log.alerts() == [("non-finite", 2), ("non-finite", 5)]


def test_weights_that_are_not_finite_are_told_at_their_step_and_not_again_with_the_loss_that_follows() -> None:
    log = Log()
    watching = started(log)
    watching.step(1, None, 1.0, True)
    watching.step(2, None, 1.0, False)
    watching.step(3, None, float("nan"), False)
    watching.end()
    [(_, alert)] = log.events
    assert (alert["kind"], alert["global_step"]) == ("non-finite", 2)
    assert alert["message"] == "the embedding has values that are not finite after step 2"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float32])
def test_one_value_that_is_not_finite_is_found_and_the_largest_that_is_finite_is_none(
    value: float, dtype: torch.dtype
) -> None:
    model = build_model({"vocab_size": 128, "n_embd": 8, "n_layer": 1, "n_head": 2}, "rmsnorm", "float32", NORMAL, 1)
    weight = model.transformer.wte.weight
    weight.data = torch.full_like(weight, torch.finfo(dtype).max, dtype=dtype)
    tap = EmbeddingTap(model)
    assert tap.is_finite
    weight.data[3, 5] = value
    assert not tap.is_finite


def test_usage_is_told_at_the_twentieth_step_with_cores_and_peak() -> None:
    log = Log()
    watching = started(log)
    began, cpu = time.monotonic(), time.process_time()
    while time.process_time() < cpu + 0.3:
        pass
    for step in range(1, 21):
        watching.step(step, None, 1.0, True)
    watching.end()
    [(type, facts)] = log.events
    assert (type, facts["global_step"]) == ("usage", 20)
    busy = (time.process_time() - cpu) / (time.monotonic() - began)  # less than one core where the machine is shared
    assert facts["cpu_cores"] == pytest.approx(busy, rel=0.2)
    assert facts["peak_bytes"] > 50e6
