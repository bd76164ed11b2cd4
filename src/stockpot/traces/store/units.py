"""Units of experiments: what each of them did, summed as spans come in. Knows spans' figures and
exposures; knows no experiment.

A span names the experiments that it is counted in, with the arm and the unit. The rows of a unit
are sums over its spans, written in their transaction, so a record that comes again counts once.
What changes spans later changes these rows with them; what removes spans for their age or by
sampling leaves them, as it leaves rollups, until an experiment has seen nobody for that long.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from stockpot.traces.store import NewSpan
from stockpot.traces.store.sqlite import Connection
from stockpot.traces.store.within import exposures_in
from stockpot.traces.unit_figures import UNIT_METRICS, UnitFigures, UnitSums

Exposure = tuple[str, str, str, str]
"""Experiment, arm, unit, and '' or how many observations the cost of a call inside work makes."""

Key = tuple[str, str, str, str, str]
"""Project, experiment, metric, unit, arm: what a row is found by."""

Value = tuple[str, int, float]
"""Metric, calls, amount."""

_PERIOD_NS = 28 * 86_400 * 1_000_000_000
"""How far back it is looked what an end user did before."""

_CALLS = frozenset({"llm", "embedding", "reranker"})
_BENEATH = "below"
_FIGURES = (
    "source", "is_root", "kind", "cost_source", "status", "duration_ns", "ttft_ns", "input_tokens",
    "output_tokens", "cost_nano",
)  # fmt: skip
_ADD = """
INSERT INTO units (project, experiment, metric, unit, variant, n, total, squares, first_ns, last_ns,
  before)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (project, experiment, metric, unit, variant) DO UPDATE SET
  n = n + excluded.n, total = total + excluded.total, squares = squares + excluded.squares,
  first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns)"""
_KNOWN = """
SELECT 1 FROM units WHERE project = ? AND experiment = ? AND metric = 'calls' AND unit = ?"""
_EARLIER = f"""
SELECT {", ".join(_FIGURES)} FROM spans INDEXED BY spans_by_user
WHERE user = ? AND user <> '' AND project = ? AND at_ns >= ? AND at_ns < ?
ORDER BY id DESC LIMIT 500"""
_GONE = """
DELETE FROM units WHERE project = ? AND experiment = ? AND unit = ? AND variant = ?
  AND NOT EXISTS (
    SELECT 1 FROM units k WHERE k.project = units.project AND k.experiment = units.experiment
      AND k.metric = 'calls' AND k.unit = units.unit AND k.variant = units.variant AND k.n > 0)"""
_OLD = """
DELETE FROM units WHERE project = ? AND experiment IN (
  SELECT experiment FROM units WHERE project = ? GROUP BY experiment HAVING max(last_ns) < ?)"""
_SOME = """
DELETE FROM units WHERE (project, experiment, metric, unit, variant) IN (
  SELECT project, experiment, metric, unit, variant FROM units
  WHERE project = ? AND experiment = ? LIMIT ?)"""
_CROSSED = """
SELECT unit FROM units WHERE project = ? AND experiment = ? AND metric = 'calls' AND first_ns >= ?
GROUP BY unit HAVING count(*) > 1"""
_SUMS = f"""
SELECT metric, variant, count(*), sum(y), sum(y * y), sum(n), count(before), total(before),
  total(before * before), total(before * y), total(CASE WHEN before IS NOT NULL THEN y END)
FROM (
  SELECT metric, variant, n, total / n AS y, before FROM units
  WHERE project = ? AND experiment = ? AND metric = ? AND n > 0 AND first_ns >= ?
    AND unit NOT IN ({_CROSSED}))
GROUP BY metric, variant"""
_FORGOTTEN = f"""
SELECT project, at_ns, exposures, {", ".join(_FIGURES)} FROM spans
WHERE id IN ({{numbers}}) AND exposures <> ''"""


class _Row:
    """What a batch adds to one row."""

    __slots__ = ("first", "last", "n", "squares", "total")

    def __init__(self) -> None:
        self.n, self.total, self.squares = 0, 0.0, 0.0
        self.first, self.last = 1 << 62, 0


def count(connection: Connection, spans: Iterable[NewSpan]) -> None:
    """Add spans that are not in the table yet. Runs inside their transaction."""
    exposed = [span for span in spans if span.exposures]
    if not exposed:
        return
    rows: dict[Key, _Row] = {}
    people: dict[tuple[str, str, str], str] = {}
    for span in exposed:
        found = _figures(span)
        for name, arm, unit, inside in _units(span.exposures):
            people.setdefault((span.project, name, unit), span.user)
            _take(rows, (span.project, name, unit, arm), _values(found, inside), span.at_ns, 1)
    _write(connection, rows, _before(connection, rows, people))


def replace(connection: Connection, before: Iterable[NewSpan], now: Iterable[NewSpan]) -> None:
    """Take spans out of every row and put others in. Runs inside the transaction that changes the
    spans."""
    rows: dict[Key, _Row] = {}
    inside_work: set[tuple[str, str, str, str]] = set()
    for spans, sign in ((before, -1), (now, 1)):
        for span in spans:
            found = _figures(span) if span.exposures else []
            for name, arm, unit, inside in _units(span.exposures):
                of = (span.project, name, unit, arm)
                _take(rows, of, _values(found, inside), span.at_ns, sign)
                if inside and sign > 0:
                    inside_work.add(of)  # which may be counted only after this
    _write(connection, rows, {})
    _clear(connection, {key: row for key, row in rows.items() if _of(key) not in inside_work})


def forget(connection: Connection, numbers: str) -> None:
    """Take spans that are about to be erased out of every row: whoever is erased is no unit any
    more. `numbers` are theirs, with commas between."""
    rows: dict[Key, _Row] = {}
    for project, at_ns, exposures, *figures in connection.execute(
        _FORGOTTEN.format(numbers=numbers)
    ):
        for name, arm, unit, inside in _units(exposures):
            _take(rows, (project, name, unit, arm), _values(figures, inside), at_ns, -1)
    _write(connection, rows, {})
    _clear(connection, rows)


def reprice(connection: Connection, number: int, cost_nano: int | None) -> None:
    """Put another cost on the rows of a span, before the span has it."""
    row = connection.execute(_FORGOTTEN.format(numbers=number)).fetchone()
    if row is None:
        return
    project, at_ns, exposures, *figures = row
    rows: dict[Key, _Row] = {}
    for cost, sign in ((figures[-1], -1), (cost_nano, 1)):
        for name, arm, unit, inside in _units(exposures):
            found = _values([*figures[:-1], cost], inside)
            values = [value for value in found if value[0] == "cost"]
            _take(rows, (project, name, unit, arm), values, at_ns, sign)
    _write(connection, rows, {})


def expire(connection: Connection, project: str, before_ns: int) -> None:
    """Remove the units of a project's experiments that have seen nobody since a time."""
    connection.execute(_OLD, (project, project, before_ns))


def forget_some(connection: Connection, project: str, experiment: str, limit: int) -> int:
    """Remove rows of an experiment, so many at most; gives how many."""
    return connection.execute(_SOME, (project, experiment, limit)).rowcount


def figures(connection: Connection, project: str, experiment: str, since_ns: int) -> UnitFigures:
    """Sums over the units that were first exposed since a time."""
    place = (project, experiment, since_ns)
    crossed = frozenset(row[0] for row in connection.execute(_CROSSED, place))
    sums: dict[tuple[str, str], UnitSums] = {}
    for metric in UNIT_METRICS:
        values = (project, experiment, metric, since_ns, *place)
        for name, arm, *row in connection.execute(_SUMS, values):
            sums[name, arm] = UnitSums(*row)
    return UnitFigures(sums, crossed)


# --- what a span adds -----------------------------------------------------------------------------


def _figures(span: NewSpan) -> Sequence[Any]:
    return [getattr(span, name) for name in _FIGURES]


def _values(figures: Sequence[Any], inside: str = "") -> Iterator[Value]:
    """What one span adds: a call its outcome, an attempt before it its tokens and cost alone, an
    application's work around calls its outcome alone. Of a call inside such work the outcome is the
    work's. What was refused reached no arm; what was cut short tells neither how long it takes nor
    that it fails. A call that a span below tells is counted there."""
    source, is_root, kind, cost_source, status, took, ttft, given, got, cost = figures
    if status == "refused" or cost_source == _BENEATH:
        return
    calls = int(bool(is_root) or (source != "gateway" and kind in _CALLS))
    if calls and not inside:
        yield "calls", 1, 1.0
        if status != "interrupted":
            yield "error", 1, float(status != "ok")
            yield "latency_ms", 1, took / 1e6
    if calls and ttft is not None:
        yield "ttft_ms", 1, ttft / 1e6
    if source != "gateway" and kind not in _CALLS:
        return
    observations = int(inside) if inside else calls
    if given or got or calls:
        yield "tokens", observations, float(given + got)
    if cost is not None:
        yield "cost", observations, float(cost)


def _units(exposures: str) -> list[Exposure]:
    return [
        (name, arm, unit, mark[0] if mark else "")
        for name, arm, unit, *mark in exposures_in(exposures)
        if unit
    ]


def _take(
    rows: dict[Key, _Row],
    of: tuple[str, str, str, str],
    values: Iterable[Value],
    at: int,
    sign: int,
) -> None:
    project, name, unit, arm = of
    for metric, calls, amount in values:
        row = rows.setdefault((project, name, metric, unit, arm), _Row())
        row.n += sign * calls
        row.total += sign * amount
        row.squares += sign * amount * amount
        row.first, row.last = min(row.first, at), max(row.last, at)


def _write(connection: Connection, rows: dict[Key, _Row], before: dict[Key, float]) -> None:
    connection.executemany(
        _ADD,
        [(*key, r.n, r.total, r.squares, r.first, r.last, before.get(key))
         for key, r in rows.items()],
    )  # fmt: skip


def _clear(connection: Connection, rows: dict[Key, _Row]) -> None:
    """Rows of units without a call left go, whatever rounding left in their sums."""
    connection.executemany(_GONE, list({_of(key) for key in rows}))


def _of(key: Key) -> tuple[str, str, str, str]:
    project, name, _, unit, arm = key
    return project, name, unit, arm


def _before(
    connection: Connection, rows: dict[Key, _Row], people: dict[tuple[str, str, str], str]
) -> dict[Key, float]:
    """What the end users of new units did before they were exposed, on average."""
    first = {(k[0], k[1], k[3]): row.first for k, row in rows.items() if k[2] == "calls"}
    known: dict[tuple[str, str, str], dict[str, float]] = {}
    for unit, at in first.items():
        user = people.get(unit, "")
        if user and connection.execute(_KNOWN, unit).fetchone() is None:
            window = (user, unit[0], at - _PERIOD_NS, at)
            known[unit] = _means(connection.execute(_EARLIER, window))
    return {
        key: means[key[2]]
        for key in rows
        if (means := known.get((key[0], key[1], key[3]))) and key[2] in means
    }


def _means(found: Iterable[Sequence[Any]]) -> dict[str, float]:
    sums: dict[str, tuple[int, float]] = {}
    for row in found:
        for metric, calls, amount in _values(row):
            n, total = sums.get(metric, (0, 0.0))
            sums[metric] = (n + calls, total + amount)
    return {metric: total / n for metric, (n, total) in sums.items() if n}
