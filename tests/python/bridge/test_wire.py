"""What goes over the wire is JSON that both languages read alike."""

import json
import math
from typing import Any

import numpy as np
import pytest
import torch
from bh_bridge.bridge import wire
from hypothesis import given
from hypothesis import strategies as st

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


def refuse(constant: str) -> Any:
    raise AssertionError(f"{constant} is not JSON")


@given(json_values)
def test_encoded_is_strict_json_with_the_same_value(value: Any) -> None:
    def spelt(part: Any) -> Any:
        if isinstance(part, float) and not math.isfinite(part):
            return {"inf": "Infinity", "-inf": "-Infinity", "nan": "NaN"}[str(part)]
        if isinstance(part, list):
            return [spelt(item) for item in part]
        return {key: spelt(item) for key, item in part.items()} if isinstance(part, dict) else part

    assert json.loads(wire.encode(value), parse_constant=refuse) == spelt(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.float64("nan"), "NaN"),
        (np.float32("inf"), "Infinity"),
        (torch.tensor(0.25), 0.25),
        (torch.tensor(-math.inf), "-Infinity"),
        (np.array([0.5]), 0.5),
    ],
)
def test_scalars_of_numpy_and_torch_are_numbers(value: Any, expected: Any) -> None:
    assert json.loads(wire.encode({"a": [value]}), parse_constant=refuse) == {"a": [expected]}


def test_what_has_no_json_form_is_its_repr() -> None:
    assert json.loads(wire.encode({"a": {1}, "b": np.ones(2)})) == {"a": "{1}", "b": "array([1., 1.])"}


def test_a_log_holds_numbers_and_nothing_else() -> None:
    logs = {"loss": np.float32(1.5), "step": 3, "nan": math.nan, "text": "no", "vector": np.ones(2), "none": None}
    assert str(wire.numbers(logs)) == str({"loss": 1.5, "step": 3, "nan": math.nan})
