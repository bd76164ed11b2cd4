"""Reading rows of `spans`: which, by which index, and as what. Knows the narrow table only."""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from stockpot.core.errors import InvalidInput
from stockpot.gateway import STAGES
from stockpot.prices import BUCKETS, DETAIL, Usage, quantities
from stockpot.traces.models import BillLine, Sight, Span, Tokens, TraceFilter
from stockpot.traces.store import PAYLOAD_STATES
from stockpot.traces.store.sqlite import Connection
from stockpot.traces.store.within import exposures_in

COLUMNS = (
    "id", "trace_id", "span_id", "parent_id", "is_root", "project", "environment", "name", "kind",
    "status", "status_code", "error", "error_message", "start_ns", "duration_ns", "received_ns",
    "key_id", "endpoint", "provider", "target", "route", "model", "served_model", "stream",
    "attempt", "ttft_ns", "tpot_ns", "input_tokens", "output_tokens", "cache_read_tokens",
    "cache_write_tokens", "reasoning_tokens", "usage_source", "cost_nano", "cost_detail",
    "price_id", "finish_reason", "user", "session", "tags", "stages", "params", "payload",
    "input_preview", "output_preview", "source", "revision", "provenance", "usage_detail",
    "service_tier", "unit_prices", "price_source", "saved_nano", "cache",
    "degraded", "route_reason", "dialect", "service", "release", "trace_name", "prompt_name",
    "prompt_version", "prompt_label", "experiment", "variant", "dataset_run", "dataset_item",
    "agent", "tool", "tools", "sample_weight", "exposures",
)  # fmt: skip

_ABOUT = COLUMNS[COLUMNS.index("service") : COLUMNS.index("tools")]
"""Columns that a Span tells as they are."""

SELECTED = ", ".join(f"s.{name}" for name in COLUMNS)
_json = msgspec.json.Decoder().decode

_EQUAL = {
    "project": "project", "environment": "environment", "model": "model", "provider": "provider",
    "key_id": "key_id", "status": "status", "error": "error", "kind": "kind", "user": "user",
    "session": "session", "requested_model": "route", "prompt_name": "prompt_name",
    "prompt_version": "prompt_version", "service": "service", "release": "release", "tool": "tool",
    "agent": "agent", "dataset_run": "dataset_run",
}  # fmt: skip
"""Filters that compare one column."""

_INDEXES = (
    ("trace_prefix", "spans_identity", ""),
    ("status", "roots_not_ok", "{0}.status <> 'ok'"),
    ("failed", "roots_not_ok", ""),
    ("key_id", "roots_by_key", ""),
    ("project", "roots_by_project", ""),
)
"""Filter, the index that serves it, and the words that a partial index wants to see; the most
selective first. The planner has no statistics, so the choice is made here."""

_INDEXES_INSIDE = (
    ("trace_prefix", "spans_identity", ""),
    *((name, f"spans_by_{name}", f"{{0}}.{name} <> ''")
      for name in ("session", "user", "dataset_run", "prompt_name", "tool", "agent")),
    ("experiment", "spans_exposed", "{0}.exposures <> ''"),
    ("model", "spans_by_model", ""),
)  # fmt: skip
"""The same where any span of a trace may match."""


def span_of(row: Sequence[Any]) -> Span:
    """A Span out of `COLUMNS`."""
    (
        _, trace_id, span_id, parent_id, is_root, project, environment, name, kind, status, code,
        error, message, start, duration, received, key_id, endpoint, provider, target, route, model,
        served, stream, attempt, ttft, tpot, input_, output, cache_read, cache_write, reasoning,
        usage_source, cost, cost_detail, price_id, finish, user, session, tags, stages, params,
        payload, input_preview, output_preview, source, revision, provenance, usage_detail,
        tier, unit_prices, price_source, saved, cache, degraded, reason, dialect, *about, tools,
        weight, exposures,
    ) = row  # fmt: skip
    usage: dict[str, Any] = {
        "input": input_, "output": output, "cache_read": cache_read, "cache_write": cache_write,
        "reasoning": reasoning, **_named(DETAIL, usage_detail),
    }  # fmt: skip
    return Span(
        trace_id=trace_id.hex(), span_id=span_id.hex(), parent_id=parent_id.hex() or None,
        is_root=is_root, project=project, environment=environment, name=name, kind=kind,
        status=status, status_code=code, error=error, error_message=message,
        start_ms=_ms(start), duration_ms=_ms(duration), received_ms=_ms(received), key_id=key_id,
        endpoint=endpoint, provider=provider, target=target, requested_model=route, model=model,
        served_model=served, stream=stream, attempt=attempt,
        ttft_ms=None if ttft is None else _ms(ttft), tpot_ms=None if tpot is None else _ms(tpot),
        tokens=Tokens(**usage, source=usage_source), service_tier=tier,
        cost_nano=cost, cost_detail=_named(BUCKETS, cost_detail), price_id=price_id,
        bill=_bill(usage, cost_detail, unit_prices), price_source=price_source, saved_nano=saved,
        cache=cache, degraded=_json(degraded) if degraded else (), route_reason=reason,
        finish_reason=finish, user=user, session=session, tags=_json(tags) if tags else (),
        stages_ms={n: _ms(ns) for n, ns in _named(STAGES, stages).items()},
        params=_json(params) if params else {}, payload=PAYLOAD_STATES[payload],
        input_preview=input_preview, output_preview=output_preview, source=source,
        revision=revision, provenance=provenance.hex(), dialect=dialect,
        **dict(zip(_ABOUT, about, strict=True)), tools=_json(tools) if tools else (),
        sample_weight=1.0 if weight is None else weight,
        exposures=_told(exposures),
    )  # fmt: skip


def _told(exposures: str) -> tuple[tuple[str, str, str], ...]:
    return tuple((name, arm, unit) for name, arm, unit, *_ in exposures_in(exposures))


def _ms(ns: int) -> float:
    """Whole microseconds, rounded down, so that a time shown is a time that a filter finds."""
    return ns // 1000 / 1000


def _ns(ms: float) -> int:
    return round(ms * 1000) * 1000


def _named(names: Sequence[str], values: str) -> dict[str, int]:
    return dict(zip(names, _json(values), strict=False)) if values else {}


def _bill(usage: dict[str, Any], parts: str, units: str) -> tuple[BillLine, ...]:
    if not units:
        return ()
    lines = zip(BUCKETS, quantities(Usage(**usage)), _json(units), _json(parts), strict=False)
    return tuple(
        BillLine(bucket=bucket, quantity=quantity, unit_pico=unit, nano=nano)
        for bucket, quantity, unit, nano in lines
        if quantity and (unit or nano)
    )


def conditions(where: TraceFilter, alias: str = "s") -> tuple[str, list[Any]]:
    """A filter as SQL over one alias of `spans`, without its full text; begins with ' AND'."""
    terms: list[str] = []
    values: list[Any] = []

    def hold(term: str, *given: Any) -> None:
        terms.append(f" AND {term}")
        values.extend(given)

    for name, column in _EQUAL.items():
        if (value := getattr(where, name)) is not None:
            hold(f"{alias}.{column} = ?", value)
    if where.sight is not None:
        term, seen = within(where.sight, f"{alias}.")
        hold(term, *seen)
    if where.failed is not None:
        hold(f"{alias}.status {'<>' if where.failed else '='} 'ok'")
    if where.unpriced is not None:
        hold(f"{alias}.cost_nano IS {'NULL' if where.unpriced else 'NOT NULL'}")
    if where.tag is not None:
        hold(f"{alias}.tags <> ''")
        hold(f"EXISTS (SELECT 1 FROM json_each({alias}.tags) t WHERE t.value = ?)", where.tag)
    exposed = {"0": where.experiment, "1": where.variant, "2": where.unit}
    if told := {place: name for place, name in exposed.items() if name is not None}:
        hold(f"{alias}.exposures <> ''")
        same = " AND ".join(f"e.value ->> {place} = ?" for place in told)
        hold(f"EXISTS (SELECT 1 FROM json_each({alias}.exposures) e WHERE {same})", *told.values())
    if where.from_ms is not None:
        hold(f"{alias}.at_ns >= ?", _ns(where.from_ms))
    if where.to_ms is not None:
        hold(f"{alias}.at_ns < ?", _ns(where.to_ms))
    if where.min_cost_nano is not None:
        hold(f"{alias}.cost_nano >= ?", where.min_cost_nano)
    if where.min_duration_ms is not None:
        hold(f"{alias}.duration_ns >= ?", _ns(where.min_duration_ms))
    if where.trace_prefix:
        hold(f"{alias}.trace_id BETWEEN ? AND ?", *_range(where.trace_prefix))
    return "".join(terms), values


def within(
    sight: Sight, prefix: str, columns: Sequence[str] = ("project", "key_id")
) -> tuple[str, list[str]]:
    """What somebody may see, as a condition over the columns `project` and `key_id`."""
    terms, values = ["0"], []
    for column, known in (("project", sight.projects), ("key_id", sight.keys)):
        if known and column in columns:
            terms.append(f"{prefix}{column} IN ({', '.join('?' * len(known))})")
            values += sorted(known)
    return f"({' OR '.join(terms)})", values


def _range(prefix: str) -> tuple[bytes, bytes]:
    """The lowest and the highest trace id that begin with some hex digits."""
    try:
        low, high = f"{prefix[:32]:0<32}", f"{prefix[:32]:f<32}"
        return bytes.fromhex(low), bytes.fromhex(high)
    except ValueError:
        raise InvalidInput(
            f"{prefix!r} is not the beginning of a trace id: those are hex digits",
            hint="stockpot traces list",
        ) from None


def index_for(where: TraceFilter) -> tuple[str, str]:
    """`INDEXED BY` for spans that match, and the condition that the index needs."""
    for name, index, needed in _INDEXES_INSIDE if where.inside else _INDEXES:
        value = getattr(where, name)
        if value is None or value is False or value == "" or (name, value) == ("status", "ok"):
            continue
        return f"INDEXED BY {index}", f" AND {needed.format('s')}" if needed else ""
    return "NOT INDEXED", ""


def span_of_time(connection: Connection, where: TraceFilter) -> tuple[int, int] | None:
    """The lowest and highest number of spans in the filter's time window; None when it is empty."""
    if where.from_ms is None and where.to_ms is None:
        return 0, (1 << 62)
    first = 0 if where.from_ms is None else int(where.from_ms // 60_000)
    last = (1 << 40) if where.to_ms is None else int(where.to_ms // 60_000)
    low, high = connection.execute(
        "SELECT min(first_id), max(last_id) FROM minutes WHERE minute BETWEEN ? AND ?",
        (first, last),
    ).fetchone()
    return None if low is None else (low, high)
