"""Comparing an answer with what is expected: exactly, by pattern, schema, number or distance."""

from __future__ import annotations

import json
import math
import re
from typing import Any, ClassVar

from stockpot.core.errors import InvalidInput
from stockpot.evals.scorers.base import Case, Scorer, as_text
from stockpot.templates import TemplateFault, compile_schema

_NUMBER = re.compile(r"[-+]?(?:\d[\d,]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


class Exact(Scorer):
    """The answer is what is expected, white space at the ends left out."""

    name, returns = "exact", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {"ignore_case": "true: upper and lower case are the same",
               "value": "what is expected of every row"}  # fmt: skip

    def score(self, case: Case) -> tuple[bool, str]:
        wanted = self.options.get("value", None)
        wanted = self.wanted(case) if wanted is None else wanted
        found = self.found(case)
        if not isinstance(wanted, str) and isinstance(found, str):
            found = _json_or(found)
        if isinstance(wanted, str):
            found, wanted = as_text(found).strip(), wanted.strip()
            if self.options.get("ignore_case"):
                found, wanted = found.casefold(), wanted.casefold()
        same = found == wanted and isinstance(found, bool) == isinstance(wanted, bool)
        return same, "" if same else f"expected {_short(wanted)}, found {_short(found)}"


class Regex(Scorer):
    """The pattern is found in the answer."""

    name, returns = "regex", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {
               "pattern": "the pattern; without it each row's expected value is one",
               "ignore_case": "true: upper and lower case are the same",
               "absent": "true: it must not be found"}  # fmt: skip

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._flags = re.IGNORECASE if options.get("ignore_case") else re.NOFLAG
        self._pattern = self._compiled(options["pattern"]) if "pattern" in options else None

    def score(self, case: Case) -> tuple[bool, str]:
        pattern = self._pattern or self._compiled(str(self.wanted(case)))
        found = pattern.search(as_text(self.found(case)))
        if self.options.get("absent"):
            return found is None, f"found {found[0]!r}" if found else ""
        return found is not None, "" if found else f"{pattern.pattern!r} is not found"

    def _compiled(self, pattern: str) -> re.Pattern[str]:
        try:
            return re.compile(pattern, self._flags)
        except re.error as bad:
            raise InvalidInput(f"{pattern!r} is no pattern: {bad}") from None


class JsonSchema(Scorer):
    """The answer is JSON that its schema accepts."""

    name, returns = "json_schema", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {
        "schema": "the JSON Schema; without it each row's expected value is one"
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._check = compile_schema(options["schema"]) if "schema" in options else None

    def score(self, case: Case) -> tuple[bool, str]:
        try:
            value = self.found(case) if self.field else json.loads(case.output)
        except ValueError as bad:
            return False, f"not JSON: {bad}"
        try:
            (self._check or compile_schema(self.wanted(case)))(value, "output")
        except TemplateFault as fault:
            return False, fault.message
        return True, ""


class Numeric(Scorer):
    """The number in the answer is what is expected, within a tolerance."""

    name, returns = "numeric", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {"tolerance": "largest absolute difference (0)",
               "relative": "largest difference as a share of what is expected (0)",
               "take": "`last` (default), `first` or `whole`: which number"}  # fmt: skip

    def score(self, case: Case) -> tuple[bool, str]:
        wanted = float(str(self.wanted(case)).replace(",", ""))
        found = self._number(self.found(case))
        if found is None:
            return False, "no number in the answer"
        off = abs(found - wanted)
        most = max(
            float(self.options.get("tolerance", 0)),
            float(self.options.get("relative", 0)) * abs(wanted),
        )
        near = off <= most or math.isclose(found, wanted, rel_tol=1e-12)
        return near, "" if near else f"expected {wanted:g}, found {found:g}"

    def _number(self, found: Any) -> float | None:
        if isinstance(found, (int, float)) and not isinstance(found, bool):
            return float(found)
        take = self.options.get("take", "last")
        if take == "whole":
            return float(str(found).strip().replace(",", ""))
        numbers = [text for text in _NUMBER.findall(str(found)) if text.strip(",.")]
        if not numbers:
            return None
        return float(numbers[0 if take == "first" else -1].replace(",", "").rstrip("."))


class EditDistance(Scorer):
    """How alike answer and expected text are: 1 - Levenshtein distance / length of the longer."""

    name, returns = "edit_distance", "number"
    OPTIONS: ClassVar[dict[str, str]] = {"ignore_case": "true: upper and lower case are the same"}

    def score(self, case: Case) -> tuple[float, str]:
        found, wanted = as_text(self.found(case)), as_text(self.wanted(case))
        if self.options.get("ignore_case"):
            found, wanted = found.casefold(), wanted.casefold()
        longest = max(len(found), len(wanted))
        distance = levenshtein(found, wanted)
        return (1 - distance / longest if longest else 1.0), f"{distance} edits"


def levenshtein(one: str, other: str) -> int:
    """Insertions, deletions and replacements between two texts, a whole column of the table in one
    big integer (Myers 1999, JACM 46:395, in the form of Hyyrö 2003)."""
    if one == other:
        return 0
    if not one or not other:
        return len(one) + len(other)
    places: dict[str, int] = {}
    for number, char in enumerate(one):
        places[char] = places.get(char, 0) | (1 << number)
    full, top = (1 << len(one)) - 1, 1 << (len(one) - 1)
    up, down, distance = full, 0, len(one)
    for char in other:
        here = places.get(char, 0)
        diagonal = (((here & up) + up) ^ up) | here | down
        more, less = down | ~(diagonal | up) & full, up & diagonal
        distance += bool(more & top) - bool(less & top)
        more, less = (more << 1) | 1, less << 1
        up = (less | ~(diagonal | more)) & full
        down = more & diagonal & full
    return distance


def _json_or(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
