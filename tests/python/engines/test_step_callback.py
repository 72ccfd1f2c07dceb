"""Every event of the installed transformers is told to the RunStep, under its name."""

import inspect
from pathlib import Path

import pytest
from bh_bridge.bridge import registry
from bh_bridge.bridge.protocol import schema
from bh_bridge.engines.step_callback import StepCallback
from bh_bridge.recording.events import EventLog
from bh_bridge.training.run_step import LOGGED_EVENTS
from tiny_run import create, in_child
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
        trainer = registry.find(create(tmp_path / "run", events=asked)["handle"]).engine
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
