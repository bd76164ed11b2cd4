"""Rails by an n-gram model: attacks on the model in a user's text (`injection`), and instructions
hidden in retrieved text and in results of tools (`indirect_injection`).

`injection` weighs the whole text and each run of one to three sentences and takes the greatest, so
that harmless text around an attack does not dilute it. A long text has many chances to look like an
attack somewhere: if it is no likelier to hold one than a short text is, then each stretch of it is
the less likely to be one the more stretches there are, and the logarithm of their number is taken
off the log odds (Bayes' rule). `indirect_injection` weighs each sentence by itself and finds each
that orders or asks a machine something. Both see through characters without width, letters written
apart (`i g n o r e`), look-alikes, digits for letters, hidden Unicode tags and pieces in base64.
Neither understands a text: a new attack in words of its own passes, and a harmless order to an
assistant is found where documents have none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from math import inf, log
from operator import sub
from typing import NamedTuple

from stockpot.rails.grams import (
    Scorer,
    Weighed,
    chunks_of,
    log_odds,
    probability,
    scorer_of,
    shipped,
    stretch_of,
)
from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings

RUN = 3
"""Most sentences of one window."""
SHORT = 3
"""Fewer words are no sentence that could tell a machine to do something."""
_SLACK = 1e-9
"""What rounding may make of a bound."""


class Window(NamedTuple):
    """Chunks `first` up to `last` (without it), and the score of what stands there."""

    first: int
    last: int
    score: float


class _NgramRail:
    """What both have: a model, and the score of the text's worst window."""

    kind = ""
    reach = 0
    found = ""

    def __init__(self, scorer: Scorer, threshold: float | None = None) -> None:
        self.scorer = scorer
        self.threshold = scorer.model.threshold if threshold is None else threshold

    def score(self, text: str) -> float:
        """The greatest score of anything in the text; 0 for a text without words."""
        return max((window.score for window in self.windows(text)), default=0.0)

    def find(self, text: str) -> list[Finding]:
        chunks = chunks_of(text)
        judged = self.judge(self.scorer.weigh(chunks), log_odds(self.threshold) - _SLACK)
        return [
            Finding(*stretch_of(text, chunks, first, last), self.found, score)
            for first, last, score in judged
            if score >= self.threshold
        ]

    def windows(self, text: str) -> list[Window]:
        """What is judged in a text, with scores."""
        return self.judge(self.scorer.weigh(chunks_of(text)))

    def judge(self, weighed: Weighed, least: float = -inf) -> list[Window]:
        """Windows with scores; those of log odds below `least` may be left out, or count less."""
        raise NotImplementedError


class InjectionRail(_NgramRail):
    """Finds at most one stretch of a text, the one that looks most like an attack."""

    kind = "injection"
    found = "PROMPT_INJECTION"

    def judge(self, weighed: Weighed, least: float = -inf) -> list[Window]:
        edges, sums = weighed
        if not sums:
            return []
        chances = log(max(1.0, (len(sums) - sums.count(0)) / RUN))  # ends of lines weigh nothing
        least += chances
        scored = self.scorer.logits(weighed)
        best = max(scored)
        first = scored.index(best)
        worst = edges[first], edges[first + 1]
        shortest = min(map(sub, edges[1:], edges))
        floor = self.scorer.least_sum(max(best, least), 2 * shortest) * (1 - _SLACK)
        for first, last, total in _promising(edges, sums, floor):
            z = self.scorer.logit(total, last - first)
            if z > best:
                best, worst = z, (first, last)
        return [Window(*worst, probability(best - chances))]


class IndirectInjectionRail(_NgramRail):
    """Finds each sentence that tells a machine what to do."""

    kind = "indirect_injection"
    found = "INDIRECT_INJECTION"

    def judge(self, weighed: Weighed, least: float = -inf) -> list[Window]:
        windows = zip(weighed.edges, weighed.edges[1:], self.scorer.logits(weighed), strict=False)
        return [
            Window(first, last, probability(z))
            for first, last, z in windows
            if z >= least and last - first >= SHORT
        ]


def runs(edges: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last chunk (exclusive) of the whole text, then of each one to three sentences."""
    count = len(edges) - 1
    if count > 1:
        yield edges[0], edges[-1]
    for first in range(count):
        for last in range(first + 1, min(first + RUN, count) + 1):
            yield edges[first], edges[last]


def _promising(
    edges: Sequence[int], sums: Sequence[int], floor: float
) -> list[tuple[int, int, int]]:
    """Those of `runs`, of more than one sentence, that can have the greatest score, with sums.

    Dividing by the root of the length, a run of a positive sum gains by losing an end that is not
    positive; and where no sentence is positive, no run beats its best sentence. A run that beats
    it has a sum above `floor`.
    """
    positive = [i for i, total in enumerate(sums) if total > 0]
    if len(sums) == 1 or not positive or sum([sums[i] for i in positive]) <= floor:
        return []
    until = [*accumulate(sums, initial=0)]
    near = [
        (edges[first], edges[last + 1], total)
        for behind in range(1, RUN)
        for first, last in zip(positive, positive[behind:], strict=False)
        if last - first < RUN and (total := until[last + 1] - until[first]) > floor
    ]
    return [(edges[0], edges[-1], until[-1]), *near]


def build_injection(rule: Rule, models: Mapping[str, bytes]) -> InjectionRail:
    return InjectionRail(_scorer(rule, models), rule.threshold)


def build_indirect(rule: Rule, models: Mapping[str, bytes]) -> IndirectInjectionRail:
    return IndirectInjectionRail(_scorer(rule, models), rule.threshold)


def _scorer(rule: Rule, models: Mapping[str, bytes]) -> Scorer:
    name = Settings(rule, ("model",)).text("model", "")
    if name and name not in models:
        raise InvalidRule(
            f"rule {rule.id!r} ({rule.rail}) names the model {name!r}, which is not there",
            hint=f"leave settings.model out, or stockpot guardrails calibrate {rule.rail} FILE "
            "--refit",
        )
    try:
        scorer = scorer_of(models[name] if name else shipped(rule.rail))
    except ValueError as error:
        raise InvalidRule(f"rule {rule.id!r} ({rule.rail}): {error}") from None
    if scorer.model.rail != rule.rail:
        raise InvalidRule(
            f"rule {rule.id!r} ({rule.rail}) names a model that was trained for "
            f"{scorer.model.rail!r}"
        )
    return scorer
