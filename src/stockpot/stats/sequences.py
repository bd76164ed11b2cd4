"""Confidence sequences: intervals that hold at every look at once, so that looking is safe.

For means they are asymptotic (Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas 2024, Annals of
Statistics 52:2613, arXiv:2103.06476): right in the limit of a late first look, hence the burn-in.
For a single share they are exact at every size (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon
2021, Annals of Statistics 49:1055; as a bet: Waudby-Smith and Ramdas 2024, JRSS B 86:1).

One unit is one observation. A unit that comes again changes what it was, and the estimate gains
precision though no unit is new: `observed` tells how many observations the units are made of, and
`widest` covers every precision between the two. Knows counts, sums and sums of squares; knows no
experiment.
"""

from __future__ import annotations

import math
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import betaln, ndtr

BURN_IN = 100
"""Units in each arm before anything is said: the first look of an asymptotic sequence. It holds for
arms of one size; see `warm`."""
TUNED = 5_000
"""Units at which a sequence is narrowest, if nobody plans: set before the first look, never after
it. Ten times more or fewer cost it about a tenth of its width."""

Side = Literal["both", "low", "high"]


class Sums(NamedTuple):
    """What is kept of an arm: its units, the sum of their values and the sum of their squares. With
    `pre`, what the same units did before, `pre_squares` and `cross` (the sum of products)."""

    n: int
    total: float
    squares: float
    pre: float = 0.0
    pre_squares: float = 0.0
    cross: float = 0.0


class Band(NamedTuple):
    """An estimate with its interval at this look. The chance that any look of all has the truth
    outside is at most alpha. `e` is the evidence against 0 (1 is none, 20 is alpha .05), `p` the
    p value that may be looked at always. Before the burn-in `ready` is False and the interval says
    nothing."""

    value: float
    low: float
    high: float
    n: int
    se: float
    e: float
    p: float
    ready: bool
    method: str


def boundary(n: Any, alpha: float, tuned: float = TUNED, side: Side = "both") -> Any:
    """How many standard errors wide a half of the interval is when `n` units have been seen (number
    or array), where a test that looks once has 1.96: the Gaussian mixture of Robbins (1970) with
    the mixing variance of Waudby-Smith et al. 2024, equation 10 and appendix B.2; one-sided their
    appendix B.1."""
    grown = np.maximum(np.asarray(n, np.float64), 1.0) * _mixing(alpha, tuned, side)
    root = np.sqrt(grown + 1.0)
    inside = root / alpha if side == "both" else 1.0 + root / (2.0 * alpha)
    found = np.sqrt(2.0 * (1.0 + 1.0 / grown) * np.log(inside))
    return float(found) if np.ndim(n) == 0 else found


def widest(n: Any, observed: Any, alpha: float, tuned: float = TUNED, side: Side = "both") -> Any:
    """`boundary` for units that come again, `observed` times in all. Estimates whose precision
    grows have independent increments (Scharfstein, Tsiatis and Robins 1997, JASA 92:1342), so what
    counts is the precision, told in units: at least `n`, where a unit's calls are all alike, and at
    most `observed`, where they have nothing in common. Between the two the boundary is widest at an
    end, for it falls until `tuned` and rises from there."""
    further = boundary(np.maximum(n, observed), alpha, tuned, side)
    found = np.maximum(boundary(n, alpha, tuned, side), further)
    return float(found) if np.ndim(found) == 0 else found


def _mixing(alpha: float, tuned: float, side: Side) -> float:
    """The mixing variance that makes the sequence narrowest at `tuned` units."""
    level = alpha if side == "both" else 2.0 * alpha
    return (-2.0 * math.log(level) + math.log1p(-2.0 * math.log(level))) / tuned


def warm(n: Any, control_n: Any, burn_in: int = BURN_IN) -> Any:
    """Whether two arms (numbers or arrays) have units enough for a first look. The more uneven they
    are the more the smaller one needs, up to twice: the skewness of what is measured, which cancels
    out between equal arms, then does not (Hall 1992, The Bootstrap and Edgeworth Expansion, 2.6;
    the figure is from our simulations of a lognormal metric)."""
    uneven = np.abs(np.subtract(n, control_n)) / np.maximum(np.add(n, control_n), 1)
    return np.minimum(n, control_n) >= np.maximum(burn_in * (1.0 + uneven), 2)


def spread_of(n: Any, total: Any, squares: Any) -> tuple[Any, Any]:
    """Mean and unbiased variance out of sums; numbers or arrays."""
    mean = total / np.maximum(n, 1)
    variance = (squares - total * mean) / np.maximum(np.asarray(n) - 1, 1)
    return mean, np.maximum(variance, 0.0)


def mean_sequence(
    n: int, total: float, squares: float, alpha: float = 0.05, *, tuned: float = TUNED,
    burn_in: int = BURN_IN, side: Side = "both", observed: int = 0,
) -> Band:  # fmt: skip
    """The mean of one arm's units; `observed` where they come again, see `widest`."""
    mean, variance = spread_of(n, total, squares)
    se = math.sqrt(float(variance) / n) if n > 1 else math.inf
    ready = n >= max(burn_in, 2)
    return _band(float(mean), se, (n, observed), alpha, tuned, ready, side, "asymptotic")


def difference_sequence(
    candidate: Sums, control: Sums, alpha: float = 0.05, *, tuned: float = TUNED,
    burn_in: int = BURN_IN, side: Side = "both", adjusted: bool = False, observed: int = 0,
) -> Band:  # fmt: skip
    """Candidate's mean less control's, of units assigned at random: the estimator without
    covariates of Waudby-Smith et al. 2024, section 3. `observed` of both arms together where units
    come again, see `widest`. `adjusted` takes out what the same units did
    before (CUPED: Deng, Xu, Kohavi and Walker 2013, WSDM), with one slope for both arms: the same
    difference, with less noise."""
    if adjusted:
        (mean, variance), (mean_0, variance_0) = _without_past(candidate, control)
    else:
        mean, variance = spread_of(*candidate[:3])
        mean_0, variance_0 = spread_of(*control[:3])
    ready = bool(warm(candidate.n, control.n, burn_in))
    se = math.inf
    if min(candidate.n, control.n) > 1:
        se = math.sqrt(float(variance) / candidate.n + float(variance_0) / control.n)
    method = "asymptotic, adjusted" if adjusted else "asymptotic"
    total = (candidate.n + control.n, observed)
    return _band(float(mean - mean_0), se, total, alpha, tuned, ready, side, method)


def _without_past(*arms: Sums) -> list[tuple[float, float]]:
    """Mean and variance of each arm, less the slope times what its units did before."""
    n = sum(arm.n for arm in arms)
    middle = sum(arm.pre for arm in arms) / max(n, 1)
    within = sum(arm.pre_squares - arm.pre**2 / max(arm.n, 1) for arm in arms)
    shared = sum(arm.cross - arm.pre * arm.total / max(arm.n, 1) for arm in arms)
    slope = shared / within if within > 0 else 0.0
    found = []
    for arm in arms:
        size = max(arm.n, 1)
        mean = (arm.total - slope * arm.pre) / size + slope * middle
        squares = arm.squares - 2 * slope * arm.cross + slope**2 * arm.pre_squares
        _, variance = spread_of(arm.n, arm.total - slope * arm.pre, squares)
        found.append((mean, float(variance)))
    return found


def share_spread(successes: Any, n: Any) -> Any:
    """The variance of a share's units, of four units more (two of them successes), so that a share
    near 0 or 1 is not taken for certain (Agresti and Coull 1998, American Statistician 52:119)."""
    smoothed = (successes + 2.0) / (np.asarray(n) + 4.0)
    return smoothed * (1.0 - smoothed)


def proportion_difference_sequence(
    successes: int, n: int, control_successes: int, control_n: int, alpha: float = 0.05, *,
    tuned: float = TUNED, burn_in: int = BURN_IN, side: Side = "both",
) -> Band:  # fmt: skip
    """Candidate's share less control's: as `difference_sequence`."""
    share, share_0 = successes / max(n, 1), control_successes / max(control_n, 1)
    variance = float(share_spread(successes, n)) / max(n, 1)
    variance += float(share_spread(control_successes, control_n)) / max(control_n, 1)
    ready = bool(warm(n, control_n, burn_in))
    se, units = math.sqrt(variance), (n + control_n, 0)
    return _band(share - share_0, se, units, alpha, tuned, ready, side, "asymptotic")


def proportion_sequence(
    successes: float, n: int, alpha: float = 0.05, *, prior: tuple[float, float] = (0.5, 0.5)
) -> Band:
    """A share, exactly and from the first unit on: every share that the mixture of all bets against
    it (weighted by a beta prior) has not made 1/alpha richer by. `successes` may be a sum of values
    between 0 and 1: they win such a bet less, on average (Howard et al. 2021, section 3.1)."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} of {n} is no share")
    failures, (a, b) = n - successes, prior
    won = float(betaln(a + successes, b + failures) - betaln(a, b))

    def wealth(share: float) -> float:
        lost = successes * math.log(share) if successes else 0.0
        return won - lost - (failures * math.log1p(-share) if failures else 0.0)

    value = successes / n if n else 0.5
    bar = -math.log(alpha)
    low = _crossing(wealth, bar, 0.0, value) if successes else 0.0
    high = _crossing(wealth, bar, 1.0, value) if failures else 1.0
    se = math.sqrt(value * (1 - value) / n) if n else math.inf
    return Band(value, low, high, n, se, 1.0, 1.0, n > 0, "beta mixture")


def _crossing(wealth: Any, bar: float, outside: float, inside: float) -> float:
    """Where the wealth against a share falls below the bar, between the end and the estimate. It is
    convex with its least at the estimate, so there is one such place."""
    if wealth(min(max(inside, 1e-300), 1 - 1e-16)) >= bar:
        return inside
    for _ in range(60):
        middle = (outside + inside) / 2
        if wealth(min(max(middle, 1e-300), 1 - 1e-16)) >= bar:
            outside = middle
        else:
            inside = middle
    return outside


class NonInferiority(NamedTuple):
    """Whether a candidate is not worse by the margin. `bound` is the worst that is still possible
    (in the direction that counts as better); `holds` that it is within the margin, `refuted` that
    the candidate is surely worse than the margin allows."""

    bound: float
    holds: bool
    refuted: bool
    ready: bool
    e: float


def non_inferior_sequence(
    candidate: Sums, control: Sums, margin: float, *, higher_is_better: bool = True,
    alpha: float = 0.05, tuned: float = TUNED, burn_in: int = BURN_IN, adjusted: bool = False,
    observed: int = 0,
) -> NonInferiority:  # fmt: skip
    """One-sided, at every look: the candidate's mean is not worse than control's by `margin` or
    more (a positive number in the metric's unit). Each of the two verdicts errs with at most
    alpha."""
    if margin < 0:
        raise ValueError(f"the margin is {margin}, it must not be negative")
    sides: tuple[Side, Side] = ("low", "high") if higher_is_better else ("high", "low")
    near, far = (
        difference_sequence(
            candidate,
            control,
            alpha,
            tuned=tuned,
            burn_in=burn_in,
            side=side,
            adjusted=adjusted,
            observed=observed,
        )
        for side in sides
    )
    sign = 1.0 if higher_is_better else -1.0
    worst = sign * (near.low if higher_is_better else near.high)
    best = sign * (far.high if higher_is_better else far.low)
    z = (sign * near.value + margin) / near.se if near.se > 0 else 0.0
    e = _least_evidence(z, (near.n, observed), alpha, tuned, "low") if near.ready else 1.0
    return NonInferiority(sign * worst, worst > -margin, best < -margin, near.ready, e)


def _band(
    value: float, se: float, seen: tuple[int, int], alpha: float, tuned: float, ready: bool,
    side: Side, method: str,
) -> Band:  # fmt: skip
    n, observed = seen
    if not ready or not math.isfinite(se):
        return Band(value, -math.inf, math.inf, n, se, 1.0, 1.0, False, method)
    half = widest(n, observed, alpha, tuned, side) * se
    low = value - half if side != "high" else -math.inf
    high = value + half if side != "low" else math.inf
    z = value / se if se > 0 else math.copysign(math.inf, value) if value else 0.0
    e = _least_evidence(z if side != "high" else -z, seen, alpha, tuned, side)
    return Band(value, low, high, n, se, e, min(1.0, 1.0 / e) if e > 0 else 1.0, True, method)


def _least_evidence(
    z: float, seen: tuple[int, int], alpha: float, tuned: float, side: Side
) -> float:
    """The evidence at the precision, between units and observations, at which it is less."""
    n, observed = seen
    return min(_evidence(z, at, alpha, tuned, side) for at in (n, max(n, observed)))


def _evidence(z: float, n: int, alpha: float, tuned: float, side: Side) -> float:
    """The mixture's likelihood ratio against 0, in its one-sided form over positive effects only
    (Howard et al. 2021, section 3.2)."""
    grown = n * _mixing(alpha, tuned, side)
    x = z * math.sqrt(grown / (grown + 1.0))
    told = min(x * x / 2.0, 700.0) - 0.5 * math.log1p(grown)
    if side == "both":
        return math.exp(min(told, 700.0))
    return 2.0 * math.exp(min(told, 690.0)) * float(ndtr(x))
