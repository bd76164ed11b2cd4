"""Our check of variables says yes and no where the reference implementation does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.templates import TemplateFault, compile_schema

NAMES = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 5) | st.sampled_from([0.5, 2.0])
    | st.text("ab", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
COUNT = st.integers(0, 3)
PLAIN = st.fixed_dictionaries({}, optional={
    "type": st.sampled_from(["string", "number", "integer", "boolean", "null", "array", "object",
                             ["string", "null"]]),
    "enum": st.lists(VALUES, min_size=1, max_size=3), "const": VALUES,
    "minimum": COUNT, "maximum": COUNT, "exclusiveMinimum": COUNT, "exclusiveMaximum": COUNT,
    "multipleOf": st.integers(1, 3), "minLength": COUNT, "maxLength": COUNT,
    "minItems": COUNT, "maxItems": COUNT, "uniqueItems": st.booleans(),
    "minProperties": COUNT, "maxProperties": COUNT, "pattern": st.sampled_from(["^a", "b$", "ab"]),
    "required": st.lists(NAMES, unique=True, max_size=2),
})  # fmt: skip


def _deeper(inner: Any) -> Any:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.fixed_dictionaries({}, optional={
        "properties": st.dictionaries(NAMES, inner, max_size=3), "items": inner,
        "additionalProperties": inner | st.booleans(), "prefixItems": several,
        "anyOf": several, "oneOf": several, "allOf": several, "not": inner,
    })  # fmt: skip


SCHEMAS = st.recursive(PLAIN, _deeper, max_leaves=5)


@given(SCHEMAS, VALUES)
def test_a_value_is_right_where_the_reference_says_so(schema: dict[str, Any], value: Any) -> None:
    expected = jsonschema.Draft202012Validator(schema).is_valid(value)
    try:
        compile_schema(schema)(value, "")
    except TemplateFault:
        assert not expected
    else:
        assert expected


def test_definitions_may_be_circular() -> None:
    tree = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "required": ["name"],
                "properties": {"inner": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            }
        },
    }
    check = compile_schema(tree)
    check({"name": 1, "inner": [{"name": 2}]}, "")
    with pytest.raises(TemplateFault) as caught:
        check({"name": 1, "inner": [{"name": 2, "inner": [{}]}]}, "")
    assert caught.value.variable == "inner[0].inner[0].name"


@pytest.mark.parametrize(
    "schema",
    [
        {"oneof": []}, {"type": "text"}, {"$ref": "#/$defs/gone"}, {"$ref": "https://x/y"},
        {"pattern": "(a+)+b"}, {"pattern": "(a|aa)*b"}, {"pattern": "("}, {"minimum": "three"},
        {"properties": {"a": 3}}, {"required": 3}, 7,
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_kept_is_refused_when_it_is_written(schema: Any) -> None:
    with pytest.raises(TemplateFault):
        compile_schema(schema)
