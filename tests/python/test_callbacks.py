"""The callback has every event of transformers, under its name, and reports none that nobody asked for."""

import inspect
from types import SimpleNamespace
from typing import Any

import pytest
from bh_bridge.callbacks import CONTROL_FIELDS, LOGGED_EVENTS, BridgeCallback
from bh_bridge.protocol import schema
from transformers import TrainerCallback, TrainerControl, TrainerState


def events_of(callback: type) -> set[str]:
    return {name.removeprefix("on_") for name, _ in inspect.getmembers(callback, callable) if name.startswith("on_")}


def event_types(message: dict[str, Any]) -> set[str]:
    """Types of the events that the protocol knows."""
    return {option["properties"]["type"]["const"] for option in message["oneOf"]}


def test_it_handles_every_event_of_the_installed_transformers_itself() -> None:
    assert {name for name in events_of(TrainerCallback) if f"on_{name}" in vars(BridgeCallback)} == events_of(
        TrainerCallback
    )


def test_the_protocol_has_an_event_for_each() -> None:
    assert events_of(TrainerCallback) <= event_types(schema()["event"])


def test_the_events_that_may_be_left_out_are_those_of_every_step() -> None:
    assert set(schema()["coalescibleEvents"]) == {
        "step_begin",
        "pre_optimizer_step",
        "optimizer_step",
        "substep_end",
        "step_end",
        "prediction_step",
    }


def test_the_control_fields_are_those_of_transformers() -> None:
    assert set(CONTROL_FIELDS) == {name for name in vars(TrainerControl()) if name.startswith("should_")}


class Log:
    """An event log that keeps its events."""

    def __init__(self) -> None:
        self.types: list[str] = []

    def emit(self, type: str, **_: Any) -> None:
        self.types.append(type)


@pytest.mark.parametrize("event", sorted(events_of(TrainerCallback) - set(LOGGED_EVENTS)))
def test_an_event_is_sent_when_it_was_asked_for_and_not_otherwise(event: str) -> None:
    for asked in (True, False):
        log = Log()
        callback = BridgeCallback.__new__(BridgeCallback)
        vars(callback).update(
            _subscribed=frozenset([event] if asked else []),
            _events=log,
            _recorder=SimpleNamespace(records_gradient=False),
            _tap=None,
            trainer=SimpleNamespace(begin_epoch=lambda: None, end_epoch=lambda: None),
        )
        getattr(callback, f"on_{event}")(None, TrainerState(), TrainerControl())
        assert log.types == ([event] if asked else [])
