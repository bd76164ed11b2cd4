"""What an answer took: time and money. Lower is better."""

from __future__ import annotations

from stockpot.evals.scorers.base import Case, Scorer


class Latency(Scorer):
    """Milliseconds until the whole answer was there."""

    name, returns, better, unit = "latency", "number", "lower", "ms"

    def score(self, case: Case) -> float | None:
        return case.latency_ms


class Cost(Scorer):
    """Nano-dollars of the call; no score where no price is known."""

    name, returns, better, unit = "cost", "number", "lower", "nano"

    def score(self, case: Case) -> tuple[float | None, str]:
        if case.cost_nano is None:
            return None, "no price is known"
        return float(case.cost_nano), ""
