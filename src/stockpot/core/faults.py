"""What a validator found wrong, in our words. Knows the shape of pydantic's errors; no record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_IN_OUR_WORDS = (
    ("Input should be", "must be"),
    ("a valid dictionary", "an object"),
    ("String should", "must"),
    ("List should", "must"),
    ("Field required", "is missing"),
    ("Extra inputs are not permitted", "is not known here"),
    ("Value error, ", ""),
)
_LONGEST_SHOWN = 80


def first_fault(found: Sequence[Mapping[str, Any]], root: str = "it") -> str:
    """`limits.rpm: must be greater than or equal to 0 (and 2 more)` out of `error.errors()`; what
    is wrong as a whole is called `root`."""
    where = ".".join(map(str, found[0]["loc"])) or root
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {in_words(found[0])}{more}"


def in_words(fault: Mapping[str, Any]) -> str:
    """What is wrong, without where."""
    told = str(fault["msg"])
    for theirs, ours in _IN_OUR_WORDS:
        told = told.replace(theirs, ours)
    # Only what has a form is quoted: a secret has none.
    if fault["type"] == "string_pattern_mismatch" and len(str(fault["input"])) <= _LONGEST_SHOWN:
        return f"{fault['input']!r} {told}"
    return told
