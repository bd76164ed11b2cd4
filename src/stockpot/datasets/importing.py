"""Rows out of the text of a file, CSV or JSON lines, and what is wrong with which line. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.core.faults import first_fault
from stockpot.datasets.content import canonical
from stockpot.datasets.models import LineFault, NewRow

PARTS = ("input", "expected", "metadata", "split", "id", "source_trace", "source_span")
_WHOLE = ("split", "id", "source_trace", "source_span")
_SHOWN = 50
csv.field_size_limit(1 << 24)


class Parsed:
    """What a file holds: rows, faults by line, and how its columns were read."""

    def __init__(self, columns: dict[str, str]) -> None:
        self.rows: list[NewRow] = []
        self.faults: list[LineFault] = []
        self.columns = columns

    def fault(self, line: int, message: str) -> None:
        if len(self.faults) < _SHOWN:
            self.faults.append(LineFault(line=line, message=message))


def parse(kind: str, text: str, columns: dict[str, str], split: str) -> Parsed:
    """Read a file. `columns` says what a column is; what it does not say is guessed by name."""
    for column, place in columns.items():
        _check_place(column, place)
    lines = _csv(text) if kind == "csv" else _jsonl(text)
    parsed = Parsed({})
    for number, record in lines:
        if isinstance(record, str):
            parsed.fault(number, record)
            continue
        plan = _plan(kind, record, columns)
        parsed.columns |= plan
        try:
            row = _row(record, plan, as_text=kind == "csv")
            if not row.get("input"):
                raise ValueError(f"no column is the input; there are {', '.join(record)[:200]}")
            parsed.rows.append(NewRow(**{"split": split, **row}))
            canonical(row)
        except ValidationError as bad:
            parsed.fault(number, first_fault(bad.errors()))
        except (ValueError, RecursionError) as bad:
            parsed.fault(number, str(bad))
    unknown = set(columns) - set(parsed.columns)
    if unknown and parsed.columns:
        column = min(unknown)
        near = did_you_mean(column, parsed.columns)
        raise InvalidInput(f"the file has no column {column!r}.{near}")
    return parsed


def _csv(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    header: list[str] = []
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as bad:
            yield line, f"no CSV: {bad}"
            return
        if not cells:
            continue
        if not header:
            header = cells
            if len(set(header)) < len(header):
                yield line, "two columns have the same name"
                return
        elif len(cells) != len(header):
            yield line, f"{len(cells)} cells, but the first line names {len(header)} columns"
        else:
            yield line, dict(zip(header, cells, strict=True))


def _jsonl(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError) as bad:
            yield number, f"no JSON: {bad}"
            continue
        yield number, value if isinstance(value, dict) else "a line must be a JSON object"


def _plan(kind: str, record: dict[str, Any], columns: dict[str, str]) -> dict[str, str]:
    """What each column of a record is."""
    rest = "metadata" if kind == "csv" or "input" in {*record, *columns.values()} else "input"
    if any(place.startswith("input") for place in columns.values()):
        rest = "metadata"
    return {
        name: columns.get(name) or (name if _is_place(name) else f"{rest}.{name}")
        for name in record
    }


def _is_place(name: str) -> bool:
    head, dot, tail = name.partition(".")
    return head in PARTS and (not dot or (bool(tail) and head not in _WHOLE))


def _check_place(column: str, place: str) -> None:
    if place != "-" and not _is_place(place):
        near = did_you_mean(place, PARTS)
        raise InvalidInput(
            f"the column {column!r} cannot be {place!r}.{near}",
            hint="input, input.NAME, expected, expected.NAME, metadata.NAME, split, id or -",
        )


def _row(record: dict[str, Any], plan: dict[str, str], *, as_text: bool) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for column, value in record.items():
        place = plan[column]
        if place == "-" or (as_text and value == "" and place in (*_WHOLE, "expected")):
            continue
        head, dot, name = place.partition(".")
        if as_text and (not dot) and head in ("input", "expected", "metadata"):
            value = _read(value)
        if dot:
            part = row.setdefault(head, {})
            if not isinstance(part, dict):
                raise ValueError(f"{head!r} is given whole and in parts")
            part[name] = value
        elif head == "input" and not isinstance(value, dict):
            row.setdefault("input", {})["input"] = value
        elif head == "metadata" and not isinstance(value, dict):
            row.setdefault("metadata", {})["metadata"] = value
        elif isinstance(value, dict) and isinstance(row.get(head), dict):
            row[head] = {**value, **row[head]}
        else:
            row[head] = value
    return row


def _read(cell: str) -> Any:
    """A cell that holds a JSON object or list is one; any other is text."""
    if cell.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell
