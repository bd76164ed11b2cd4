"""Whether an answer keeps the JSON Schema that it was asked for. Pure; names each place."""

from __future__ import annotations

import json
from typing import Any

from stockpot.core.errors import InvalidInput
from stockpot.playground.models import CheckAsked, Checked, Problem

_MOST = 20


def check(asked: CheckAsked) -> Checked:
    """Raises InvalidInput where the schema itself is at fault. References lead nowhere outside."""
    import jsonschema  # it loads in 60 ms, which only this needs
    from referencing.exceptions import Unresolvable

    kind = jsonschema.validators.validator_for(asked.json_schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(asked.json_schema)
    except jsonschema.SchemaError as bad:
        raise InvalidInput(f"the schema is at fault at {bad.json_path}: {bad.message}") from None
    try:
        value: Any = json.loads(asked.text)
    except ValueError as bad:
        return Checked(valid=False, problems=(Problem(path="$", message=f"no JSON: {bad}"),))
    try:
        faults = sorted(kind(asked.json_schema).iter_errors(value), key=lambda e: e.json_path)
    except Unresolvable as away:
        raise InvalidInput(f"the schema refers to what it does not hold: {away}") from None
    problems = tuple(
        Problem(path=fault.json_path, message=fault.message[:500]) for fault in faults[:_MOST]
    )
    return Checked(valid=not problems, problems=problems)
