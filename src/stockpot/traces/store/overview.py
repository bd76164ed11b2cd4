"""Figures of a window, from rollups alone. Knows rollup rows; never reads a span.

The window is read twice, each time from the widest rollups that fit: once for the buckets, once for
the series, from which the groups are merged.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from stockpot.core.errors import InvalidInput
from stockpot.traces.models import (
    Group,
    Overview,
    Point,
    Quantiles,
    TargetGroup,
    Totals,
    TraceFilter,
)
from stockpot.traces.sketch import Sketch
from stockpot.traces.store.rollups import COARSE, COLUMNS, DIMENSIONS, MINUTE, WHOLE, Figures
from stockpot.traces.store.rows import within
from stockpot.traces.store.sqlite import Connection

MAX_POINTS = 2000
_SOUGHT = 64
"""Series up to which SQLite picks them out; of more, most rows are wanted anyway."""

_OUTER = ("project", "environment", "status")
_FILTERS = ("project", "environment", "kind", "provider", "model", "key_id", "status", "error")
_NS = 1_000_000

_SERIES = f"SELECT id, {', '.join(DIMENSIONS)} FROM series WHERE 1{{matches}}"
_ROWS = f"""
SELECT r.start, r.series, {", ".join(f"r.{name}" for name in COLUMNS)} FROM rollups r
WHERE r.width = ? AND r.start >= ? AND r.start < ?"""

WIDTHS = (*(width for width, _ in reversed(COARSE)), MINUTE)

Series = dict[str, Any]
Kind = tuple[int, str]
"""Whether rows are of root spans, and their status: what decides how they count."""


class Tally:
    """Figures by kind of row, until it is known what counts as a call."""

    __slots__ = ("kinds",)

    def __init__(self) -> None:
        self.kinds: dict[Kind, Figures] = {}

    def of(self, about: Series) -> Figures:
        """The figures that a row of this series belongs to."""
        return self._of((about["is_root"], about["status"]))

    def _of(self, kind: Kind) -> Figures:
        figures = self.kinds.get(kind)
        if figures is None:
            figures = self.kinds[kind] = Figures()
        return figures

    def merge(self, other: Tally) -> None:
        for kind, figures in other.kinds.items():
            self._of(kind).merge(figures)

    def totals(self, *, attempts: bool = False) -> Totals:
        """A call is a root span, or with `attempts` every span."""
        calls = errors = 0
        money, latency, ttft, tpot = Figures(), Sketch(), Sketch(), Sketch()
        for (is_root, status), figures in self.kinds.items():
            money.add_sums(figures)
            if not (is_root or attempts):
                continue
            calls += figures.spans
            if status != "ok":
                errors += figures.spans
            if status != "refused":
                latency.merge(figures.latency)
            ttft.merge(figures.ttft)
            tpot.merge(figures.tpot)
        return Totals(
            calls=calls, errors=errors, input_tokens=money.input_tokens,
            output_tokens=money.output_tokens, cost_nano=money.cost_nano, unpriced=money.unpriced,
            saved_nano=money.saved_nano, cache_hits=money.cache_hits,
            latency_ms=_quantiles(latency), ttft_ms=_quantiles(ttft), tpot_ms=_quantiles(tpot),
        )  # fmt: skip


def overview(
    connection: Connection, where: TraceFilter, from_ms: float, to_ms: float, bucket_ms: float
) -> Overview:
    """See `SpanStore.overview`. The window is widened to whole buckets of whole minutes."""
    bucket = max(MINUTE, -int(-bucket_ms // (MINUTE * 1000)) * MINUTE)
    start = int(from_ms // 1000) // bucket * bucket
    end = max(start, -int(-to_ms // (bucket * 1000)) * bucket)
    if bucket_ms and (end - start) // bucket > MAX_POINTS:
        raise InvalidInput(
            f"{(end - start) // bucket} buckets of {bucket} s are too many (at most {MAX_POINTS})",
            hint="ask for a larger bucket_ms",
        )
    series = _series(connection, where)
    buckets = {at: Tally() for at in range(start, end, bucket)} if bucket_ms else {}
    fitting = [width for width in WIDTHS if bucket % width == 0]
    charted = _charted(series, where) if bucket_ms else []
    for at, number, *row in rollup_rows(connection, start, end, fitting, charted):
        about = series[number]
        figures = buckets[at - at % bucket].of(about)
        # What is no call tells a chart its tokens and cost alone.
        figures.merge_row(row) if about["is_root"] else figures.merge_sums(row)
    by_series: dict[int, Tally] = {}
    parts = [number for number, about in series.items() if about["kind"] != WHOLE]
    for _, number, *row in rollup_rows(connection, start, end, WIDTHS, parts):
        by_series.setdefault(number, Tally()).of(series[number]).merge_row(row)
    whole = Tally()
    for tally in by_series.values():
        whole.merge(tally)
    found = [(series[number], tally) for number, tally in by_series.items()]
    return Overview(
        from_ms=start * 1000, to_ms=end * 1000, bucket_ms=bucket * 1000 if bucket_ms else 0,
        totals=whole.totals(),
        series=tuple(Point(start_ms=at * 1000, totals=t.totals()) for at, t in buckets.items()),
        by_model=_groups(found, "model"), by_key=_groups(found, "key_id"),
        by_provider=_groups(found, "provider", attempts=True),
        by_error=_groups(found, "error", attempts=True),
        by_route=_groups(found, "route"), by_target=_targets(found),
    )  # fmt: skip


def conditions(where: TraceFilter, prefix: str = "") -> tuple[list[str], list[Any]]:
    """What a filter asks of a series, as SQL terms and their values."""
    given = [(name, value) for name in _FILTERS if (value := getattr(where, name)) is not None]
    terms, values = [f"{prefix}{name} = ?" for name, _ in given], [value for _, value in given]
    if where.sight is not None:
        term, seen = within(where.sight, prefix)
        terms.append(term)
        values += seen
    return terms, values


def _series(connection: Connection, where: TraceFilter) -> dict[int, Series]:
    terms, values = conditions(where)
    sql = _SERIES.format(matches="".join(f" AND {term}" for term in terms))
    return {
        row[0]: dict(zip(DIMENSIONS, row[1:], strict=True))
        for row in connection.execute(sql, values)
    }


def _charted(series: dict[int, Series], where: TraceFilter) -> list[int]:
    """The series that a chart over time needs: wholes, unless the filter looks inside them."""
    inside = any(getattr(where, name) is not None for name in _FILTERS if name not in _OUTER)
    inside = inside or (where.sight is not None and bool(where.sight.keys))
    return [n for n, about in series.items() if (about["kind"] == WHOLE) is not inside]


def rollup_rows(
    connection: Connection, start: int, end: int, widths: Sequence[int], series: Sequence[int]
) -> Iterator[Any]:
    """Rollup rows that cover a window without overlap, from the widest that are complete."""
    if not series:
        return
    closed = dict(connection.execute("SELECT width, until FROM rolled"))
    wanted = set(series)
    for width, since, until in cover(start, end, widths, closed):
        if len(wanted) <= _SOUGHT:
            sql = f"{_ROWS} AND r.series IN ({', '.join(map(str, wanted))})"
            yield from connection.execute(sql, (width, since, until))
            continue
        for row in connection.execute(_ROWS, (width, since, until)):
            if row[1] in wanted:
                yield row


def cover(
    start: int, end: int, widths: Sequence[int], closed: dict[int, int]
) -> Iterator[tuple[int, int, int]]:
    """Pieces (width, since, until) of a window; `widths` descend to a minute."""
    width, finer = widths[0], widths[1:]
    since = -(-start // width) * width
    until = end if width == MINUTE else min(end, closed.get(width, 0)) // width * width
    if since < until:
        yield width, since, until
    else:
        since = until = start
    if finer and start < since:
        yield from cover(start, since, finer, closed)
    if finer and until < end:
        yield from cover(until, end, finer, closed)


def _groups(
    found: Iterable[tuple[Series, Tally]], by: str, *, attempts: bool = False
) -> tuple[Group, ...]:
    """Groups by one dimension, the most called first; what has no value there is left out."""
    tallies: dict[str, Tally] = {}
    for about, tally in found:
        if about[by]:
            tallies.setdefault(about[by], Tally()).merge(tally)
    groups = (Group(key=k, totals=t.totals(attempts=attempts)) for k, t in tallies.items())
    order: Callable[[Group], tuple[int, str]] = lambda g: (-g.totals.calls, g.key)  # noqa: E731
    return tuple(sorted(groups, key=order))


def _targets(found: Iterable[tuple[Series, Tally]]) -> tuple[TargetGroup, ...]:
    """What each target of each route was asked, the most asked first."""
    tallies: dict[tuple[str, str, str], Tally] = {}
    for about, tally in found:
        place = (about["route"], about["provider"], about["model"])
        if all(place):
            tallies.setdefault(place, Tally()).merge(tally)
    groups = [
        TargetGroup(route=route, provider=provider, model=model, totals=t.totals(attempts=True))
        for (route, provider, model), t in tallies.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-g.totals.calls, g.route, g.provider, g.model)))


def _quantiles(sketch: Sketch) -> Quantiles:
    p50, p95, p99 = sketch.quantiles(0.5, 0.95, 0.99)
    return Quantiles(p50=_ms(p50), p95=_ms(p95), p99=_ms(p99))


def _ms(ns: float | None) -> float | None:
    return None if ns is None else round(ns / _NS, 4)
