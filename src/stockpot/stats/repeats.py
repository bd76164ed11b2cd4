"""Several trials of one task. Knows counts of successes; knows no agent."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from stockpot.stats.intervals import Estimate, mean


def pass_all(tasks: Sequence[Sequence[bool]], k: int, confidence: float = 0.95) -> Estimate:
    """pass^k: the chance that k trials of a task all succeed, averaged over tasks. Without bias for
    each task with n >= k trials and c successes: C(c, k) / C(n, k) (Yao et al. 2024, tau-bench,
    arXiv:2406.12045)."""
    return mean([comb(sum(trials), k) / comb(_enough(trials, k), k) for trials in tasks],
                confidence)  # fmt: skip


def pass_any(tasks: Sequence[Sequence[bool]], k: int, confidence: float = 0.95) -> Estimate:
    """pass@k: the chance that at least one of k trials succeeds: 1 - C(n - c, k) / C(n, k) (Chen et
    al. 2021, arXiv:2107.03374)."""
    shares = [
        1 - comb(len(trials) - sum(trials), k) / comb(_enough(trials, k), k) for trials in tasks
    ]
    return mean(shares, confidence)


def _enough(trials: Sequence[bool], k: int) -> int:
    if not 1 <= k <= len(trials):
        raise ValueError(f"{len(trials)} trials of a task cannot tell of {k}")
    return len(trials)
