"""The protocol's schemas, generated from TypeScript, and the checks of messages from Node."""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

from bh_bridge.bridge.json_schema import Check, Fault, Schema, compile_schema
from bh_bridge.errors import ProtocolInvalid


class Messages(TypedDict):
    request: Schema
    reply: Schema


class Protocol(TypedDict):
    operations: dict[str, Messages]
    command: Schema
    coalescibleEvents: list[str]


@functools.cache
def schema() -> Protocol:
    """The JSON Schemas of all messages, by kind."""
    return json.loads(Path(__file__).with_name("protocol.schema.json").read_text(encoding="utf-8"))


def check_request(op: str, request: Any) -> None:
    """Check a request against its schema; ProtocolInvalid names every wrong field."""
    check = _checks().get(op)
    if check is None:
        raise ProtocolInvalid(f"there is no operation {op!r}")
    _demand_none(check(request), f"the request of {op}")


def check_command(command: Any) -> None:
    """Check a message from the event channel, as `check_request` does."""
    _demand_none(_check_of_command()(command), "the command")


def _demand_none(faults: Sequence[Fault], what: str) -> None:
    if faults:
        raise ProtocolInvalid(f"{what} is invalid: {', '.join(map(str, faults))}")


@functools.cache
def _checks() -> dict[str, Check]:
    return {op: compile_schema(messages["request"]) for op, messages in schema()["operations"].items()}


@functools.cache
def _check_of_command() -> Check:
    return compile_schema(schema()["command"])
