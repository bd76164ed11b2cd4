"""False alarms of a watched experiment whose units call on: the sequence that counts units alone,
and the one that decides (`stats.widest`), beside the t test that most people would watch.

    python bench/returning_units.py --simulations 2000

No arm differs. Units come at once or over the time, call evenly or as unevenly as people do
(lognormal), are alike, or differ, or move while the experiment runs. 500 units in each arm, which
is where the sequence is narrowest; 300 looks, spread evenly over the logarithm of time.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from stockpot.stats import binomial_interval, boundary, warm, widest

UNITS, LOOKS, ALPHA = 1_000, 300, 0.05
METHODS = ("counting units alone", "the sequence that decides", "t test at every look")


class Case(NamedTuple):
    """`calls` of a unit on average; `like` is the part of the variance that lies between units;
    `uneven` the standard deviation of the logarithm of how often they call; `drift` that of how far
    a unit's own mean moves."""

    name: str
    calls: float
    like: float = 0.0
    arriving: bool = False
    uneven: float = 0.0
    drift: float = 0.0


CASES = (
    Case("25 calls, units differ as calls do", 25, like=0.5),
    Case("25 calls, units alike", 25),
    Case("1,000 calls, units alike", 1000),
    Case("1,000 calls, units differ a little", 1000, like=0.05),
    Case("100 calls, alike, arriving", 100, arriving=True),
    Case("1,000 calls, alike, uneven", 1000, uneven=1.5),
    Case("1,000 calls, alike, uneven, arriving", 1000, arriving=True, uneven=1.5),
    Case("1,000 calls, differ, uneven, arriving", 1000, like=0.1, arriving=True, uneven=1.5),
    Case("1,000 calls, units that drift", 1000, like=0.1, drift=1.0),
    Case("1,000 calls, drift far, arriving", 1000, arriving=True, drift=3.0),
)


def alarms(case: Case, draw: np.random.Generator) -> tuple[bool, ...]:
    """One experiment: whether each method found a difference at any look."""
    own = draw.standard_normal(UNITS) * np.sqrt(case.like)
    noise = np.sqrt(1 - case.like)
    pace = case.calls * np.exp(case.uneven * draw.standard_normal(UNITS) - case.uneven**2 / 2)
    born = draw.random(UNITS) * case.arriving
    treated = draw.random(UNITS) < 0.5
    total, calls, last = np.zeros(UNITS), np.zeros(UNITS), 0.0
    found = [False] * len(METHODS)
    for now in np.geomspace(0.001, 1.0, LOOKS):
        new = draw.poisson(pace * np.clip(now - np.maximum(born, last), 0, None)).astype(float)
        total += new * own + noise * np.sqrt(new) * draw.standard_normal(UNITS)
        calls += new
        if case.drift:
            own = own + case.drift * np.sqrt(now - last) * draw.standard_normal(UNITS)
        last = float(now)
        arms = [
            total[seen] / calls[seen] for seen in ((calls > 0) & treated, (calls > 0) > treated)
        ]
        if not warm(*(arm.size for arm in arms)):
            continue
        se = np.sqrt(sum(arm.var(ddof=1) / arm.size for arm in arms))
        strength = abs(arms[0].mean() - arms[1].mean()) / se
        n = sum(arm.size for arm in arms)
        bars = (boundary(n, ALPHA, UNITS), widest(n, calls.sum(), ALPHA, UNITS), 1.96)
        found = [had or bool(strength > bar) for had, bar in zip(found, bars, strict=True)]
    return tuple(found)


def main() -> None:
    """Print the share of experiments with a false alarm, with its 99 % interval."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    for number, case in enumerate(CASES):
        draw = np.random.default_rng([asked.seed, number])
        seen = [alarms(case, draw) for _ in range(asked.simulations)]
        told = []
        for method, column in zip(METHODS, zip(*seen, strict=True), strict=True):
            low, high = binomial_interval(sum(column), asked.simulations)
            rate = sum(column) / asked.simulations
            told.append(f"{method} {rate:.1%} [{low:.1%}, {high:.1%}]")
        print(f"{case.name}: {'; '.join(told)}", flush=True)


if __name__ == "__main__":
    main()
