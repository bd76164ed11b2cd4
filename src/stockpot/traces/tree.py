"""The tree of a trace, however large: rows in the order they are read, with what hangs below each.

Knows spans' ids, times and figures; knows no store. Foreign instrumentations send orphans and
cycles: an orphan stands at the top, and a cycle is cut where it is met. Failed attempts of one of
the gateway's calls, which the log hangs below the last, stand before it at its depth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import Field

from stockpot.traces.models import Frozen, Span


class Light(NamedTuple):
    """What the tree needs of a span."""

    number: int
    span_id: bytes
    parent_id: bytes
    start_ns: int
    end_ns: int
    failed: bool
    attempt: int
    below_call: bool
    """A failed attempt of one of the gateway's calls."""
    cost_nano: int | None
    tokens: int
    project: str
    key_id: str


class Below(NamedTuple):
    """A span's place, and the sums of it and all that hangs below it."""

    number: int
    depth: int
    children: int
    spans: int
    errors: int
    cost_nano: int | None
    tokens: int
    start_ns: int
    end_ns: int


class TreeRow(Frozen):
    """A span and the sums over it and all below it. `at` is its place among all rows: the next
    `spans - 1` rows are those below it. `end_ms` is when the last of them ended."""

    at: int
    depth: int
    children: int
    spans: int
    errors: int
    cost_nano: int | None
    tokens: int
    start_ms: float
    end_ms: float
    span: Span


class TreePage(Frozen):
    """Rows of a trace, parents before their children, both by start; from `at` of the first on.
    `total` rows there are, of the whole trace or of one span's subtree."""

    trace_id: str
    total: int
    errors: int
    cost_nano: int | None
    tokens: int
    start_ms: float
    end_ms: float
    rows: tuple[TreeRow, ...]
    next_cursor: str | None = Field(None, description="Where the next page begins.")


def grow(spans: Sequence[Light]) -> list[Below]:
    """All spans of a trace in the order of a waterfall."""
    places = {span.span_id: index for index, span in enumerate(spans)}
    parents = [_parent(span, places, spans) for span in spans]
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(parents):
        children.setdefault(parent, []).append(index)
    for below in children.values():
        below.sort(key=lambda i: (spans[i].start_ns, spans[i].attempt, spans[i].number))
    order, depths, up = _walk(len(spans), children)
    return _summed(spans, order, depths, up)


def _parent(span: Light, places: dict[bytes, int], spans: Sequence[Light]) -> int:
    """The place of a span's parent, -1 for none."""
    parent = places.get(span.parent_id, -1)
    if parent >= 0 and spans[parent].span_id == span.span_id:
        return -1
    if parent >= 0 and span.below_call:  # beside the call that it was an attempt of
        return places.get(spans[parent].parent_id, -1)
    return parent


def _walk(
    count: int, children: dict[int, list[int]]
) -> tuple[list[int], dict[int, int], dict[int, int]]:
    """Places in reading order, their depths, and the parent that each was reached from."""
    order: list[int] = []
    depths: dict[int, int] = {}
    up: dict[int, int] = {}
    starts = [*children.get(-1, ()), *range(count)]  # what is in a cycle has no top above it
    for start in starts:
        stack = [(start, 0, -1)]
        while stack:
            index, depth, above = stack.pop()
            if index in depths:
                continue
            order.append(index)
            depths[index], up[index] = depth, above
            stack += [(i, depth + 1, index) for i in reversed(children.get(index, ()))]
    return order, depths, up


def _summed(
    spans: Sequence[Light], order: list[int], depths: dict[int, int], up: dict[int, int]
) -> list[Below]:
    """Sums from the leaves up: what is read later hangs below what is read earlier."""
    sums: dict[int, list[int | None]] = {}
    for index in reversed(order):
        span = spans[index]
        own: list[int | None] = sums.setdefault(index, [0, 0, 0, None, 0, 1 << 62, 0])
        mine = (0, 1, int(span.failed), span.cost_nano, span.tokens, span.start_ns, span.end_ns)
        _add(own, mine)
        if (above := up[index]) >= 0:
            total = sums.setdefault(above, [0, 0, 0, None, 0, 1 << 62, 0])
            _add(total, (1, *own[1:]))
    told = []
    for index in order:
        children, below, errors, cost, tokens, start, end = sums[index]
        told.append(Below(
            spans[index].number, depths[index], children or 0, below or 0, errors or 0, cost,
            tokens or 0, start or 0, end or 0,
        ))  # fmt: skip
    return told


def _add(sums: list[int | None], more: Sequence[int | None]) -> None:
    for place in (0, 1, 2, 4):
        sums[place] = (sums[place] or 0) + (more[place] or 0)
    if more[3] is not None:
        sums[3] = (sums[3] or 0) + more[3]
    sums[5] = min(sums[5] or 0, more[5] or 0)
    sums[6] = max(sums[6] or 0, more[6] or 0)


def tree_page(
    trace_id: str,
    rows: Sequence[Below],
    window: tuple[int, int, int],
    shown: Sequence[Below],
    spans: Mapping[int, Span],
) -> TreePage:
    """A page of rows, `window` being the first of what was asked for, the page's first and the end
    of what was asked for."""
    first, begin, last = window
    known = [row.cost_nano for row in rows if row.depth == 0 and row.cost_nano is not None]
    tops = [row for row in rows if row.depth == 0]
    after = begin + len(shown)
    return TreePage(
        trace_id=trace_id, total=last - first, errors=sum(row.errors for row in tops),
        cost_nano=sum(known) if known else None, tokens=sum(row.tokens for row in tops),
        start_ms=_ms(min(row.start_ns for row in tops)),
        end_ms=_ms(max(row.end_ns for row in tops)),
        rows=tuple(
            TreeRow(
                at=at, depth=row.depth, children=row.children, spans=row.spans, errors=row.errors,
                cost_nano=row.cost_nano, tokens=row.tokens, start_ms=_ms(row.start_ns),
                end_ms=_ms(row.end_ns), span=spans[row.number],
            )
            for at, row in enumerate(shown, begin - first)
            if row.number in spans
        ),
        next_cursor=str(after - first) if after < last else None,
    )  # fmt: skip


def _ms(ns: int) -> float:
    return ns // 1000 / 1000
