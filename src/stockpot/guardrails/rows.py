"""Labelled texts as they come in a file: one JSON object a line. Knows lines; judges nothing.

`{"text": ..., "label": 0 or 1}` says whether a text is to be found (1) or harmless (0);
`{"text": ..., "spans": [{"type", "start", "end"}]}` says what is to be found in it, and no spans
that nothing is. A label may have a `type`, by which recall is broken down.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from stockpot.core.errors import InvalidInput

MOST = 1_000_000
"""Lines of one file."""


class Span(NamedTuple):
    """Characters `start` to `end` of a text."""

    type: str
    start: int
    end: int


class Labelled(NamedTuple):
    """A text and what is to be found in it; `spans` is None where only the label is told."""

    text: str
    label: int
    spans: tuple[Span, ...] | None = None
    type: str = ""


def read_rows(path: Path) -> list[Labelled]:
    """The rows of a file. Raises InvalidInput that names the line."""
    try:
        lines = path.read_text("utf-8-sig").split("\n")
    except UnicodeDecodeError:
        raise InvalidInput(f"{path.name} is not UTF-8 text", hint="convert it first") from None
    rows = list(_rows(lines[:MOST], path.name))
    if not rows:
        raise InvalidInput(f"{path.name} has no rows", hint='{"text": "...", "label": 0} a line')
    if len({row.spans is None for row in rows}) > 1:
        raise InvalidInput(f"{path.name} mixes rows with 'label' and rows with 'spans'")
    return rows


def _rows(lines: Iterable[str], name: str) -> Iterable[Labelled]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _row(json.loads(line))
        except json.JSONDecodeError as error:
            raise InvalidInput(f"{name}, line {number}: no JSON ({error.msg})") from None
        except ValueError as error:
            raise InvalidInput(f"{name}, line {number}: {error}") from None


def _row(told: Any) -> Labelled:
    if not isinstance(told, dict):
        raise ValueError(f"a row is an object, not {told!r:.60}")
    text = told.get("text")
    if not isinstance(text, str):
        raise ValueError(f"'text' must be a text, not {text!r:.60}")
    if "spans" in told:
        return _spanned(text, told["spans"])
    label = told.get("label")
    if label not in (0, 1):
        raise ValueError(f"'label' must be 0 or 1, or give 'spans'; it is {label!r:.60}")
    return Labelled(text, int(label), None, str(told.get("type") or ""))


def _spanned(text: str, told: Any) -> Labelled:
    if not isinstance(told, list):
        raise ValueError(f"'spans' must be a list, not {told!r:.60}")
    spans = []
    for one in told:
        kind, start, end = (
            [one.get(name) for name in ("type", "start", "end")]
            if isinstance(one, dict)
            else [None] * 3
        )
        if not isinstance(kind, str) or type(start) is not int or type(end) is not int:
            raise ValueError(f"a span has 'type', 'start' and 'end', not {one!r:.80}")
        if not 0 <= start < end <= len(text):
            raise ValueError(f"the span {start}..{end} is not inside the text of {len(text)}")
        spans.append(Span(kind, start, end))
    return Labelled(text, int(bool(spans)), tuple(spans))
