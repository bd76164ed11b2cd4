"""Rows as judges see them. Pure: which part of a row is the answer, its context, its rival."""

from __future__ import annotations

from typing import Any

from stockpot.core.errors import InvalidInput
from stockpot.evals.judges.models import Judge, Subject
from stockpot.evals.models import Row
from stockpot.evals.scorers import at_path
from stockpot.evals.scorers.base import as_text

_WHOLE = ("input", "expected", "metadata", "output")


def subject_of(judge: Judge, row: Row, output: Any) -> Subject:
    """A row with an answer to it. What a judge needs and the row has not stays None; `lacking`
    says so before anybody is asked."""
    parts = {name: getattr(row, name, None) for name in _WHOLE}
    return Subject(
        item=row.id, input=row.input, output="" if output is None else as_text(output),
        expected=_at(parts, judge.expected) if judge.expected else row.expected,
        context=_at(parts, judge.context), other=_at(parts, judge.other),
    )  # fmt: skip


def answer_in(row: Row, path: str) -> Any:
    """The answer that stands in a row: its output, or what is at a path. Raises InvalidInput."""
    if not path:
        return row.output
    try:
        return at_path({name: getattr(row, name, None) for name in _WHOLE}, path)
    except ValueError as bad:
        raise InvalidInput(f"the row {row.id!r}: {bad}") from None


def lacking(judge: Judge, subject: Subject) -> str:
    """What a row has not that this judge needs, in words; nothing where it has all."""
    if judge.kind == "pairwise" and subject.other is None:
        return f"no other answer to hold it against: nothing stands at {judge.other!r}"
    if judge.kind == "groundedness" and subject.context is None:
        return f"no context to check it against: nothing stands at {judge.context!r}"
    if judge.kind == "reference" and subject.expected is None:
        return "no reference answer: the row expects nothing"
    return ""


def _at(parts: dict[str, Any], path: str) -> Any:
    try:
        return at_path(parts, path) if path else None
    except ValueError:
        return None
