"""Reading a trace's tree and the set-ups of a window. Knows the narrow table only."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, log
from typing import Any

import msgspec

from stockpot.traces.models import Span, TraceFilter
from stockpot.traces.provenance import Slice
from stockpot.traces.sketch import ACCURACY
from stockpot.traces.store.rows import SELECTED, conditions, span_of, span_of_time
from stockpot.traces.store.sqlite import Connection
from stockpot.traces.tree import Light

# What the tree of a trace needs of its spans.
_LIGHT = """
SELECT id, span_id, parent_id, start_ns, start_ns + duration_ns, status <> 'ok', attempt,
  source = 'gateway' AND NOT is_root, cost_nano, input_tokens + output_tokens, project, key_id
FROM spans INDEXED BY spans_identity WHERE trace_id = ?{in_project} ORDER BY id"""

_NUMBERED = "SELECT {columns} FROM spans s WHERE s.id IN ({numbers})"

# Set-ups of a window's calls of models; each span stands for `sample_weight` of its like.
_SETUPS = """
SELECT CASE s.prompt_name WHEN '' THEN '' ELSE s.prompt_name || '@' || s.prompt_version END,
  s.model, s.served_model, s.provider, s.params, s.tools, s.release, s.service,
  sum(w), sum(w * (s.status <> 'ok')), sum(w * coalesce(s.cost_nano, 0)),
  sum(w * (s.cost_nano IS NULL)), sum(w * s.input_tokens), sum(w * s.output_tokens),
  bins(s.duration_ns, w)
FROM (SELECT *, coalesce(sample_weight, 1.0) AS w FROM spans NOT INDEXED
      WHERE id > ? AND id < ? AND kind IN ('llm', 'embedding', 'reranker') AND model <> '') s
WHERE 1{matches} GROUP BY 1, 2, 3, 4, 5, 6, 7, 8"""

_PER_E = 1 / log((1 + ACCURACY) / (1 - ACCURACY))


class _Bins:
    """A sketch's bins as an aggregate of SQLite, with weights."""

    def __init__(self) -> None:
        self._bins: dict[int, float] = {}

    def step(self, value: int, weight: float) -> None:
        bucket = ceil(log(value) * _PER_E) if value > 1 else 0
        self._bins[bucket] = self._bins.get(bucket, 0.0) + weight

    def finalize(self) -> bytes:
        return msgspec.msgpack.encode(self._bins)


def light(connection: Connection, trace_id: bytes, project: str | None) -> list[Light]:
    """The skeleton of a trace."""
    in_project = "" if project is None else " AND project = ?"
    values = (trace_id,) if project is None else (trace_id, project)
    rows = connection.execute(_LIGHT.format(in_project=in_project), values)
    return [Light(*row) for row in rows]


def numbered(connection: Connection, numbers: Sequence[int]) -> dict[int, Span]:
    """Spans by their numbers."""
    sql = _NUMBERED.format(columns=SELECTED, numbers=",".join(map(str, numbers)))
    return {row[0]: span_of(row) for row in connection.execute(sql)}


def setups(connection: Connection, where: TraceFilter) -> list[Slice]:
    """What each set-up did in the filter's window."""
    window = span_of_time(connection, where)
    if window is None:
        return []
    connection.create_aggregate("bins", 2, _Bins)  # type: ignore[arg-type]
    matches, values = conditions(where)
    sql = _SETUPS.format(matches=matches)
    rows = connection.execute(sql, (window[0] - 1, window[1] + 1, *values))
    return [_slice(row) for row in rows]


def _slice(row: Sequence[Any]) -> Slice:
    bins = msgspec.msgpack.decode(row[14], type=dict[int, float])
    calls, errors, cost, unpriced, given, got = (float(value or 0) for value in row[8:14])
    return Slice(tuple(map(str, row[:8])), calls, errors, cost, unpriced, given, got, bins)
