"""What was spent in a window and on what, from rollups alone. Knows sums; reads no sketch, no span.

Money is summed inside SQLite, so that a month of many keys is a few thousand rows and not a
hundred thousand. What the gateway's own cache saved stands apart from what vendors' caches saved:
an answer out of the gateway's own has the provider `cache`.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stockpot.core.errors import InvalidInput
from stockpot.traces.models import SpendBy, Spending, SpendTotals, SpentOn, TraceFilter
from stockpot.traces.store.overview import MAX_POINTS, WIDTHS, conditions, cover
from stockpot.traces.store.rollups import MINUTE, WHOLE
from stockpot.traces.store.sqlite import Connection

OWN_CACHE = "cache"
"""The provider of answers that the gateway gave out of its own cache."""

_KEYS: dict[SpendBy, str] = {
    "key": "s.key_id",
    "project": "s.project",
    "environment": "s.environment",
    "model": "s.model",
    "provider": "s.provider",
    "day": "date(r.start, 'unixepoch')",
}
_SUMS = (
    "calls", "unpriced", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "cost_nano", "saved_by_vendor_nano", "saved_here_nano", "cache_hits",
)  # fmt: skip
_SQL = f"""
SELECT r.start - r.start % ?, {{key}},
  SUM(r.spans * ({{calls}})), SUM(r.unpriced), SUM(r.input_tokens), SUM(r.output_tokens),
  SUM(r.cache_read_tokens), SUM(r.cache_write_tokens), SUM(r.cost_nano),
  SUM(r.saved_nano * (s.provider <> '{OWN_CACHE}')),
  SUM(r.saved_nano * (s.provider = '{OWN_CACHE}')), SUM(r.cache_hits)
FROM rollups r JOIN series s ON s.id = r.series
WHERE r.width = ? AND r.start >= ? AND r.start < ? AND s.kind <> '{WHOLE}'{{matches}}
GROUP BY 1, 2"""

Sums = list[int]


def spending(
    connection: Connection,
    where: TraceFilter,
    by: SpendBy,
    window: tuple[float, float, float],
    limit: int,
) -> Spending:
    """See `SpanStore.spending`. The window (from, to, bucket in milliseconds) is widened to whole
    buckets of whole minutes."""
    from_ms, to_ms, bucket_ms = window
    bucket = max(MINUTE, -int(-bucket_ms // (MINUTE * 1000)) * MINUTE)
    start = int(from_ms // 1000) // bucket * bucket
    end = max(start, -int(-to_ms // (bucket * 1000)) * bucket)
    points = (end - start) // bucket
    if points > MAX_POINTS:
        raise InvalidInput(
            f"{points} buckets of {bucket} s are too many (at most {MAX_POINTS})",
            hint="ask for a larger bucket_ms",
        )
    groups: dict[str, Sums] = {}
    charts: dict[str, list[int]] = {}
    for at, key, *row in _rows(connection, where, by, (start, end, bucket)):
        sums = groups.setdefault(key, [0] * len(_SUMS))
        for index, value in enumerate(row):
            sums[index] += value
        charts.setdefault(key, [0] * points)[(at - start) // bucket] += row[_COST]
    order = sorted(groups, key=lambda key: (-groups[key][_COST], -groups[key][0], key))
    shown, rest = order[:limit], order[limit:]
    return Spending(
        from_ms=start * 1000, to_ms=end * 1000, bucket_ms=bucket * 1000, by=by,
        totals=_added(groups.values()), costs=_stacked(charts.values(), points),
        groups=tuple(
            SpentOn(key=key, totals=_added([groups[key]]), costs=tuple(charts[key]))
            for key in shown
        ),
        more=len(rest), rest=_added(groups[key] for key in rest),
    )  # fmt: skip


_COST = _SUMS.index("cost_nano")


def _rows(
    connection: Connection, where: TraceFilter, by: SpendBy, window: tuple[int, int, int]
) -> Iterable[Any]:
    """Bucket, key and sums, from the widest rollups that fit into whole buckets and days."""
    start, end, bucket = window
    terms, values = conditions(where, "s.")
    calls = "s.is_root OR s.provider <> ''" if by == "provider" else "s.is_root"
    sql = _SQL.format(key=_KEYS[by], calls=calls, matches="".join(f" AND {t}" for t in terms))
    fitting = [width for width in WIDTHS if bucket % width == 0]
    closed = dict(connection.execute("SELECT width, until FROM rolled"))
    for width, since, until in cover(start, end, fitting, closed):
        yield from connection.execute(sql, (bucket, width, since, until, *values))


def _added(all_sums: Iterable[Sums]) -> SpendTotals:
    columns = zip(*all_sums, strict=True)
    return SpendTotals(**dict(zip(_SUMS, map(sum, columns), strict=False)))


def _stacked(charts: Iterable[list[int]], points: int) -> tuple[int, ...]:
    return tuple(map(sum, zip(*charts, strict=True))) or (0,) * points
