"""Whether units come to the arms as the weights say, watched at every look. Knows counts alone.

More units in one arm than chance allows means that the split, its record or the data behind it are
broken, and that no figure of the experiment is to be believed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln

CONCENTRATION = 100.0
"""Of the prior around the weights: how small a mismatch is looked for."""


class SampleRatio(NamedTuple):
    """`e` is the evidence for a mismatch at this look; `alarm` says that it has reached 1/alpha.
    `expected` are the counts by the weights."""

    e: float
    p: float
    alarm: bool
    expected: tuple[float, ...]


def sample_ratio(
    counts: Sequence[int], weights: Sequence[float], alpha: float = 0.001
) -> SampleRatio:
    """The sequential test of sample ratio mismatch (Lindon and Malek 2022, NeurIPS,
    arXiv:2011.03567): a Dirichlet mixture against the weights. All looks together raise a false
    alarm with a chance of at most alpha."""
    if len(counts) != len(weights) or any(weight < 0 for weight in weights):
        raise ValueError(f"{len(counts)} counts do not go with {len(weights)} weights")
    n, whole = sum(counts), float(sum(weights))
    expected = tuple(n * weight / whole for weight in weights)
    if any(count and not weight for count, weight in zip(counts, weights, strict=True)):
        return SampleRatio(float("inf"), 0.0, True, expected)
    seen = [(c, w) for c, w in zip(counts, weights, strict=True) if w]
    told = float(ratio_evidence([c for c, _ in seen], [w for _, w in seen]))
    e = float(np.exp(min(told, 700.0)))
    return SampleRatio(e, min(1.0, 1.0 / e), e >= 1.0 / alpha, expected)


def ratio_evidence(counts: Sequence[Any], weights: Sequence[float]) -> Any:
    """The logarithm of the evidence for a mismatch; a count may be an array of looks."""
    shares = np.asarray(weights, np.float64) / sum(weights)
    found: Any = gammaln(CONCENTRATION) - gammaln(sum(counts) + CONCENTRATION)
    for count, share in zip(counts, shares, strict=True):
        prior = CONCENTRATION * share
        found = found + gammaln(count + prior) - gammaln(prior) - count * np.log(share)
    return found
