"""Answers that must be JSON of a schema: checked, mended where only the writing is wrong.

Knows the schema's words as `core.json_schema` does and refuses a schema with others. Knows nothing
of what the values mean: a document that fits may still be untrue.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from stockpot.core.json_schema import Check, SchemaFault, compile_schema
from stockpot.rails.json_text import NoJSON, Read, read, strict
from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings

_ASK = "Answer with one JSON document that fits the schema and with nothing else: "


class JsonSchemaRail:
    """Finds a text that is not exactly one document of the schema; `note` is what to ask again."""

    kind = "json_schema"
    reach = 0

    def __init__(self, check: Check, repair: bool = True, truncated: bool = False) -> None:
        self._check, self._repair, self._truncated = check, repair, truncated

    def find(self, text: str) -> list[Finding]:
        try:
            self._check(strict(text), "")
        except NoJSON:
            return [self._not_strict(text)]
        except SchemaFault as fault:
            return [self._finding(text, "JSON_SCHEMA", fault.message)]
        return []

    def _not_strict(self, text: str) -> Finding:
        try:
            made = read(text)
            self._check(made.value, "")
        except NoJSON as bad:
            return self._finding(text, "JSON_INVALID", str(bad))
        except SchemaFault as fault:
            return self._finding(text, "JSON_SCHEMA", fault.message)
        if made.cut:
            return self._finding(text, "JSON_TRUNCATED", "it ends before it is complete")
        return self._finding(text, "JSON_INVALID", "there is more than the document, or it is no"
                             " strict JSON")  # fmt: skip

    def _finding(self, text: str, kind: str, why: str) -> Finding:
        return Finding(0, len(text), kind, 1.0, f"{_ASK}{why}.")

    def rewrite(self, text: str) -> str | None:
        """The document alone, written strictly; None where mending it would take guessing."""
        if not self._repair:
            return None
        try:
            made: Read = read(text)
            self._check(made.value, "")
        except (NoJSON, SchemaFault):
            return None
        if made.exact or (made.cut and not self._truncated):
            return None
        return msgspec.json.encode(made.value).decode()


def build_json_schema(rule: Rule, models: Mapping[str, bytes]) -> JsonSchemaRail:
    """Settings: `schema` (any JSON without it), `repair` (true), and `truncated` (false): whether a
    document whose end is missing may be closed."""
    told = Settings(rule, ("schema", "repair", "truncated"))
    schema: dict[str, Any] = told.table("schema")
    try:
        check = compile_schema(schema)
    except SchemaFault as fault:
        raise InvalidRule(
            f"rule {rule.id!r} (json_schema): {fault.message}", hint=fault.hint
        ) from None
    return JsonSchemaRail(check, told.flag("repair", True), told.flag("truncated", False))
