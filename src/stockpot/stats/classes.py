"""Classification figures with intervals. Knows labels; knows nothing of who gave them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import numpy as np

from stockpot.stats.intervals import Estimate, wilson
from stockpot.stats.paired import bootstrap


class F1(NamedTuple):
    """Of one class against the rest. Precision and recall with Wilson's intervals."""

    f1: Estimate
    precision: Estimate | None
    recall: Estimate | None
    true_positives: int
    false_positives: int
    false_negatives: int


def binary_f1(
    expected: Sequence[Hashable], found: Sequence[Hashable], positive: Hashable,
    confidence: float = 0.95,
) -> F1:  # fmt: skip
    """F1 of one class. F1 = 2J / (1 + J) rises with J = TP / (TP + FP + FN), which is a share of
    the rows where the class stands on either side: its score interval (Wilson 1927, JASA 22:209),
    carried over, is F1's given their number."""
    pairs = list(zip(expected, found, strict=True))
    tp = sum(e == positive and f == positive for e, f in pairs)
    fp = sum(e != positive and f == positive for e, f in pairs)
    fn = sum(e == positive and f != positive for e, f in pairs)
    return F1(
        f1=_carried(tp, tp + fp + fn, confidence),
        precision=wilson(tp, tp + fp, confidence) if tp + fp else None,
        recall=wilson(tp, tp + fn, confidence) if tp + fn else None,
        true_positives=tp, false_positives=fp, false_negatives=fn,
    )  # fmt: skip


def macro_f1(
    expected: Sequence[Hashable],
    found: Sequence[Hashable],
    clusters: Sequence[Hashable] | None = None,
    confidence: float = 0.95,
) -> Estimate:
    """The mean of every expected class's F1, with a bootstrap interval (Takahashi et al. 2022,
    Applied Intelligence 52:4961, compare it with the delta method)."""
    names = {name: number for number, name in enumerate(dict.fromkeys(expected))}
    wanted = np.array([names[name] for name in expected])
    given = np.array([names.get(name, -1) for name in found])

    def statistic(rows: np.ndarray[tuple[int, ...], np.dtype[np.intp]]) -> float:
        w, g = wanted[rows], given[rows]
        hit = np.bincount(w[w == g], minlength=len(names))
        both = np.bincount(w, minlength=len(names)) + np.bincount(g[g >= 0], minlength=len(names))
        present = both > 0
        return float((2 * hit[present] / both[present]).mean())

    return bootstrap(statistic, len(wanted), clusters, confidence=confidence)


def _carried(hits: int, n: int, confidence: float) -> Estimate:
    if n == 0:
        return Estimate(0.0, 0.0, 1.0, 0.0, 0, 0, float("inf"), float("nan"), "wilson")
    share = wilson(hits, n, confidence)
    value, low, high = (2 * j / (1 + j) for j in (share.value, share.low, share.high))
    slope = 2 / (1 + share.value) ** 2
    return share._replace(value=value, low=low, high=high, se=share.se * slope)
