"""JSON for both languages: non-finite numbers are sent as the strings NaN, Infinity and -Infinity."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def encode(value: Any) -> str:
    """Encode a value as one line of JSON. NumPy and torch scalars become numbers; other objects become their repr."""
    try:
        return json.dumps(value, allow_nan=False, default=_plain)
    except ValueError:  # a non-finite number, which is rare
        return json.dumps(finite(value), allow_nan=False)


def finite(value: Any) -> Any:
    """Replace every non-finite number in a value by a string."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    if value is None or isinstance(value, str | int | float):
        return value
    return finite(_plain(value))


def numbers(logs: Mapping[str, object]) -> dict[str, float]:
    """The numeric entries of a log, including NumPy and torch scalars."""
    values = {name: value if isinstance(value, int | float) else _plain(value) for name, value in logs.items()}
    return {name: value for name, value in values.items() if isinstance(value, int | float)}


def _plain(value: Any) -> Any:
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "size", None) is not None:
        try:
            return item()
        except (ValueError, RuntimeError):  # more than one element
            return repr(value)
    return repr(value)
