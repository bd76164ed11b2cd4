"""How good a rail is on labelled texts: recall and false positives with intervals, and time.

A text with a label counts as found when any finding reaches the threshold. A marked span counts as
found when a finding of its type overlaps it by a character at least; the figure that ignores types
stands beside it. A harmless text, or one without spans, is a false positive when anything is found.
Intervals are Wilson's; times are processor time of one text. Knows rails and rows; knows no store.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

from stockpot.guardrails.rows import Labelled, Span
from stockpot.rails import Finding, Rail, Rule, build, grams
from stockpot.stats import wilson

NGRAM = frozenset({"injection", "indirect_injection"})
"""Rails with a trained model, which may have seen the texts that it is measured on."""

_SCORE = "score"

ALIASES = {
    "EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "TELEPHONE": "PHONE_NUMBER",
    "IBAN": "IBAN_CODE", "SSN": "US_SSN", "IP": "IP_ADDRESS", "CARD": "CREDIT_CARD",
    "CREDIT_CARD_NUMBER": "CREDIT_CARD", "DATE": "DATE_TIME", "TIME": "DATE_TIME",
    "DOMAIN": "DOMAIN_NAME", "ZIP": "ZIP_CODE", "POSTCODE": "ZIP_CODE",
    "BITCOIN": "CRYPTO", "DRIVER_LICENSE": "US_DRIVER_LICENSE", "PASSPORT": "US_PASSPORT",
}  # fmt: skip
"""Other names of types, by the name that the rails use."""


class Rates(NamedTuple):
    """What one rail makes of one file."""

    rail: str
    threshold: float | None
    rows: int
    counts: dict[str, int]
    recall: dict[str, Any] | None
    fpr: dict[str, Any] | None
    by_type: dict[str, dict[str, Any]]
    extra: dict[str, Any]
    ms: dict[str, float]
    warnings: list[str]

    def told(self) -> dict[str, Any]:
        """As JSON."""
        found = self._asdict()
        found.update(found.pop("extra"))
        return found


class Asked(NamedTuple):
    """What one text made a rail say, and how long that took, in milliseconds."""

    row: Labelled
    findings: list[Finding]
    ms: float


def rate(found: int, of: int) -> dict[str, Any] | None:
    """A share with its 95 % interval; None of nothing."""
    if of == 0:
        return None
    share = wilson(found, of)
    return {
        "value": round(share.value, 5),
        "low": round(share.low, 5),
        "high": round(share.high, 5),
        "found": found,
        "n": of,
    }


def rail_for(
    kind: str,
    rows: Sequence[Labelled],
    settings: dict[str, Any] | None = None,
    threshold: float | None = None,
    model: bytes | None = None,
) -> Rail:
    """The rail as it is to be measured. `pii` is asked for the types that the rows mark, unless
    the settings say which."""
    told = dict(settings or {})
    if kind == "pii" and "types" not in told:
        every = build(Rule("measured", "pii", settings={"types": ["*"]}), {})
        known: frozenset[str] = getattr(every, "types", frozenset())
        marked = sorted({canonical(s.type) for row in rows for s in row.spans or ()} & known)
        told = {**told, "types": marked} if marked else told
    models = {}
    if model is not None:
        told["model"] = "measured"
        models["measured"] = model
    return build(Rule("measured", kind, settings=told, threshold=threshold), models)


def honest_rail(
    kind: str,
    rows: Sequence[Labelled],
    settings: dict[str, Any] | None = None,
    threshold: float | None = None,
    model: bytes | None = None,
) -> Rail:
    """The rail to be measured; a shipped model does not judge texts that it was trained with."""
    if kind in NGRAM and model is None and not settings and seen_rows(kind, rows):
        return Unseen(kind, rows, threshold)
    return rail_for(kind, rows, settings, threshold, model)


class Unseen:
    """A shipped n-gram rail that asks, of a text that it was trained with, a model of the same
    making that was not."""

    reach = 0

    def __init__(self, kind: str, rows: Sequence[Labelled], threshold: float | None) -> None:
        self.kind = kind
        whole = rail_for(kind, (), None, threshold)
        parts = [
            (grams.seen_by(model), rail_for(kind, (), None, threshold, model))
            for model in grams.shipped_folds(kind)
        ]
        self.threshold = getattr(whole, "threshold", 0.0)
        self._rails = {}
        known = grams.seen_by(grams.shipped(kind))
        for row in rows:
            mark = grams.fingerprint(row.text)
            if mark in known:
                unseen = (rail for seen, rail in parts if mark not in seen)
                self._rails[row.text] = next(unseen, whole)
        self._whole = whole

    def find(self, text: str) -> Sequence[Finding]:
        return self._rails.get(text, self._whole).find(text)

    def score(self, text: str) -> float:
        score: Callable[[str], float] = getattr(self._rails.get(text, self._whole), _SCORE)
        return score(text)


def canonical(kind: str) -> str:
    """A type by the rails' name of it."""
    upper = kind.strip().upper().replace("-", "_").replace(" ", "_")
    return ALIASES.get(upper, upper)


def ask(rail: Rail, rows: Iterable[Labelled], least: float) -> list[Asked]:
    """What the rail finds in each text, at this threshold."""
    asked = []
    for row in rows:
        begun = time.thread_time_ns()
        found = rail.find(row.text)
        took = (time.thread_time_ns() - begun) / 1e6
        asked.append(Asked(row, [one for one in found if one.score >= least], took))
    return asked


def measure(
    kind: str,
    rows: Sequence[Labelled],
    *,
    settings: dict[str, Any] | None = None,
    threshold: float | None = None,
    model: bytes | None = None,
) -> Rates:
    """The rates of a rail on these rows, by the shipped threshold and model or by those given."""
    rail = honest_rail(kind, rows, settings, threshold, model)
    own = getattr(rail, "threshold", None)
    least = threshold if threshold is not None else own
    for row in rows[:50]:  # so that the first texts do not pay for what is loaded once
        rail.find(row.text)
    asked = ask(rail, rows, least or 0.0)
    took = sorted(one.ms for one in asked)
    ms = {"p50": _quantile(took, 0.5), "p95": _quantile(took, 0.95)}
    warnings = _warnings(kind, rows, model)
    spanned = rows[0].spans is not None
    known = getattr(rail, "types", None)
    judge: Callable[..., Rates] = _by_spans if spanned else _by_labels
    return judge(asked, known, rail=kind, threshold=least, rows=len(rows), ms=ms, warnings=warnings)


def _quantile(ordered: Sequence[float], share: float) -> float:
    return round(ordered[min(int(len(ordered) * share), len(ordered) - 1)], 4)


def _warnings(kind: str, rows: Sequence[Labelled], model: bytes | None) -> list[str]:
    known = seen_rows(kind, rows, model)
    if not known:
        return []
    told = f"{known} of {len(rows)} texts were used to train the model"
    if model is None:
        return [f"{told}; each was judged by a model of the same making that had not seen it"]
    return [f"{told}: these figures flatter it"]


def seen_rows(kind: str, rows: Sequence[Labelled], model: bytes | None = None) -> int:
    """How many of the texts the model was trained with."""
    if kind not in NGRAM:
        return 0
    marks = grams.seen_by(grams.shipped(kind) if model is None else model)
    return sum(grams.fingerprint(row.text) in marks for row in rows)


def _by_labels(asked: list[Asked], _known: Any, **told: Any) -> Rates:
    attacks = [one for one in asked if one.row.label]
    harmless = [one for one in asked if not one.row.label]
    hits, alarms = sum(bool(a.findings) for a in attacks), sum(bool(a.findings) for a in harmless)
    kinds = sorted({one.row.type for one in attacks} - {""})
    by_type: dict[str, dict[str, Any]] = {
        kind: {"recall": rate(sum(bool(a.findings) for a in of), len(of))}
        for kind in kinds
        for of in [[one for one in attacks if one.row.type == kind]]
    }
    said = Counter(finding.type for one in asked for finding in one.findings)
    for kind, number in sorted(said.items()):
        by_type.setdefault(kind, {})["findings"] = number
    counts = {
        "positive": len(attacks), "negative": len(harmless), "true_positive": hits,
        "false_negative": len(attacks) - hits, "false_positive": alarms,
        "true_negative": len(harmless) - alarms,
    }  # fmt: skip
    return Rates(
        counts=counts, recall=rate(hits, len(attacks)), fpr=rate(alarms, len(harmless)),
        by_type=by_type, extra={}, **told,
    )  # fmt: skip


class _Seen(NamedTuple):
    """By type: how many spans were marked, found by their type, and found by any."""

    total: Counter[str]
    same: Counter[str]
    touched: Counter[str]


def _by_spans(asked: list[Asked], known: Collection[str] | None, **told: Any) -> Rates:
    seen, beside = _Seen(Counter(), Counter(), Counter()), 0
    for one in asked:
        beside += _count(one, seen)
    total, same, touched = seen
    covered = [kind for kind in total if known is None or kind in known]
    by_type = {
        kind: {
            "recall": rate(same[kind], total[kind]),
            "recall_type_ignored": rate(touched[kind], total[kind]),
            "covered": kind in covered,
        }
        for kind in sorted(total)
    }
    empty = [one for one in asked if not one.row.spans]
    alarms = sum(bool(one.findings) for one in empty)
    n, right = sum(total[kind] for kind in covered), sum(same[kind] for kind in covered)
    counts = {
        "spans": total.total(), "covered_spans": n, "rows_without_spans": len(empty),
        "true_positive": right, "false_positive": alarms,
        "findings": sum(len(one.findings) for one in asked), "findings_beside_spans": beside,
    }  # fmt: skip
    extra = {
        "recall_type_ignored": rate(sum(touched[kind] for kind in covered), n),
        "recall_all_types": rate(same.total(), total.total()),
        "matching": "a finding of the same type overlaps the span by a character at least",
    }
    return Rates(
        counts=counts, recall=rate(right, n), fpr=rate(alarms, len(empty)), by_type=by_type,
        extra=extra, **told,
    )  # fmt: skip


def _count(one: Asked, seen: _Seen) -> int:
    """Counts the spans of one text; returns how many findings lie beside all of them."""
    spans = [Span(canonical(s.type), s.start, s.end) for s in one.row.spans or ()]
    for span in spans:
        over = [f for f in one.findings if f.start < span.end and span.start < f.end]
        seen.total[span.type] += 1
        seen.touched[span.type] += bool(over)
        seen.same[span.type] += any(canonical(f.type) == span.type for f in over)
    return sum(not any(f.start < s.end and s.start < f.end for s in spans) for f in one.findings)
