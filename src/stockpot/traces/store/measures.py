"""Figures of one slice, whole windows or step by step, sketches included, from rollups alone.

What `overview` shows to people, this hands to code that goes on counting: a monitor merges windows,
and asks a sketch how many calls were slower than a bound. Groups are not made, so a slice of a
project reads a few rows a minute, however many keys and models there are.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.traces.measure import Measure
from stockpot.traces.store.overview import WIDTHS, Series, rollup_rows
from stockpot.traces.store.rollups import DIMENSIONS, WHOLE, Figures
from stockpot.traces.store.sqlite import Connection

SLICES = tuple(name for name in DIMENSIONS if name not in ("is_root", "status"))
"""What a slice may be cut by."""

_ATTEMPTS = frozenset({"provider", "error", "kind"})
"""Cut by one of these, every span counts and not calls alone: each attempt met one provider."""

_OUTSIDE = frozenset({"project", "environment"})
_SERIES = f"SELECT id, {', '.join(DIMENSIONS)} FROM series WHERE 1{{matches}}"


def measures(
    connection: Connection,
    where: Mapping[str, str],
    windows: Sequence[tuple[int, int]],
) -> list[Measure]:
    """One measure for each window (from, to) of whole minutes in Unix seconds."""
    found = []
    chosen = _chosen(connection, where)
    attempts = not _ATTEMPTS.isdisjoint(where)
    for start, end in windows:
        whole = Measure()
        for _, number, *row in rollup_rows(connection, start, end, WIDTHS, list(chosen)):
            _take(whole, chosen[number], row, attempts)
        found.append(whole)
    return found


def stepped(
    connection: Connection, where: Mapping[str, str], start: int, end: int, step: int
) -> dict[int, Measure]:
    """Measures of steps of whole minutes, by their start; a step without a span is left out."""
    chosen = _chosen(connection, where)
    attempts = not _ATTEMPTS.isdisjoint(where)
    fitting = [width for width in WIDTHS if step % width == start % width == 0]
    steps: dict[int, Measure] = {}
    for at, number, *row in rollup_rows(connection, start, end, fitting, list(chosen)):
        begin = at - (at - start) % step
        _take(steps.setdefault(begin, Measure()), chosen[number], row, attempts)
    return steps


def check_slice(where: Mapping[str, str]) -> None:
    """Raises InvalidInput for a slice that rollups do not keep apart."""
    for name in where:
        if name not in SLICES:
            raise InvalidInput(
                f"rollups are not kept by {name!r}.{did_you_mean(name, SLICES)}",
                hint=f"a slice is cut by {', '.join(SLICES)}",
            )


def _chosen(connection: Connection, where: Mapping[str, str]) -> dict[int, Series]:
    """The series that a slice is made of: wholes, unless the slice looks inside them."""
    check_slice(where)
    inside = not _OUTSIDE.issuperset(where)
    terms = "".join(f" AND {name} = ?" for name in where)
    terms += f" AND kind {'<>' if inside else '='} '{WHOLE}'"
    rows = connection.execute(_SERIES.format(matches=terms), list(where.values()))
    return {row[0]: dict(zip(DIMENSIONS, row[1:], strict=True)) for row in rows}


def _take(measure: Measure, about: Series, row: Sequence[Any], attempts: bool) -> None:
    """Add a row of rollups: its money always, itself where it counts as a call."""
    figures = Figures()
    figures.merge_row(row)
    measure.cost_nano += figures.cost_nano
    measure.unpriced += figures.unpriced
    measure.input_tokens += figures.input_tokens
    measure.output_tokens += figures.output_tokens
    if not (about["is_root"] or attempts):
        return
    measure.calls += figures.spans
    if about["status"] != "ok":
        measure.errors += figures.spans
    if about["status"] != "refused":
        measure.latency.merge(figures.latency)
    measure.ttft.merge(figures.ttft)
    measure.tpot.merge(figures.tpot)
