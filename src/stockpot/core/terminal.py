"""Printing on a terminal: aligned columns for people, JSON for programs. Knows no record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Any], Any]]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""The option that every command has which prints data."""


def show(rows: Sequence[Row], columns: Sequence[Column], *, as_json: bool, empty: str) -> None:
    """Print rows. A column is a title and what it tells of a row; `empty` teaches the next step."""
    if printed(rows, as_json=as_json):
        return
    if not rows:
        click.echo(empty)
        return
    cells = [[str(tell(row)) for _, tell in columns] for row in rows]
    titles = [title for title, _ in columns]
    widths = [max(map(len, column)) for column in zip(titles, *cells, strict=True)]
    click.secho(_line(titles, widths), dim=True)
    for line in cells:
        click.echo(_line(line, widths))


def printed(value: Any, *, as_json: bool) -> bool:
    """Print a value where JSON is asked for; whether that was so, and nothing is left to say."""
    if as_json:
        click.echo(json.dumps(value, indent=2))
    return as_json


def when(ms: float | None, absent: str = "never") -> str:
    """A time in the reader's own zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000)) if ms else absent


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
