"""From a span's attributes to the fields of `fields.FIELDS`. Knows the tables; knows no dialect's
habits, which stand in its own file.

Senders mix dialects: pydantic-ai writes OpenTelemetry's names beside logfire's, Vercel's beside its
own. So all tables are one look-up, and where two tell the same field the dialect that stands first
is believed.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

from stockpot.traces.dialects.fields import NOTHING_SAID, Dialect, Found, Said, as_int, as_text
from stockpot.traces.dialects.gen_ai import GEN_AI
from stockpot.traces.dialects.langfuse import LANGFUSE
from stockpot.traces.dialects.logfire import LOGFIRE, PENDING
from stockpot.traces.dialects.mlflow import MLFLOW
from stockpot.traces.dialects.openinference import OPENINFERENCE
from stockpot.traces.dialects.openllmetry import OPENLLMETRY
from stockpot.traces.dialects.stockpot import STOCKPOT
from stockpot.traces.dialects.vercel import VERCEL
from stockpot.traces.otlp.incoming import Incoming

ORDER: tuple[Dialect, ...] = (
    STOCKPOT, LANGFUSE, VERCEL, OPENINFERENCE, OPENLLMETRY, MLFLOW, LOGFIRE, GEN_AI,
)  # fmt: skip

MODEL_KINDS = frozenset({"llm", "embedding", "reranker"})
"""Kinds of spans that are a call of a model: tokens and cost count on these alone, since what is
around them repeats their sums."""


class Place(NamedTuple):
    """What an attribute tells: by which dialect, which field, and what kind its values mean."""

    rank: int
    field: str
    kinds: Any


class Normal(NamedTuple):
    """A span in the one vocabulary. `dialect` is its origin, '' where no dialect is recognised."""

    dialect: str
    kind: str
    found: Found
    params: dict[str, Any]
    said: Said
    pending: bool


def _tables() -> dict[str, Place]:
    places: dict[str, Place] = {}
    for rank, dialect in enumerate(ORDER):
        for name in (*dialect.fields, *dialect.kinds):
            if name not in places:
                field = dialect.fields.get(name, "")
                places[name] = Place(rank, field, dialect.kinds.get(name))
    return places


_PLACES = _tables()
_MARKS = tuple((mark, rank) for rank, dialect in enumerate(ORDER) for mark in dialect.marks)
_NOBODY = len(ORDER)
_ODD = (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError)
"""What reading a value raises that no sender should write: the span is kept without it."""

_ranks: dict[str, int] = {}
"""Of attributes that were met: the dialect whose mark they bear."""


def normalise(span: Incoming) -> Normal:
    """What a span tells, whoever tells it."""
    spoken = 0
    found: Found = {}
    params: dict[str, Any] = {}
    ranked: dict[str, int] = {}
    kinds: list[tuple[int, str]] = []
    for name, value in span.attributes.items():
        rank = _ranks.get(name)
        if rank is None:
            rank = _mark(name)
        spoken |= rank
        place = _PLACES.get(name)
        if place is None or value is None or value == "":
            continue
        if place.kinds is not None and isinstance(value, str) and value in place.kinds:
            kinds.append((place.rank, place.kinds[value]))
        field = place.field
        if field[:6] == "param:":
            params.setdefault(field[6:], value)
        elif field and place.rank < ranked.get(field, _NOBODY):
            ranked[field] = place.rank
            found[field] = value
    speakers = [dialect for rank, dialect in enumerate(ORDER) if spoken >> rank & 1]
    for dialect in speakers:
        if dialect.mend is not None:
            with contextlib.suppress(*_ODD):
                dialect.mend(span, found)
    return _completed(span, speakers, kinds, found, params)


def _mark(name: str) -> int:
    """The dialect whose mark an attribute bears, as a bit."""
    rank = next((1 << rank for mark, rank in _MARKS if name.startswith(mark)), 0)
    if len(_ranks) < 8192:
        _ranks[name] = rank
    return rank


def _completed(
    span: Incoming,
    speakers: list[Dialect],
    kinds: list[tuple[int, str]],
    found: Found,
    params: dict[str, Any],
) -> Normal:
    """What was said, and the kind where none is told."""
    given = found.pop("params", None)
    if isinstance(given, dict):
        params = {**given, **params}
    told = [kind for _, kind in sorted(kinds)]
    name = speakers[0].name if speakers else ""
    return Normal(
        dialect=_generation(span) if name == "gen_ai" else name,
        kind=next((kind for kind in told if kind != "span"), "") or _kind(span, found, told),
        found=found,
        params=params,
        said=_said(span, speakers),
        pending=span.attributes.get(PENDING) == "pending_span",
    )


def _said(span: Incoming, speakers: list[Dialect]) -> Said:
    """What the first dialect that says anything says; events are OpenTelemetry's."""
    for dialect in speakers:
        said = NOTHING_SAID
        if dialect.said is not None:
            with contextlib.suppress(*_ODD):
                said = dialect.said(span)
        if said.input is not None or said.output is not None:
            return said
    if span.events and GEN_AI not in speakers and GEN_AI.said is not None:
        with contextlib.suppress(*_ODD):
            return GEN_AI.said(span)
    return NOTHING_SAID


def _kind(span: Incoming, found: Found, told: list[str]) -> str:
    """The kind of a span that names no operation."""
    if told:
        return told[0]
    if "tool" in found:
        return "tool"
    model = "request_model" in found or "response_model" in found
    if model and (as_int(found.get("input_tokens")) or as_int(found.get("output_tokens"))):
        return "agent" if "agent" in found else "llm"
    if "agent" in found and "agent" in as_text(span.name):
        return "agent"
    return "span"


def _generation(span: Incoming) -> str:
    """Which of OpenTelemetry's three generations tells this."""
    found = span.attributes
    if "gen_ai.usage.cache_write.input_tokens" in found or "gen_ai.retrieval.top_k" in found:
        return "gen_ai_3"
    if "gen_ai.provider.name" in found or "gen_ai.input.messages" in found:
        return "gen_ai_2"
    return "gen_ai_1"
