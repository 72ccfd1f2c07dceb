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
    """Refuse a request with a field too many or too few, at any depth. Types were checked before it was sent."""
    operation = schema()["operations"].get(op)
    if operation is None:
        raise ProtocolInvalid(f"there is no operation {op!r}")
    wrong = wrong_fields(operation["request"], request)
    if wrong:
        raise ProtocolInvalid(f"the request of {op} is invalid: {', '.join(wrong)}")


def wrong_fields(node: dict[str, Any], value: Any, path: str = "") -> list[str]:
    """The fields of a value that a JSON Schema does not know, or misses. Where it offers a choice, one has to fit."""
    choices: list[dict[str, Any]] = node.get("oneOf") or node.get("anyOf") or []
    if choices:
        return min((wrong_fields(choice, value, path) for choice in choices), key=len)
    if isinstance(value, list) and "properties" in node.get("items", {}):
        return [wrong for item in value for wrong in wrong_fields(node["items"], item, path)]
    if not isinstance(value, dict) or "properties" not in node:
        return []
    fields: dict[str, dict[str, Any]] = node["properties"]
    wrong = [f"{path}{name} is missing" for name in node.get("required", []) if name not in value]
    for name, below in value.items():
        if name in fields:
            wrong += wrong_fields(fields[name], below, f"{path}{name}.")
        else:
            wrong.append(f"{path}{name} is unknown")
    return wrong
