"""One call of a model counts once, however many tell it. Knows who hangs below whom in a trace;
knows no dialect.

An application's library tells a call, a framework around the library tells it again, and the
gateway that served it tells it a third time. The innermost counts: where the gateway took part that
is the gateway, which knows what was used and what it cost. A call of a model above another, with
nothing but plain spans between them (an HTTP client's, say), stays in sight and counts nothing. An
agent or a tool in between makes them two calls. Where the call above takes part in experiments and
the one that counts does not say so, it takes part in its place; where an application's root takes
part in the same, the call is a part of it (`within`). Spans come in any order, so each batch is
looked at together with what its traces hold already.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from stockpot.traces.store import NewSpan
from stockpot.traces.store.rollups import BENEATH, CALLS
from stockpot.traces.store.sqlite import Connection
from stockpot.traces.store.within import Place, exposures_in, marked

Change = tuple[NewSpan, NewSpan]
"""A row as it is, and as it shall be."""

_PLAIN = "span"
_REACH = 8
"""How many plain spans may lie between two calls at most."""

_COLUMNS = ", ".join(NewSpan.__struct_fields__)
_TRACE = """
SELECT id, span_id, parent_id, kind, source, cost_source, exposures, is_root, status, cost_nano,
  at_ns
FROM spans INDEXED BY spans_identity
WHERE trace_id = ? AND project = ? ORDER BY id LIMIT 20000"""


class _Node(NamedTuple):
    """What it takes to climb: `number` is 0 and `new` is there for what is not in the table."""

    number: int
    span_id: bytes
    parent_id: bytes
    kind: str
    source: str
    cost_source: str
    exposures: str
    is_root: bool
    status: str
    cost_nano: int | None
    at_ns: int
    new: NewSpan | None = None


def settle(connection: Connection, spans: Iterable[NewSpan]) -> list[Change]:
    """Let calls among these spans count nothing where another below tells them, and calls of a unit
    be part of the work that was done for it; gives the rows that change because of these spans.
    Runs inside their transaction, before them."""
    traces: dict[tuple[bytes, str], list[NewSpan]] = {}
    for span in spans:
        if span.parent_id or span.source != "gateway":
            traces.setdefault((span.trace_id, span.project), []).append(span)
    nothing: set[int] = set()
    exposed: dict[int, str] = {}
    for trace, new in traces.items():
        if any(span.kind in CALLS or span.exposures or _may_be_between(span) for span in new):
            nodes = _nodes(connection, trace, new)
            kept = {node.number: node.exposures for node in nodes.values() if node.number}
            nothing |= _settle_trace(nodes, new)
            now = _exposures(nodes)
            exposed |= {row: now[row] for row, told in kept.items() if now.get(row, "") != told}
    rows = _rows(connection, sorted(nothing | exposed.keys()))
    return [(row, _changed(row, row.id in nothing, exposed.get(row.id, ""))) for row in rows]


def _nodes(
    connection: Connection, trace: tuple[bytes, str], new: Sequence[NewSpan]
) -> dict[bytes, _Node]:
    """What a trace holds, with what comes to it."""
    nodes = {row[1]: _Node(*row) for row in connection.execute(_TRACE, trace)}
    for s in new:
        nodes[s.span_id] = _Node(
            0, s.span_id, s.parent_id, s.kind, s.source, s.cost_source, s.exposures, s.is_root,
            s.status, s.cost_nano, s.at_ns, s,
        )  # fmt: skip
    return nodes


def _settle_trace(nodes: dict[bytes, _Node], new: Sequence[NewSpan]) -> set[int]:
    """Numbers of calls that count nothing from now on. What is new is changed at once, and each
    call takes over the experiments of the one above that tells it too."""
    # What was there may lie below what comes only now.
    all_of_it = any(map(_may_be_between, new))
    below = [node for node in nodes.values() if all_of_it or node.new is not None]
    met: dict[bytes, tuple[_Node, _Node]] = {}
    for node in below:
        if node.kind in CALLS and (above := _call_above(node, nodes)) is not None:
            met[above.span_id] = (above, node)
    for above, node in met.values():
        if above.new is not None:
            count_nothing(above.new)
        nodes[above.span_id] = nodes[above.span_id]._replace(cost_source=BENEATH)
        if above.exposures and not node.exposures:
            nodes[node.span_id] = nodes[node.span_id]._replace(exposures=above.exposures)
            if node.new is not None:
                _expose(node.new, above.exposures)
    return {above.number for above, _ in met.values() if above.number}


def _exposures(nodes: dict[bytes, _Node]) -> dict[int, str]:
    """In which experiments the rows of a trace take part. What is new is changed at once."""
    if not any(node.exposures for node in nodes.values()):
        return {}
    places = {
        ident: Place(*(getattr(node, name) for name in Place._fields))
        for ident, node in nodes.items()
    }
    now = marked(places)
    for ident, exposures in now.items():
        if (new := nodes[ident].new) is not None:
            _expose(new, exposures)
    return {
        node.number: now.get(ident, node.exposures) for ident, node in nodes.items() if node.number
    }


def _may_be_between(span: NewSpan) -> bool:
    return span.source != "gateway" and (span.kind in CALLS or span.kind == _PLAIN)


def _call_above(node: _Node, nodes: dict[bytes, _Node]) -> _Node | None:
    """The call that somebody else tells of the same call, if it counts still. One that is new was
    perhaps changed by an attempt that met a double and was rolled back with all that followed."""
    for _ in range(_REACH):
        above = nodes.get(node.parent_id) if node.parent_id else None
        if above is None:
            return None
        if above.kind in CALLS:
            counts = above.new is not None or above.cost_source != BENEATH
            return above if above.source != "gateway" and counts else None
        if above.kind != _PLAIN:
            return None
        node = above
    return None


def _rows(connection: Connection, numbers: Sequence[int]) -> Iterable[NewSpan]:
    for begin in range(0, len(numbers), 900):
        some = ",".join(map(str, numbers[begin : begin + 900]))
        sql = f"SELECT {_COLUMNS} FROM spans WHERE id IN ({some})"
        yield from [NewSpan(*row) for row in connection.execute(sql)]


def _changed(row: NewSpan, nothing: bool, exposures: str) -> NewSpan:
    now = msgspec.structs.replace(row)
    if nothing:
        count_nothing(now)
    if exposures:
        _expose(now, exposures)
    return now


def _expose(made: NewSpan, exposures: str) -> None:
    made.exposures = exposures
    made.experiment, made.variant, _ = exposures_in(exposures)[0][:3]


def count_nothing(made: NewSpan) -> None:
    """A call that a span below tells better: it stays in sight and out of every sum."""
    made.input_tokens = made.output_tokens = made.reasoning_tokens = 0
    made.cache_read_tokens = made.cache_write_tokens = made.saved_nano = 0
    made.cost_nano, made.cost_source, made.usage_source = 0, BENEATH, "none"
    made.cost_detail = made.unit_prices = made.usage_detail = ""
    made.price_id = made.price_source = ""
