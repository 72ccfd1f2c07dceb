"""Both languages read the same messages alike, and what Python really sends is among them."""

import json
from pathlib import Path
from typing import Any

import pytest
from bh_bridge import PROTOCOL_VERSION
from bh_bridge.errors import ProtocolInvalid
from bh_bridge.protocol import check_request, schema
from jsonschema import Draft202012Validator
from tiny_run import in_child, train

GOLDEN: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "contract" / "golden-messages.json").read_text(encoding="utf-8")
)


def schema_of(entry: dict[str, Any]) -> dict[str, Any]:
    return schema()["operations"][entry["op"]][entry["kind"]] if "op" in entry else schema()[entry["kind"]]


@pytest.mark.parametrize("entry", GOLDEN, ids=lambda entry: f"{entry['kind']} {entry['name']}")
def test_a_golden_message_is_what_it_is_for_typescript(entry: dict[str, Any]) -> None:
    validator = Draft202012Validator(schema_of(entry))
    validator.check_schema(validator.schema)
    assert validator.is_valid(entry["message"]) == entry["valid"]


@pytest.mark.parametrize(
    "entry", [entry for entry in GOLDEN if entry["kind"] == "request"], ids=lambda entry: entry["name"]
)
def test_a_request_with_other_fields_is_refused_on_arrival(entry: dict[str, Any]) -> None:
    if "too many" in entry["name"] or "without" in entry["name"]:
        with pytest.raises(ProtocolInvalid, match=entry["op"]):
            check_request(entry["op"], entry["message"])
    elif entry["valid"]:
        check_request(entry["op"], entry["message"])


@pytest.mark.parametrize(
    ("op", "section"),
    [
        ("model.generate", "options"),
        ("model.create", "config"),
        ("model.create", "init"),
        ("trainer.create", "training"),
        ("trainer.create", "data"),
    ],
)
def test_a_key_that_nobody_named_is_refused_on_arrival_at_any_depth(op: str, section: str) -> None:
    entry = next(entry for entry in GOLDEN if entry["kind"] == "request" and entry.get("op") == op and entry["valid"])
    hostile = {**entry["message"], section: {**entry["message"][section], "custom_generate": "/somewhere"}}
    with pytest.raises(ProtocolInvalid, match=rf"{section}\.custom_generate is unknown"):
        check_request(op, hostile)


def test_the_schema_is_of_this_version() -> None:
    assert schema()["protocol"] == PROTOCOL_VERSION


def test_the_events_and_the_replies_of_a_real_training_are_as_the_protocol_says(tmp_path: Path) -> None:
    everything = [option["properties"]["type"]["const"] for option in schema()["event"]["oneOf"]]
    outcome = in_child(lambda: train(tmp_path / "run", events=everything, data__held_out=0.2))
    assert "code" not in outcome, outcome
    event = Draft202012Validator(schema()["event"])
    lines = (tmp_path / "run" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 40
    for line in lines:
        event.validate(json.loads(line))
    for op in ("trainer.create", "trainer.train"):
        reply = schema()["operations"][op]["reply"]
        Draft202012Validator(reply).validate({name: outcome[name] for name in reply["required"]})
