"""A JSON Schema in the part of the language that Anthropic enforces. Knows schemas, no request.

What is not enforced is told to the model in the description, as Anthropic's own SDK does.

Source: `transform_schema` of the anthropic Python package, 2.12.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_KEPT = frozenset(("type", "enum", "const", "description", "title", "$ref", "default"))
_MANY = ("anyOf", "allOf")
_FORMATS = frozenset((
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid",
))  # fmt: skip


def enforceable(schema: Schema) -> tuple[Schema, bool]:
    """The schema as Anthropic takes it, and whether nothing was moved into a description."""
    moved: list[str] = []
    return _object(schema, moved), not moved


def _object(schema: Schema, moved: list[str]) -> Schema:
    out: Schema = {}
    rest: Schema = {}
    for name, value in schema.items():
        if name in _KEPT:
            out[name] = value
        elif name in ("$defs", "definitions", "properties") and isinstance(value, dict):
            out[name] = {key: _any(one, moved) for key, one in value.items()}
        elif name in _MANY and isinstance(value, list):
            out[name] = [_any(one, moved) for one in value]
        elif name == "oneOf" and isinstance(value, list):
            out["anyOf"] = [_any(one, moved) for one in value]
        elif name == "items" and isinstance(value, dict):
            out[name] = _object(value, moved)
        elif name == "required" or _fits(name, value):
            out[name] = value
        elif name not in ("additionalProperties", "$schema"):
            rest[name] = value
    if schema.get("type") == "object":
        _close(schema, out, rest)
    if rest:
        moved.extend(rest)
        told = "{" + ", ".join(f"{name}: {value}" for name, value in rest.items()) + "}"
        before = out.get("description")
        out["description"] = f"{before}\n\n{told}" if before else told
    return out


def _any(schema: object, moved: list[str]) -> object:
    return _object(schema, moved) if isinstance(schema, dict) else schema


def _close(schema: Schema, out: Schema, rest: Schema) -> None:
    """Only closed objects are enforced; a schema for further properties is told in words."""
    out.setdefault("properties", {})
    out["additionalProperties"] = False
    further = schema.get("additionalProperties")
    if further is not None and further is not False:
        rest["additionalProperties"] = further


def _fits(name: str, value: object) -> bool:
    return (name == "format" and value in _FORMATS) or (name == "minItems" and value in (0, 1))
