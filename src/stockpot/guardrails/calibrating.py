"""A tenant's own threshold of a rail, and a model refitted to the tenant's labels.

The threshold is set on harmless texts alone, so that at most a share `max_fpr` of the tenant's
traffic is stopped wrongly. With n harmless texts of which k lie above the threshold:

- `confident`: the one-sided Clopper-Pearson bound (1934, Biometrika 26:404) of k of n at 95 % is at
  most `max_fpr`, so that with 95 % confidence the rate of all traffic is (473 texts for 1 %);
- `average`: k + 1 <= max_fpr * (n + 1), the conformal quantile (Vovk, Gammerman and Shafer 2005),
  so that the rate is kept on average over samples of n texts (99 texts for 1 %). Taken where there
  are too few texts for the first.

Both hold for traffic like the texts given. A refit moves the weights of an n-gram model as little
as the labels ask for, with our own phrases beside them so that it forgets nothing. Its threshold
and all figures are cross-fitted: no text is scored by a model, nor judged by a threshold, that it
had a part in. Knows rows and models; knows no store.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

import msgspec
import numpy as np
from scipy.stats import beta

from stockpot.core.errors import InvalidInput
from stockpot.guardrails import fitting
from stockpot.guardrails.fitting import Floats, Problem
from stockpot.guardrails.measuring import NGRAM, honest_rail, rail_for, rate, seen_rows
from stockpot.guardrails.phrases import examples
from stockpot.guardrails.rows import Labelled
from stockpot.rails.grams import decode, probability, shipped

Guarantee = Literal["confident", "average"]

CONFIDENCE = 0.95
FOLDS = 5
FEWEST = 20
"""Attacks and harmless texts that a refit takes at least."""
PENALTY = 0.001
REHEARSED = 0.1
"""How much one of our own phrases counts beside a text of the tenant."""


class Calibrated(NamedTuple):
    """What a calibration found. `model` is the fitted model where it is better than the shipped."""

    rail: str
    threshold: float
    model: bytes | None
    evidence: dict[str, Any]


class Cut(NamedTuple):
    """A threshold, what it promises, and the bound of the rate that it has."""

    threshold: float
    guarantee: Guarantee
    above: int
    bound: float


def calibrate(
    kind: str,
    rows: Sequence[Labelled],
    *,
    max_fpr: float,
    refit: bool = False,
    guarantee: Guarantee | None = None,
    settings: dict[str, Any] | None = None,
    now: float | None = None,
    now_model: bytes | None = None,
) -> Calibrated:
    """The threshold, and with `refit` the model, for a tenant's texts. `now` and `now_model` are in
    force at present. Raises InvalidInput where the texts are too few or the rail has no score."""
    labels = np.array([row.label for row in rows], np.intp)
    if rows[0].spans is not None:
        raise InvalidInput("calibrating takes rows with 'label', not with 'spans'")
    seen = seen_rows(kind, rows)
    found = scores_of(kind, rows, settings)
    before = _present(kind, rows, labels, settings, now, now_model)
    plain = _crossed(found, labels, max_fpr, guarantee)
    evidence: dict[str, Any] = {
        "rows": len(rows), "positive": int(labels.sum()), "negative": int((labels == 0).sum()),
        "max_fpr": max_fpr, "before": before, "without_refit": plain, "refit": False,
        "used_in_training": seen,
    }  # fmt: skip
    model = None
    if refit:
        base = shipped(f"{kind}.heldout" if seen else kind) if kind in NGRAM else None
        fitted, crossed = _refit(kind, rows, labels, base)
        after = _crossed(crossed, labels, max_fpr, guarantee)
        evidence["with_refit"] = after
        if _value(after["recall"]) >= _value(plain["recall"]):
            found, model = crossed, fitted
            evidence["refit"] = True
    cut = cut_at(found[labels == 0], max_fpr, guarantee)
    evidence |= {
        "after": evidence["with_refit"] if evidence["refit"] else plain,
        "guarantee": cut.guarantee, "negatives_above": cut.above, "fpr_bound": round(cut.bound, 5),
        "promise": PROMISES[cut.guarantee].format(max_fpr),
    }  # fmt: skip
    return Calibrated(kind, cut.threshold, model, evidence)


PROMISES = {
    "confident": "with 95 % confidence at most {:.2%} of harmless texts like these are found",
    "average": "on average over samples like this at most {:.2%} of harmless texts are found",
}


def cut_at(harmless: Floats, max_fpr: float, guarantee: Guarantee | None = None) -> Cut:
    """The least threshold that keeps the promise; see the module's text."""
    n = len(harmless)
    sure = _allowed(n, max_fpr)
    wanted = guarantee or ("confident" if sure >= 1 else "average")
    above = sure if wanted == "confident" else math.floor(max_fpr * (n + 1) + 1e-9) - 1
    if above < 0:
        least = _fewest(max_fpr, wanted)
        raise InvalidInput(
            f"{n} harmless texts are too few to promise {max_fpr:.2%} false positives; it takes "
            f"{least}",
            hint="add rows with label 0 from your own traffic, or allow more with --max-fpr",
        )
    top = float(np.sort(harmless)[::-1][above])
    threshold = math.nextafter(top, 2.0)
    if threshold > 1.0:
        raise InvalidInput(
            f"more than {max_fpr:.2%} of the harmless texts have the greatest score there is: no "
            "threshold keeps them out",
            hint="give the rail other settings, or allow more with --max-fpr",
        )
    bound = _bound(above, n) if wanted == "confident" else (above + 1) / (n + 1)
    return Cut(threshold, wanted, above, bound)


def _bound(above: int, n: int) -> float:
    return float(beta.ppf(CONFIDENCE, above + 1, n - above)) if above < n else 1.0


def _allowed(n: int, max_fpr: float) -> int:
    """Most harmless texts above the threshold so that the bound holds; -1 for none."""
    above = -1
    while above + 1 < n and _bound(above + 1, n) <= max_fpr:
        above += 1
    return above


def _fewest(max_fpr: float, guarantee: Guarantee) -> int:
    if guarantee == "average":
        return math.ceil(1 / max_fpr - 1 - 1e-9)
    return math.ceil(math.log(1 - CONFIDENCE) / math.log1p(-max_fpr))


def scores_of(
    kind: str,
    rows: Sequence[Labelled],
    settings: dict[str, Any] | None = None,
    model: bytes | None = None,
) -> Floats:
    """The greatest score of anything in each text."""
    rail = honest_rail(kind, rows, settings, 0.0, model)
    score: Callable[[str], float] | None = getattr(rail, "score", None)
    if score is not None:
        return np.array([score(row.text) for row in rows])
    found = [max((f.score for f in rail.find(row.text)), default=0.0) for row in rows]
    return np.array(found, np.float64)


def _present(
    kind: str,
    rows: Sequence[Labelled],
    labels: Any,
    settings: dict[str, Any] | None,
    now: float | None,
    model: bytes | None,
) -> dict[str, Any]:
    """Recall and false positives as they are before, by the threshold in force."""
    rail = rail_for(kind, rows, settings, now, model)
    least = now if now is not None else float(getattr(rail, "threshold", 0.0))
    return _told(scores_of(kind, rows, settings, model) >= max(least, 1e-12), labels, least)


def _told(found: Any, labels: Any, least: float | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "recall": rate(int(found[labels == 1].sum()), int((labels == 1).sum())),
        "fpr": rate(int(found[labels == 0].sum()), int((labels == 0).sum())),
    }
    return told if least is None else {**told, "threshold": least}


def _value(share: dict[str, Any] | None) -> float:
    return float(share["value"]) if share else 0.0


def _crossed(
    found: Floats, labels: Any, max_fpr: float, guarantee: Guarantee | None
) -> dict[str, Any]:
    """What a threshold is worth on texts that had no part in it: an attack never has, and each
    harmless text is judged by the threshold of the others."""
    harmless = found[labels == 0]
    hits = found >= cut_at(harmless, max_fpr, guarantee).threshold
    order = np.sort(harmless)[::-1]
    try:
        above = cut_at(order[1:], max_fpr, guarantee).above
    except InvalidInput:
        above = 0  # one fewer is too few for the promise: the greatest of the others decides
    among = harmless >= order[above]
    others = np.where(among, order[min(above + 1, len(order) - 1)], order[above])
    hits[labels == 0] = harmless > others
    return _told(hits, labels)


def _folds(labels: Any) -> Any:
    """A fold for each text, with as many attacks in each; by a fixed seed."""
    fold = np.empty(len(labels), np.intp)
    rng = np.random.default_rng(0)
    for label in (0, 1):
        chosen = np.flatnonzero(labels == label)
        fold[rng.permutation(chosen)] = np.arange(len(chosen)) % FOLDS
    return fold


def _refit(
    kind: str, rows: Sequence[Labelled], labels: Any, base: bytes | None
) -> tuple[bytes, Floats]:
    """A model of all rows, and each row's score by a model that has not seen its fold."""
    if base is None:
        raise InvalidInput(
            f"the rail {kind!r} has no model to refit", hint="leave --refit out: it has a threshold"
        )
    fewest = min(int(labels.sum()), int((labels == 0).sum()))
    if fewest < FEWEST:
        raise InvalidInput(
            f"a refit takes {FEWEST} texts with label 1 and {FEWEST} with label 0 at least, not "
            f"{fewest}",
            hint="leave --refit out to set the threshold alone",
        )
    kept = decode(base)
    start = fitting.unpacked(kept)
    own = fitting.bags_of([row.text for row in rows], kind)
    told = Problem(own, labels, np.ones(len(rows)))
    rehearsed = _rehearsed(kind)
    fold = _folds(labels)
    found = np.zeros(len(rows))
    for k in range(FOLDS):
        held = fold == k
        fitted = fitting.fit(fitting.joined(fitting.part(told, ~held), rehearsed), PENALTY, start)
        said = fitting.scores(fitting.part(told, held).bags, fitted)
        found[held] = [probability(float(z)) for z in said]
    whole = fitting.fit(fitting.joined(told, rehearsed), PENALTY, start)
    about = f"{kept.about}; refitted with {len(rows)} texts of a tenant"
    packed = fitting.packed(kind, whole, kept.threshold, about, [row.text for row in rows])
    return msgspec.msgpack.encode(packed), found


@cache
def _rehearsed(kind: str) -> Problem:
    phrases = examples(kind)
    return Problem(
        fitting.bags_of([text for text, _ in phrases], kind),
        np.array([label for _, label in phrases], np.intp),
        np.full(len(phrases), REHEARSED),
    )
