"""Sessions, users and tags: what belongs to each, summed as spans come in. Knows spans' figures;
knows no payload.

A name belongs to a whole trace although often one of its spans alone carries it, and that one may
come last. So what came before is counted when a name is first met in a trace, and what comes after
is counted for the names that the trace has. Spans without a name, of a trace that the gateway alone
writes, cost nothing here.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from stockpot.traces.models import (
    Sight,
    Subject,
    SubjectFilter,
    SubjectKind,
    SubjectOrder,
    SubjectPage,
)
from stockpot.traces.store import NewSpan
from stockpot.traces.store.rollups import CALL_IN_SQL, is_call
from stockpot.traces.store.rows import within
from stockpot.traces.store.sqlite import Connection

Name = tuple[str, str]
"""Kind and name."""

Trace = tuple[bytes, str, str]
"""Trace, project, environment."""

Key = tuple[str, str, str, str]
"""Kind, project, environment and name: what a row is found by."""

_json = msgspec.json.Decoder(list[str]).decode
_FIGURES = (
    "user, session, tags, at_ns, at_ns + duration_ns, status, source, kind, cost_source, is_root, "
    "input_tokens, output_tokens, cost_nano"
)
# What is known of a trace so far.
_EARLIER = f"""
SELECT {_FIGURES} FROM spans INDEXED BY spans_identity
WHERE trace_id = ? AND project = ? AND environment = ? ORDER BY id LIMIT 20000"""

_NAMED = "SELECT user, session, tags FROM spans WHERE trace_id = ? AND project = ?"

_COUNTED = (
    "spans", "traces", "calls", "errors", "input_tokens", "output_tokens", "cost_nano", "unpriced",
)  # fmt: skip
_ADD = f"""
INSERT INTO subjects (kind, project, environment, name, user, first_ns, last_ns,
  {", ".join(_COUNTED)})
VALUES (?, ?, ?, ?, ?, ?, ?{", ?" * len(_COUNTED)})
ON CONFLICT (kind, project, environment, name) DO UPDATE SET
  user = CASE excluded.user WHEN '' THEN user ELSE excluded.user END,
  first_ns = min(first_ns, excluded.first_ns), last_ns = max(last_ns, excluded.last_ns),
  {", ".join(f"{name} = {name} + excluded.{name}" for name in _COUNTED)}"""

_TRACES_OF = """
SELECT project, trace_id FROM spans INDEXED BY spans_by_session
WHERE session = ? AND session <> ''{matches}
GROUP BY project, trace_id ORDER BY max(id) DESC LIMIT ?"""
_EMPTY = """
DELETE FROM subjects WHERE kind = ? AND project = ? AND environment = ? AND name = ? AND spans <= 0
"""
_ORDERS = {
    "newest": "last_ns DESC", "cost": "cost_nano DESC", "traces": "traces DESC",
    "errors": "errors DESC",
}  # fmt: skip
_SHOWN = f"project, environment, name, user, first_ns, last_ns, {', '.join(_COUNTED)}"
_PAGE = f"""
SELECT {_SHOWN} FROM subjects {{indexed}} WHERE kind = ?{{matches}}
ORDER BY {{order}}, name LIMIT ? OFFSET ?"""

# The same of the calls of some keys, whose share of a subject is not kept.
_OF_KEYS = f"""
SELECT {_SHOWN} FROM (
  SELECT project, environment, {{name}} AS name, max(user) AS user, min(at_ns) AS first_ns,
    max(at_ns + duration_ns) AS last_ns, count(*) AS spans, count(DISTINCT trace_id) AS traces,
    sum({CALL_IN_SQL}) AS calls, sum(status <> 'ok') AS errors, sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens, coalesce(sum(cost_nano), 0) AS cost_nano,
    sum(cost_nano IS NULL AND {CALL_IN_SQL}) AS unpriced
  FROM {{table}} WHERE {{name}} <> '' AND {{seen}} GROUP BY 1, 2, 3)
WHERE ?{{matches}} ORDER BY {{order}}, name LIMIT ? OFFSET ?"""


class _Part:
    """What a batch adds to one name."""

    __slots__ = ("figures", "first", "last", "user")

    def __init__(self) -> None:
        self.user, self.first, self.last = "", 1 << 62, 0
        self.figures = [0] * len(_COUNTED)

    def take(self, row: Sequence[Any]) -> None:
        """Add a span: `_FIGURES` in their order."""
        user, _, _, at, end, status, *about, given, got, cost = row
        call = is_call(*about)
        self.user = user or self.user
        self.first, self.last = min(self.first, at), max(self.last, end)
        for place, amount in enumerate((
            1, 0, int(call), int(status != "ok"), given, got, cost or 0,
            int(cost is None and call),
        )):  # fmt: skip
            self.figures[place] += amount


def count(connection: Connection, spans: Iterable[NewSpan]) -> None:
    """Add a batch of spans that are not in the table yet. Runs inside their transaction."""
    traces: dict[Trace, list[NewSpan]] = {}
    for span in spans:
        # The attempts of one of the gateway's calls all carry its names.
        if span.user or span.session or span.tags or span.source != "gateway" or span.parent_id:
            traces.setdefault((span.trace_id, span.project, span.environment), []).append(span)
    parts: dict[Key, _Part] = {}
    for trace, batch in traces.items():
        _count_trace(connection, trace, [_figures(span) for span in batch], parts)
    connection.executemany(
        _ADD, [(*key, p.user, p.first, p.last, *p.figures) for key, p in parts.items()]
    )


def _count_trace(
    connection: Connection,
    trace: Trace,
    batch: list[Sequence[Any]],
    parts: dict[Key, _Part],
) -> None:
    earlier = connection.execute(_EARLIER, trace).fetchall()
    had = {name for row in earlier for name in _names(row)}
    new = {name for row in batch for name in _names(row)} - had
    for name in had | new:
        key = (name[0], trace[1], trace[2], name[1])
        part = parts.get(key)
        if part is None:
            part = parts[key] = _Part()
        part.figures[1] += name in new
        for row in (*earlier, *batch) if name in new else batch:
            part.take(row)


def held(connection: Connection, traces: Iterable[Trace]) -> dict[Key, _Part]:
    """What the spans of some traces add to each name, all that are in the table."""
    parts: dict[Key, _Part] = {}
    for trace in traces:
        rows = connection.execute(_EARLIER, trace).fetchall()
        for name in {name for row in rows for name in _names(row)}:
            part = parts.setdefault((name[0], trace[1], trace[2], name[1]), _Part())
            part.figures[1] += 1
            for row in rows:
                part.take(row)
    return parts


def correct(connection: Connection, before: dict[Key, _Part], now: dict[Key, _Part]) -> None:
    """Add what traces hold now to the sums, and take away what they held `before`. Runs inside the
    transaction that changes the spans."""
    nothing = _Part()
    rows = []
    for key in before.keys() | now.keys():
        part, old = now.get(key, nothing), before.get(key, nothing)
        more = [new - gone for new, gone in zip(part.figures, old.figures, strict=True)]
        if any(more):
            rows.append((*key, part.user, part.first, part.last, *more))
    connection.executemany(_ADD, rows)
    connection.executemany(_EMPTY, [key for key in before if key not in now])


def trace_names(
    connection: Connection, traces: Iterable[tuple[bytes, str]]
) -> set[tuple[str, str, str]]:
    """Kind, project and name of all sessions, users and tags of some traces."""
    return {
        (kind, project, name)
        for trace, project in traces
        for row in connection.execute(_NAMED, (trace, project))
        for kind, name in _names(row)
    }


def _figures(span: NewSpan) -> tuple[Any, ...]:
    return (
        span.user, span.session, span.tags, span.at_ns, span.at_ns + span.duration_ns, span.status,
        span.source, span.kind, span.cost_source, span.is_root, span.input_tokens,
        span.output_tokens, span.cost_nano,
    )  # fmt: skip


def _names(row: Sequence[Any]) -> list[Name]:
    user, session, tags = row[:3]
    named = [("user", user), ("session", session)]
    if tags:
        named += [("tag", tag) for tag in _json(tags)]
    return [name for name in named if name[1]]


def subjects(
    connection: Connection, kind: SubjectKind, where: SubjectFilter, offset: int, limit: int
) -> SubjectPage:
    """One page of sessions, users or tags."""
    terms, values = _conditions(where)
    sight = where.sight
    if sight is not None and sight.keys:
        sql, first = _over_spans(kind, terms, sight, where.order)
    else:
        if sight is not None:
            term, seen = within(sight, "", ("project",))
            terms, values = f"{terms} AND {term}", [*values, *seen]
        newest = where.order == "newest"
        index = "subjects_by_project" if where.project else "subjects_newest"
        indexed = f"INDEXED BY {index}" if newest else ""
        sql = _PAGE.format(indexed=indexed, matches=terms, order=_ORDERS[where.order])
        first = [kind]
    rows = connection.execute(sql, (*first, *values, limit + 1, offset)).fetchall()
    return SubjectPage(
        items=tuple(_subject(kind, row) for row in rows[:limit]),
        next_cursor=str(offset + limit) if len(rows) > limit else None,
    )


def traces_of_session(
    connection: Connection, session: str, project: str | None, sight: Sight | None, limit: int
) -> list[tuple[str, bytes]]:
    """Project and trace id of the newest traces that a session has."""
    terms, values = "", [session]
    if project is not None:
        terms += " AND project = ?"
        values.append(project)
    if sight is not None:
        term, seen = within(sight, "")
        terms += f" AND {term}"
        values += seen
    sql = _TRACES_OF.format(matches=terms)
    return connection.execute(sql, (*values, limit)).fetchall()


def _over_spans(
    kind: SubjectKind, terms: str, sight: Sight, order: SubjectOrder
) -> tuple[str, list[Any]]:
    seen, values = within(sight, "spans.")
    table, name = "spans", str(kind)
    if kind == "tag":
        table, name = "spans, json_each(CASE tags WHEN '' THEN '[]' ELSE tags END) t", "t.value"
    sql = _OF_KEYS.format(name=name, table=table, seen=seen, matches=terms, order=_ORDERS[order])
    return sql, [*values, 1]


def _conditions(where: SubjectFilter) -> tuple[str, list[Any]]:
    terms, values = "", []
    for column in ("project", "environment", "user", "name"):
        if (value := getattr(where, column)) is not None:
            terms += f" AND {column} = ?"
            values.append(value)
    if where.q:
        terms += " AND instr(lower(name), lower(?))"
        values.append(where.q)
    if where.from_ms is not None:
        terms += " AND last_ns >= ?"
        values.append(int(where.from_ms * 1e6))
    if where.to_ms is not None:
        terms += " AND first_ns < ?"
        values.append(int(where.to_ms * 1e6))
    return terms, values


def _subject(kind: SubjectKind, row: Sequence[Any]) -> Subject:
    project, environment, name, user, first, last, *figures = row
    return Subject(
        kind=kind, project=project, environment=environment, name=name,
        user=name if kind == "user" else user if kind == "session" else "",
        first_ms=first // 1000 / 1000, last_ms=last // 1000 / 1000,
        **dict(zip(_COUNTED, figures, strict=True)),
    )  # fmt: skip
