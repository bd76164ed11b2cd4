"""Checking variables against a JSON Schema, in a prompt's words. `core` does the checking."""

from __future__ import annotations

from typing import Any

from stockpot.core import json_schema
from stockpot.core.json_schema import SchemaFault, shown
from stockpot.templates.models import TemplateFault

Check = json_schema.Check

PARTS = ("image", "audio", "file", "parts", "messages")
"""Formats that mean something to a prompt; any other is a note for people."""


def wrong(path: str, wanted: str, value: Any) -> TemplateFault:
    name = path or "variables"
    return TemplateFault(f"the variable {name!r} must be {wanted}, not {shown(value)}",
                         variable=path)  # fmt: skip


def compile_schema(schema: Any) -> Check:
    """A function that checks, and raises TemplateFault for a value at a path. Raises it itself
    where the schema is at fault."""
    try:
        check = json_schema.compile_schema(schema, "variables")
    except SchemaFault as fault:
        raise _translated(fault) from None

    def checked(value: Any, path: str) -> None:
        try:
            check(value, path)
        except SchemaFault as fault:
            raise _translated(fault) from None

    return checked


def _translated(fault: SchemaFault) -> TemplateFault:
    if fault.of_schema:
        return TemplateFault(fault.message, hint=fault.hint)
    if fault.unknown:
        near = fault.says.removeprefix("is not known.")
        return TemplateFault(f"there is no variable {fault.path!r}.{near}", variable=fault.path)
    name = fault.path or "variables"
    return TemplateFault(f"the variable {name!r} {fault.says}", variable=fault.path)
