"""What a span said, for whoever scores or compares it. Knows the span log; judges nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from stockpot.evals.watching.models import Cut
from stockpot.traces import Span, SpanLog, TraceFilter, output_text

_PAGE = 500
_MOST_READ = 50_000
_LONGEST = 4000
_INPUT = ("messages", "contents", "prompt", "input", "prompt_variables")


class Said(NamedTuple):
    """The request and the answer of a span."""

    input: Any
    output: str


def said(log: SpanLog, span: Span) -> Said | None:
    """None where the payload was not kept."""
    if span.payload not in ("full", "masked"):
        return None
    body = log.payload(span.trace_id, span.span_id, span.project)
    if body.request is None and body.response is None:
        return None
    return Said(_input(body.request), output_text(body.response))


def last_text(given: Any) -> str:
    """The text of an input: the last message's, or all of it."""
    if isinstance(given, dict) and isinstance(given.get("messages"), list) and given["messages"]:
        content = given["messages"][-1].get("content")
        if isinstance(content, list):
            parts = [p.get("text", "") for p in content if isinstance(p, dict)]
            content = " ".join(part for part in parts if isinstance(part, str))
        return str(content or "")[:_LONGEST]
    if isinstance(given, dict) and len(given) == 1:
        return last_text(next(iter(given.values())))
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return text[:_LONGEST]


def counts(span: Span, cut: Cut, own_keys: frozenset[str]) -> bool:
    """Whether a span is of production: none of the instance's own calls, and a whole call unless a
    kind was asked for."""
    return span.key_id not in own_keys and (cut.kind is not None or span.is_root)


def sample(
    log: SpanLog, where: TraceFilter, cut: Cut, own_keys: frozenset[str], most: int, seed: int
) -> list[Span]:
    """At most so many spans of a window, at random: those whose ids' hashes are the least."""
    found: list[tuple[bytes, Span]] = []
    position, read = 0, 0
    while read < _MOST_READ:
        page = log.arrived(where, position, _PAGE)
        found += [(_lot(span, seed), span) for _, span in page if counts(span, cut, own_keys)]
        found = sorted(found, key=lambda one: one[0])[:most]
        read += len(page)
        if len(page) < _PAGE:
            break
        position = page[-1][0]
    return [span for _, span in found]


def texts_of(log: SpanLog, spans: Sequence[Span], side: str) -> list[str]:
    """What went in or came out of spans, of those whose payload was kept."""
    told = [one for span in spans if (one := said(log, span)) is not None]
    found = [last_text(one.input) if side == "input" else one.output[:_LONGEST] for one in told]
    return [text for text in found if text.strip()]


def _lot(span: Span, seed: int) -> bytes:
    return blake2b(f"{seed}{span.trace_id}{span.span_id}".encode(), digest_size=8).digest()


def _input(request: str | None) -> Any:
    if not request:
        return None
    try:
        body = json.loads(request)
    except (ValueError, RecursionError):
        return request
    if not isinstance(body, dict):
        return body
    found = {name: body[name] for name in _INPUT if body.get(name) is not None}
    return found or body
