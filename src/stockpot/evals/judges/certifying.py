"""Holding a judge against people: agreement, human ceiling, corrected scores, expiry. Pure.

The word of people on an item is what they settled on, else their majority; where it is split evenly
the item has no reference and is counted as disputed. Kappa is Cohen's, with quadratic weights where
the scale has an order, and with an interval that stays open where few labels all agree.
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from stockpot.core.errors import InvalidInput
from stockpot.evals.judges.models import (
    LEAST_KAPPA,
    Certificate,
    CertificateRow,
    HumanCeiling,
    HumanLabel,
    Judge,
    SliceAgreement,
)
from stockpot.evals.records import Corrected, Estimated, Judgement
from stockpot.traces import Badge, CertificateState

SETTLED = "adjudication"
"""The rater whose word stands where people differed."""
_DAY_MS = 86_400_000
_YES, _NO = ("true", "yes"), ("false", "no")


class People(NamedTuple):
    """What people said: the reference of each item, the ratings of each, what was disputed."""

    reference: dict[str, str]
    ratings: dict[str, dict[str, str]]
    disputed: int
    labels: int
    raters: int
    median_ms: float | None
    slices: dict[str, tuple[str, ...]]


def heard(
    judge: Judge, labels: Iterable[HumanLabel], words: Mapping[str, str] | None = None
) -> People:
    """Labels of people in the words of a judge's scale. Raises InvalidInput for one that is none
    of them."""
    ratings: dict[str, dict[str, str]] = {}
    slices: dict[str, set[str]] = {}
    times: list[float] = []
    count = 0
    for one in labels:
        ratings.setdefault(one.item, {})[one.rater] = fitting(judge, one.label, words or {})
        count += 1
        if one.slice:
            slices.setdefault(one.item, set()).add(one.slice)
        if one.at_ms is not None:
            times.append(one.at_ms)
    reference = {item: word for item, said in ratings.items() if (word := _word_of(said))}
    raters = {rater for said in ratings.values() for rater in said} - {SETTLED}
    return People(
        reference, ratings, len(ratings) - len(reference), count, len(raters),
        statistics.median(times) if times else None,
        {item: tuple(sorted(parts)) for item, parts in slices.items()},
    )  # fmt: skip


def fitting(judge: Judge, label: Any, words: Mapping[str, str]) -> str:
    """A person's label as the judge would say it."""
    text = f"{label:g}" if isinstance(label, float) else str(label).strip()
    text = words.get(text, text)
    if judge.scale.numeric:
        return _number(judge, text)
    known = {word.casefold(): word for word in judge.scale.labels}
    found = known.get(text.casefold())
    if found is None and len(known) == 2:  # yes and no are the better and the worse of two
        place = 1 if text.casefold() in _YES else 0 if text.casefold() in _NO else None
        found = judge.scale.labels[place] if place is not None else None
    if found is None:
        near = ", ".join(judge.scale.labels)
        raise InvalidInput(
            f"people said {text!r}, which is no label of the judge {judge.name!r}: it says {near}",
            hint=f"stockpot eval judges certify {judge.name} --word '{text}=LABEL'",
        )
    return found


def _number(judge: Judge, text: str) -> str:
    scale = judge.scale
    try:
        number = float(text)
    except ValueError:
        raise InvalidInput(f"people said {text!r}, and the judge gives numbers") from None
    assert scale.least is not None
    assert scale.most is not None
    if not scale.least <= number <= scale.most:
        raise InvalidInput(
            f"people said {number:g}, and the judge's scale is {scale.least:g} to {scale.most:g}"
        )
    return f"{number:g}"


def _word_of(said: Mapping[str, str]) -> str | None:
    if SETTLED in said:
        return said[SETTLED]
    (first, most), *others = Counter(said.values()).most_common()
    return None if others and others[0][1] == most else first


def number_of(judge: Judge, label: str) -> float:
    """A label as the number that means and agreement are computed of."""
    return float(label) if judge.scale.numeric else judge.scale.value_of(label)


class Compared(NamedTuple):
    """A judge beside people on the items that both rated."""

    overall: SliceAgreement
    slices: tuple[SliceAgreement, ...]
    ceiling: HumanCeiling | None
    corrected: Corrected | None
    rows: tuple[CertificateRow, ...]


def compared(
    judge: Judge, people: People, judgements: Sequence[Judgement],
    slices: Mapping[str, Sequence[str]],
) -> Compared:  # fmt: skip
    """How far a judge agrees with people, on all items and on slices (`slices`: those of each
    item). Judgements of items that nobody labelled serve the corrected score alone."""
    both = [
        (one, people.reference[one.item])
        for one in judgements
        if not one.missing and one.item in people.reference
    ]
    rows = tuple(
        CertificateRow(one.item, number_of(judge, word), one.value or 0.0,
                       number_of(judge, one.label))
        for one, word in both
    )  # fmt: skip
    parts = {item: {*slices.get(item, ()), *people.slices.get(item, ())} for item, *_ in rows}
    names = sorted({name for found in parts.values() for name in found})
    spare = [
        one.value
        for one in judgements
        if one.value is not None and not one.missing and one.item not in people.reference
    ]
    return Compared(
        overall=_agreement(judge, "", rows),
        slices=tuple(
            _agreement(judge, name, [row for row in rows if name in parts[row.item]])
            for name in names
        ),
        ceiling=ceiling_of(judge, people),
        corrected=corrected(judge.scale.numeric, rows, spare) if rows else None,
        rows=rows,
    )  # fmt: skip


def _agreement(judge: Judge, name: str, rows: Sequence[CertificateRow]) -> SliceAgreement:
    from stockpot import stats

    pairs = [(row.people, row.said) for row in rows]
    return SliceAgreement(
        slice=name, n=len(rows), kappa=_kappa(judge, pairs), accuracy=_accuracy(pairs),
        alpha=figure(stats.krippendorff_alpha(pairs, _level(judge))) if rows else None,
    )  # fmt: skip


def _level(judge: Judge) -> Any:
    if judge.scale.numeric:
        return "interval"
    return "ordinal" if judge.scale.ordered else "nominal"


def _kappa(judge: Judge, pairs: Sequence[tuple[float, float]]) -> Estimated:
    from stockpot import stats

    if not pairs:
        return NOTHING
    one, other = zip(*pairs, strict=True)
    return figure(stats.careful_kappa(one, other, _weights(judge)))


def _weights(judge: Judge) -> Any:
    return "quadratic" if judge.scale.numeric or judge.scale.ordered else "none"


def _accuracy(pairs: Sequence[tuple[float, float]]) -> Estimated:
    from stockpot import stats

    if not pairs:
        return NOTHING
    return figure(stats.wilson(sum(a == b for a, b in pairs), len(pairs)))


NOTHING = Estimated(value=None, low=None, high=None, n=0)


def figure(found: Any) -> Estimated:
    """An estimate as it is kept; what is infinite or no number is null."""

    def finite(value: float) -> float | None:
        return value if math.isfinite(value) else None

    value, low, high = finite(found.value), finite(found.low), finite(found.high)
    if value is None or low == high:
        low = high = None  # no spread was seen: the data do not tell how far it reaches
    return Estimated(value=value, low=low, high=high, n=found.n, method=found.method)


def ceiling_of(judge: Judge, people: People) -> HumanCeiling | None:
    """How far people agree with each other: alpha over all, and each two of them pooled."""
    from stockpot import stats

    units = [
        [number_of(judge, word) for rater, word in sorted(said.items()) if rater != SETTLED]
        for said in people.ratings.values()
    ]
    units = [unit for unit in units if len(unit) > 1]
    if not units:
        return None
    # Which of two people comes first means nothing: each pair counts both ways. Pairs of one item
    # are not independent, so whole items are resampled.
    pairs = [
        (one, other, item)
        for item, unit in enumerate(units)
        for one, other in itertools.permutations(unit, 2)
    ]
    one, other, items = zip(*pairs, strict=True)
    kappa = stats.clustered_kappa(one, other, items, _weights(judge))
    agreed = stats.clustered_mean([float(a == b) for a, b, _ in pairs], items)
    return HumanCeiling(
        items=len(units), raters=people.raters, kappa=figure(kappa), accuracy=figure(agreed),
        alpha=figure(stats.krippendorff_alpha(units, _level(judge))),
    )  # fmt: skip


def corrected(
    numeric: bool, rows: Sequence[CertificateRow], unlabelled: Sequence[float]
) -> Corrected:
    """What people would have said of the judged rows on average."""
    from stockpot import stats

    people, judged = [row.people for row in rows], [row.judge for row in rows]
    spare = list(unlabelled)
    estimate = stats.prediction_powered_mean(people, judged, spare)
    everything = spare or judged
    return Corrected(
        naive=sum(everything) / len(everything), estimate=figure(estimate),
        people=figure(stats.mean(people)), labelled=len(rows), judged=len(everything),
        rogan_gladen=None if numeric else _by_errors(rows, spare),
    )  # fmt: skip


def _by_errors(rows: Sequence[CertificateRow], unlabelled: Sequence[float]) -> Estimated | None:
    """The correction by the judge's errors, where all verdicts are yes or no."""
    from stockpot import stats

    values = unlabelled or [row.said for row in rows]
    if {*values, *(v for row in rows for v in (row.people, row.said))} - {0.0, 1.0}:
        return None
    good = [row.said for row in rows if row.people == 1.0]
    bad = [row.said for row in rows if row.people == 0.0]
    if not good or not bad:
        return None
    found = stats.rogan_gladen(
        int(sum(values)), len(values), (int(sum(good)), len(good)),
        (len(bad) - int(sum(bad)), len(bad)),
    )  # fmt: skip
    return figure(found)


# --- validity -------------------------------------------------------------------------------------


def judged_now(
    certificate: Certificate, now_ms: float, fingerprint: Sequence[str] | None
) -> Certificate:
    """A certificate with its state as of now. `fingerprint` is what serves the judge's models now
    (None: not known)."""
    state, reason = _state(certificate, now_ms, fingerprint)
    return certificate.model_copy(update={"state": state, "reason": reason})


def _state(
    one: Certificate, now_ms: float, fingerprint: Sequence[str] | None
) -> tuple[CertificateState, str]:  # fmt: skip
    if one.progress != "done":
        return "uncertified", f"the certificate is {one.progress}" + (
            f": {one.error}" if one.error else ""
        )
    if fingerprint is not None and tuple(fingerprint) != one.fingerprint:
        was, now = ", ".join(one.fingerprint) or "nothing", ", ".join(fingerprint) or "nothing"
        return "expired", f"the model changed: certified on {was}, now served by {now}"
    if one.expires_ms is not None and now_ms > one.expires_ms:
        return "expired", f"half of its labels are older than {one.max_age_days} days"
    low = one.kappa.low if one.kappa else None
    if low is None:
        return "uncertified", f"the labels tell nothing of its agreement (n={one.n})"
    if low < LEAST_KAPPA:
        return "uncertified", f"kappa's lower bound {low:.2f} is below {LEAST_KAPPA:g}"
    return "certified", f"kappa's lower bound {low:.2f} is at least {LEAST_KAPPA:g}"


def badge_of(ref: str, certificate: Certificate | None, older: Certificate | None = None) -> Badge:
    """A certificate in short; without one for this version, what became of an older one."""
    if certificate is None:
        words = "nobody has measured it against people yet"
        if older is None:
            return Badge(judge=ref, state="uncertified", words=words)
        words = f"its prompt or model changed since version {older.version} was certified"
        return Badge(judge=ref, state="expired", words=words)
    kappa = certificate.kappa
    return Badge(
        judge=ref, state=certificate.state, words=certificate.reason, n=certificate.n,
        kappa=kappa.value if kappa else None, low=kappa.low if kappa else None,
        high=kappa.high if kappa else None,
    )  # fmt: skip


def expires_ms(labels_ms: float | None, issued_ms: float, max_age_days: int) -> float:
    """When labels of this age are too old; of labels without a time, their certificate's."""
    return (issued_ms if labels_ms is None else labels_ms) + max_age_days * _DAY_MS
