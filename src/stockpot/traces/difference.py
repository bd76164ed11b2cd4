"""Two traces side by side: which spans answer each other, and what is different in each pair.

Knows spans and what was said in them; knows no store. Spans are paired level by level: below a pair
the children are aligned by what they do (kind and name) in their order, the way lines of two texts
are (Hunt, McIlroy 1976, as `difflib` has it).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Any

from stockpot.traces.models import Frozen, Span

MOST = 2000
"""Spans of a trace that are compared."""


class Difference(Frozen):
    """One thing in which two spans differ; for a number, by how much."""

    what: str
    before: Any
    after: Any
    change: float | None = None


class PairRow(Frozen):
    """Two spans that answer each other, or one that has no counterpart."""

    depth: int
    before: Span | None
    after: Span | None
    differences: tuple[Difference, ...] = ()


class TraceDiff(Frozen):
    """Two traces aligned, in reading order; `totals` are the differences of their sums."""

    before: str
    after: str
    totals: tuple[Difference, ...]
    rows: tuple[PairRow, ...]
    same: int
    cut: bool = False


Texts = Callable[[Span], tuple[str, str]]
"""What was asked and answered in a span, as far as it was kept."""

_SAID = 4000
_TIMES = {"duration_ms", "ttft_ms"}
_PLAIN: tuple[tuple[str, Callable[[Span], Any]], ...] = (
    ("status", lambda s: s.error or s.status),
    ("prompt", lambda s: f"{s.prompt_name}@{s.prompt_version}" if s.prompt_name else ""),
    ("provider", lambda s: s.provider),
    ("model", lambda s: s.model),
    ("served model", lambda s: s.served_model),
    ("tools", lambda s: list(s.tools)),
    ("release", lambda s: s.release),
    ("finish reason", lambda s: s.finish_reason),
)
_NUMBERS: tuple[tuple[str, Callable[[Span], float | None]], ...] = (
    ("cost_nano", lambda s: s.cost_nano),
    ("input_tokens", lambda s: s.tokens.input),
    ("output_tokens", lambda s: s.tokens.output),
)


def compared(before: Sequence[Span], after: Sequence[Span], texts: Texts) -> TraceDiff:
    """Align two traces. Durations always differ a little: they are told of every pair."""
    rows = _pairs(_Tree(before[:MOST]), _Tree(after[:MOST]), texts)
    same = sum(
        1 for row in rows
        if row.before and row.after and {d.what for d in row.differences} <= _TIMES
    )  # fmt: skip
    return TraceDiff(
        before=before[0].trace_id, after=after[0].trace_id, rows=tuple(rows), same=same,
        totals=tuple(_totals(before, after)), cut=max(len(before), len(after)) > MOST,
    )  # fmt: skip


class _Tree:
    """Spans by the span they hang below; orphans stand at the top."""

    def __init__(self, spans: Sequence[Span]) -> None:
        known = {span.span_id for span in spans}
        self._below: dict[str, list[Span]] = {}
        for span in spans:
            parent = span.parent_id or ""
            above = parent if parent in known and parent != span.span_id else ""
            self._below.setdefault(above, []).append(span)

    def below(self, span: Span | None) -> list[Span]:
        return self._below.pop(span.span_id if span else "", [])  # once: cycles end here

    @property
    def top(self) -> list[Span]:
        return self._below.pop("", [])


def _pairs(before: _Tree, after: _Tree, texts: Texts) -> list[PairRow]:
    rows: list[PairRow] = []
    stack = list(reversed([(0, a, b) for a, b in _aligned(before.top, after.top)]))
    while stack:
        depth, a, b = stack.pop()
        rows.append(PairRow(
            depth=depth, before=a, after=b, differences=_differences(a, b, texts) if a and b else ()
        ))  # fmt: skip
        below = _aligned(before.below(a) if a else [], after.below(b) if b else [])
        stack += [(depth + 1, *pair) for pair in reversed(below)]
    return rows


def _does(span: Span) -> tuple[str, str]:
    """What a span does, whatever model or prompt does it."""
    if span.source == "gateway":
        return span.kind, span.endpoint
    if span.kind in ("llm", "embedding", "reranker"):
        return span.kind, ""
    return span.kind, span.tool or span.agent or span.name


def _aligned(
    before: Sequence[Span], after: Sequence[Span]
) -> list[tuple[Span | None, Span | None]]:
    if len(before) == len(after) == 1:
        return [(before[0], after[0])]
    pairs: list[tuple[Span | None, Span | None]] = []
    matcher = SequenceMatcher(None, [_does(s) for s in before], [_does(s) for s in after], False)
    for tag, a, to_a, b, to_b in matcher.get_opcodes():
        if tag == "equal":
            pairs += list(zip(before[a:to_a], after[b:to_b], strict=True))
        else:
            pairs += [(span, None) for span in before[a:to_a]]
            pairs += [(None, span) for span in after[b:to_b]]
    return pairs


def _differences(a: Span, b: Span, texts: Texts) -> tuple[Difference, ...]:
    found = [
        Difference(what=what, before=tell(a), after=tell(b))
        for what, tell in _PLAIN
        if tell(a) != tell(b)
    ]
    for name in sorted({*a.params, *b.params}):
        if a.params.get(name) != b.params.get(name):
            found.append(Difference(
                what=f"params.{name}", before=a.params.get(name), after=b.params.get(name)
            ))  # fmt: skip
    for what, x, y in zip(("input", "output"), texts(a), texts(b), strict=True):
        if x != y:
            found.append(Difference(what=what, before=x[:_SAID], after=y[:_SAID]))
    found += [_number(what, tell(a), tell(b)) for what, tell in _NUMBERS if tell(a) != tell(b)]
    found.append(_number("duration_ms", a.duration_ms, b.duration_ms))
    if a.ttft_ms is not None and b.ttft_ms is not None:
        found.append(_number("ttft_ms", a.ttft_ms, b.ttft_ms))
    return tuple(found)


def _number(what: str, before: float | None, after: float | None) -> Difference:
    known = before is not None and after is not None
    change = round(after - before, 4) if known else None  # type: ignore[operator]
    return Difference(what=what, before=before, after=after, change=change)


def _totals(before: Sequence[Span], after: Sequence[Span]) -> list[Difference]:
    sums: tuple[tuple[str, Callable[[Sequence[Span]], float | None]], ...] = (
        ("spans", len),
        ("errors", lambda spans: sum(span.status != "ok" for span in spans)),
        ("cost_nano", _cost),
        ("tokens", lambda spans: sum(s.tokens.input + s.tokens.output for s in spans)),
        ("duration_ms", _took),
    )
    return [_number(what, tell(before), tell(after)) for what, tell in sums]


def _cost(spans: Sequence[Span]) -> int | None:
    known = [span.cost_nano for span in spans if span.cost_nano is not None]
    return sum(known) if known else None


def _took(spans: Sequence[Span]) -> float:
    start = min(span.start_ms for span in spans)
    return round(max(span.start_ms + span.duration_ms for span in spans) - start, 4)
