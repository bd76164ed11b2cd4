"""Google's `Schema` and JSON Schema. Knows both grammars; knows nothing of what they describe.

Sources: `Schema` and `responseJsonSchema` in the reference of the Gemini API (read November 2026).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from stockpot.providers.canon import JSON

_HEEDED = frozenset((
    "$id", "$defs", "$ref", "$anchor", "$schema", "type", "format", "title", "description", "enum",
    "items", "prefixItems", "minItems", "maxItems", "minimum", "maximum", "anyOf", "oneOf",
    "properties", "additionalProperties", "required", "propertyOrdering",
    "default", "example", "examples", "$comment",  # which restrict nothing
))  # fmt: skip
"""What the reference says that `responseJsonSchema` heeds; it ignores the rest."""

_RENAMED = {
    "anyOf": "anyOf", "any_of": "anyOf", "maxItems": "maxItems", "max_items": "maxItems",
    "minItems": "minItems", "min_items": "minItems", "maxLength": "maxLength",
    "max_length": "maxLength", "minLength": "minLength", "min_length": "minLength",
    "maxProperties": "maxProperties", "max_properties": "maxProperties",
    "minProperties": "minProperties", "min_properties": "minProperties",
    "additionalProperties": "additionalProperties",
    "additional_properties": "additionalProperties", "defs": "$defs", "ref": "$ref",
}  # fmt: skip
_COUNTS = frozenset(
    ("maxItems", "minItems", "maxLength", "minLength", "maxProperties", "minProperties")
)


def json_schema(schema: JSON) -> JSON:
    """A `Schema` as JSON Schema; what is JSON Schema already stays as it is."""
    out: JSON = {}
    for key, value in schema.items():
        name = _RENAMED.get(key, key)
        if name in ("nullable", "propertyOrdering", "property_ordering"):
            continue
        if name == "type" and isinstance(value, str):
            if value != "TYPE_UNSPECIFIED":
                out["type"] = value.lower()
        elif name == "example":
            out["examples"] = [value]
        elif name in _COUNTS and isinstance(value, str) and value.isdigit():
            out[name] = int(value)
        elif name == "format" and value == "enum":
            continue
        else:
            out[name] = _inside(name, value)
    ordering = schema.get("propertyOrdering") or schema.get("property_ordering")
    if isinstance(ordering, list) and isinstance(out.get("properties"), dict):
        out["properties"] = _ordered(out["properties"], ordering)
    return _nullable(out) if schema.get("nullable") is True else out


def _inside(name: str, value: Any) -> Any:
    if name in ("properties", "$defs") and isinstance(value, dict):
        return {k: json_schema(v) if isinstance(v, dict) else v for k, v in value.items()}
    if name in ("items", "additionalProperties") and isinstance(value, dict):
        return json_schema(value)
    if name in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
        return [json_schema(v) if isinstance(v, dict) else v for v in value]
    return value


def _ordered(properties: JSON, ordering: list[Any]) -> JSON:
    first = {name: properties[name] for name in ordering if name in properties}
    return {**first, **properties}


def _nullable(schema: JSON) -> JSON:
    kind = schema.get("type")
    if isinstance(kind, str):
        out = {**schema, "type": [kind, "null"]}
        if isinstance(out.get("enum"), list):
            out["enum"] = [*out["enum"], None]
        return out
    if isinstance(schema.get("anyOf"), list):
        return {**schema, "anyOf": [*schema["anyOf"], {"type": "null"}]}
    return {"anyOf": [schema, {"type": "null"}]}


def unheeded(schema: JSON) -> list[str]:
    """Keywords in a JSON Schema that Gemini says it ignores."""
    return sorted(set(_keywords(schema)) - _HEEDED)


def _keywords(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict):
        return
    for key, value in schema.items():
        yield key
        if key in ("properties", "$defs", "definitions") and isinstance(value, dict):
            inside = list(value.values())
        elif key in ("anyOf", "oneOf", "allOf", "prefixItems") and isinstance(value, list):
            inside = value
        elif key in ("items", "additionalProperties", "not", "if", "then", "else"):
            inside = [value]
        else:
            continue
        for schema_inside in inside:
            yield from _keywords(schema_inside)
