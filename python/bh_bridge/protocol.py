"""The operations as TypeScript describes them; the file beside this one is made from its schemas."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from bh_bridge.errors import ProtocolInvalid


@functools.cache
def schema() -> dict[str, Any]:
    """The JSON Schemas of all messages, by kind."""
    return json.loads(Path(__file__).with_name("protocol.schema.json").read_text(encoding="utf-8"))


def check_request(op: str, request: dict[str, Any]) -> None:
    """Refuse a request with a field too many or too few. Types were checked before it was sent."""
    operation = schema()["operations"].get(op)
    if operation is None:
        raise ProtocolInvalid(f"there is no operation {op!r}")
    expected, given = set(operation["request"]["required"]), set(request)
    if expected != given:
        wrong = [f"{name} is missing" for name in sorted(expected - given)]
        wrong += [f"{name} is unknown" for name in sorted(given - expected)]
        raise ProtocolInvalid(f"the request of {op} is invalid: {', '.join(wrong)}")
