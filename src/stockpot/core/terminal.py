"""Printing on a terminal: aligned columns for people, JSON for programs. Knows no record."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from stockpot.core.errors import InvalidInput

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Any], Any]]

_SHORTEST = 10
"""A column that is cut keeps so many characters; with less room lines wrap."""

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
    _fit(cells, widths)
    click.secho(_line(titles, widths), dim=True)
    for line in cells:
        click.echo(_line(line, widths))


def printed(value: Any, *, as_json: bool) -> bool:
    """Print a value where JSON is asked for; whether that was so, and nothing is left to say."""
    if as_json:
        print_json(value)
    return as_json


def print_json(value: Any) -> None:
    """What a command shows, as JSON on several lines."""
    click.echo(json.dumps(value, indent=2))


def say(done: Any, sentence: str, *, as_json: bool) -> None:
    """What a command did: a sentence, or JSON on one line, which scripts can take as it is."""
    click.echo(json.dumps(done) if as_json else sentence)


class JsonFile(click.File):
    """The type of an option or argument that names a file: what its JSON says; `-` is stdin."""

    def __init__(self, holds: type[dict[str, Any]] | type[list[Any]]) -> None:
        super().__init__("r", encoding="utf-8")
        self._holds = holds

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        with super().convert(value, param, ctx) as file:
            try:
                found = json.load(file)
            except UnicodeDecodeError:
                self.fail(f"{value!r} is not text in UTF-8", param, ctx)
            except ValueError as bad:
                self.fail(f"{value!r} is no JSON: {bad}", param, ctx)
        if not isinstance(found, self._holds):
            kind = "object" if self._holds is dict else "list"
            self.fail(f"{value!r} holds no JSON {kind}", param, ctx)
        return found


class Number(click.FloatRange):
    """The type of an option that takes a number; `nan` and `inf` are none."""

    def __init__(self, min: float | None = None, max: float | None = None, **bounds: bool) -> None:
        super().__init__(min, max, **bounds)
        self.name = "float" if min is max is None else "float range"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        found: float = super().convert(value, param, ctx)
        if not math.isfinite(found):
            self.fail(f"{value!r} is no number", param, ctx)
        return found


NUMBER = Number()
"""Any number."""


def amount(text: str) -> float:
    """The type of an option that takes dollars: `20`, `0.5`, `$0.50`."""
    try:
        found = float(text.removeprefix("$"))
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise click.BadParameter(f"{text!r} is no amount of dollars; write it like 20 or 0.50")
    return found


def read_file(path: Path | str) -> str:
    """The text of a file that somebody named; `-` is the standard input. Raises InvalidInput."""
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return Path(path).read_text("utf-8-sig")
    except OSError as wrong:
        told = f"{str(path)!r} cannot be read: {wrong.strerror}"
    except UnicodeDecodeError:
        told = f"{str(path)!r} is not text in UTF-8"
    raise InvalidInput(told, hint="give the path of a text file")


def when(ms: float | None, absent: str = "never") -> str:
    """A time in the reader's own zone."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000)) if ms else absent


def _fit(cells: Sequence[list[str]], widths: Sequence[int]) -> None:
    """On a screen cut the last column, which is where texts are, so that rows keep to a line."""
    room = shutil.get_terminal_size().columns - sum(widths[:-1]) - 2 * (len(widths) - 1)
    if sys.stdout.isatty() and room >= _SHORTEST:
        for line in cells:
            line[-1] = line[-1] if len(line[-1]) <= room else f"{line[-1][: room - 1]}…"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(c.ljust(w) for c, w in zip(cells, widths, strict=True)).rstrip()
