"""Suites and rows as files: `evals/*.toml` beside the code, rows as JSON lines. Knows no API.

name = "menu"
project = "default"
rows = "menu.jsonl"            # beside this file; or dataset = "menu-cases@3"

[target]
kind = "prompt"
prompt = "menu-description@staging"

[[scorers]]
use = "exact"

[gate.metrics.exact]
margin = 0.02
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.faults import first_fault
from stockpot.evals.models import Row, SuiteSpec

_OF_A_ROW = frozenset({"id", "input", "expected", "metadata", "output"})


class SuiteFile(NamedTuple):
    """A suite out of a file; `rows` is the file of its rows, where it names one."""

    spec: SuiteSpec
    project: str
    rows: Path | None


def read_suite(path: Path) -> SuiteFile:
    """A suite's file. Raises InvalidInput with the field at fault and the nearest spelling."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise NotFound(f"no file {str(path)!r}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as bad:
        raise InvalidInput(f"{path} is not valid TOML: {bad}") from None
    project, rows = told.pop("project", "default"), told.pop("rows", None)
    told.setdefault("name", path.stem)
    try:
        spec = SuiteSpec(**told)
    except ValidationError as bad:
        raise InvalidInput(f"{path}: {_words(bad)}") from None
    return SuiteFile(spec, str(project), path.parent / rows if rows else None)


def read_rows(path: Path) -> list[Row]:
    """The rows of a file of JSON lines. A line without `input` is an input as a whole, but for
    `id`, `expected`, `metadata` and `output`; a row without an id gets one out of its content."""
    try:
        return list(_rows(path))
    except FileNotFoundError:
        raise NotFound(f"no file {str(path)!r}") from None


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                told = json.loads(line)
            except ValueError as bad:
                raise InvalidInput(f"{path}, line {number} is not JSON: {bad}") from None
            try:
                yield row_of(told)
            except ValidationError as bad:
                raise InvalidInput(f"{path}, line {number}: {_words(bad)}") from None


def row_of(told: Any) -> Row:
    """One row out of what a line says."""
    if not isinstance(told, dict):
        told = {"input": told}
    if "input" not in told:
        rest = {name: value for name, value in told.items() if name not in _OF_A_ROW}
        told = {**{n: v for n, v in told.items() if n in _OF_A_ROW}, "input": rest}
    known = {name: value for name, value in told.items() if name in _OF_A_ROW}
    extra = {name: value for name, value in told.items() if name not in _OF_A_ROW}
    if extra:
        known["metadata"] = {**extra, **(known.get("metadata") or {})}
    if not known.get("id"):
        text = json.dumps(known, sort_keys=True, ensure_ascii=False)
        known["id"] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return Row(**{**known, "id": str(known["id"])})


def _words(bad: ValidationError) -> str:
    first = bad.errors()[0]
    if first["type"] == "extra_forbidden":
        where = ".".join(map(str, first["loc"]))
        return f"unknown field {where!r}.{did_you_mean(str(first['loc'][-1]), _fields(SuiteSpec))}"
    return first_fault(bad.errors())


def _fields(model: type[BaseModel]) -> list[str]:
    found = list(model.model_fields)
    for field in model.model_fields.values():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found += _fields(inner)
    return [*found, "project", "rows"]
