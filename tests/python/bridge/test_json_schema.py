"""The check of a JSON Schema agrees with the jsonschema package."""

from typing import Any

import pytest
from bh_bridge.bridge.json_schema import compile_schema
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

NAMES = st.sampled_from(["a", "b", "c"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([-0.5, 0.0, 1.0, 2.5, "", "a", "ab"])
VALUES = st.recursive(
    SCALARS, lambda below: st.lists(below, max_size=3) | st.dictionaries(NAMES, below, max_size=3), max_leaves=8
)
BOUNDS = st.integers(-2, 2) | st.floats(-2, 2)
TYPES = st.sampled_from(["object", "array", "string", "boolean", "null", "integer", "number"])


def keywords(below: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A schema of any keywords, which need not go together."""
    return st.fixed_dictionaries(
        {},
        optional={
            "type": TYPES | st.lists(TYPES, min_size=1, unique=True),
            "enum": st.lists(SCALARS, min_size=1, max_size=3),
            "const": SCALARS,
            "minimum": BOUNDS,
            "maximum": BOUNDS,
            "exclusiveMinimum": BOUNDS,
            "exclusiveMaximum": BOUNDS,
            "minLength": st.integers(0, 2),
            "minItems": st.integers(0, 2),
            "items": below,
            "properties": st.dictionaries(NAMES, below, max_size=3),
            "required": st.lists(NAMES, unique=True),
            "additionalProperties": st.just(False) | below,
            "propertyNames": below,
            "anyOf": st.lists(below, min_size=1, max_size=3),
            "oneOf": st.lists(below, min_size=1, max_size=3),
            "$ref": st.just("#/$defs/leaf"),
        },
    )


SCHEMAS = st.recursive(keywords(st.just({})), keywords, max_leaves=6)


@given(SCHEMAS, keywords(st.just({})).map(lambda node: {**node, "$ref": "#/$defs/nothing"}), VALUES)
def test_a_value_is_accepted_where_jsonschema_accepts_it(
    schema: dict[str, Any], leaf: dict[str, Any], value: Any
) -> None:
    whole = {**schema, "$defs": {"leaf": leaf, "nothing": {}}}
    assert (not compile_schema(whole)(value)) == Draft202012Validator(whole).is_valid(value)


@pytest.mark.parametrize("keyword", ["format", "maxItems", "minimun", "if"])
@pytest.mark.parametrize("where", ["below", "in a definition that nothing refers to"])
def test_a_keyword_that_nothing_checks_is_an_error_before_any_value_is_checked(keyword: str, where: str) -> None:
    node = {keyword: 1}
    schema = {"properties": {"a": {"items": node}}} if where == "below" else {"$defs": {"a": node}}
    with pytest.raises(ValueError, match=keyword):
        compile_schema(schema)


@pytest.mark.parametrize("schema", [{"const": {}}, {"enum": [[1]]}, {"$ref": "#/$defs/a"}, {"type": "text"}])
def test_what_would_go_unchecked_is_an_error_too(schema: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        compile_schema(schema)


def test_a_definition_may_refer_to_itself() -> None:
    tree = {"type": "array", "items": {"$ref": "#/$defs/tree"}}
    check = compile_schema({"$ref": "#/$defs/tree", "$defs": {"tree": tree}})
    assert not check([[], [[]]])
    assert [str(fault) for fault in check([[], [[], 1]])] == ["1.1 is 1 (expected array)"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_what_json_has_no_number_for_is_none(value: Any) -> None:
    assert compile_schema({"type": "number"})(value)
    assert compile_schema({"type": "integer"})(value)


@pytest.mark.parametrize(
    ("schema", "value", "said"),
    [
        ({"type": ["string", "null"]}, 1, ["it is 1 (expected string or null)"]),
        ({"enum": ["a", 1]}, "b", ['it is "b" (expected "a" or 1)']),
        (
            {"properties": {"a": {"minimum": 1}}, "required": ["b"]},
            {"a": 0},
            ["a is 0 (expected at least 1)", "b is missing"],
        ),
        ({"items": {"type": "integer", "maximum": 5}}, [9, 5, 7, 9], ["0 is 9 (expected at most 5)"]),
        (
            {"items": {"minLength": 2}},
            ["a", "ab", ""],
            ['0 is "a" (expected a length of at least 2)', '2 is "" (expected a length of at least 2)'],
        ),
        ({"additionalProperties": False}, {"a": 1}, ["a is unknown"]),
        ({"oneOf": [{"minimum": 1}, {"maximum": 2}]}, 1, ["it is 1 (expected one meaning, not several)"]),
        (
            {"type": "string"},
            list(range(1000)),
            ["it is [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16... (expected string)"],
        ),
    ],
)
def test_a_fault_says_where_what_and_what_was_expected(schema: dict[str, Any], value: Any, said: list[str]) -> None:
    assert [str(fault) for fault in compile_schema(schema)(value)] == said


KINDS = {
    "oneOf": [
        {
            "type": "object",
            "properties": {"kind": {"const": kind}, **fields},
            "required": ["kind", *fields],
            "additionalProperties": False,
        }
        for kind, fields in [("plain", {}), ("noisy", {"sigma": {"type": "number", "exclusiveMinimum": 0}})]
    ]
}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"kind": "noisy", "sigma": 0}, "sigma is 0 (expected more than 0)"),
        ({"kind": "noisy"}, "sigma is missing"),
        ({"kind": "plain", "sigma": 1}, "sigma is unknown"),
        ({"kind": "other"}, 'kind is "other" (expected "plain" or "noisy")'),
        (3, "it is 3 (expected object)"),
    ],
)
def test_of_several_alternatives_the_one_that_was_meant_is_spoken_of(value: Any, said: str) -> None:
    assert [str(fault) for fault in compile_schema(KINDS)(value)] == [said]


@pytest.mark.parametrize(
    ("text", "is_accepted"), [("a.b", True), ("a.b\n", False), ("é.b", False), ("a", False), (3, True)]
)
def test_a_pattern_means_what_it_means_in_typescript(text: Any, is_accepted: bool) -> None:
    check = compile_schema({"pattern": "^[a-z]\\w*\\.\\w+$"})
    assert (not check(text)) is is_accepted
