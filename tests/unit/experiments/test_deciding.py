"""Which step the figures of a running experiment justify."""

from __future__ import annotations

from typing import Any

import pytest

from stockpot.experiments.deciding import Step, decide
from stockpot.experiments.measuring import measure
from stockpot.experiments.models import Experiment
from stockpot.experiments.service.reporting import informed
from stockpot.traces import Badge, UnitSums

HOUR_MS = 3_600_000.0


def shares(n: int, share: float) -> UnitSums:
    """Units of which this share said yes."""
    yes = round(n * share)
    return UnitSums(n, yes, yes, n)


def experiment(*metrics: dict[str, Any], **more: Any) -> Experiment:
    arms = [{"name": "old", "weight": 5000}, {"name": "new", "weight": 5000}]
    told = {
        "id": "exp_1", "project": "p", "name": "e", "subject": "menu@production", "arms": arms,
        "metrics": metrics, "first_share": 10_000, "state": "running", "started_ms": 1.0,
        "created_ms": 0.0, "created_by": "", "changed_ms": 0.0,
    }  # fmt: skip
    return Experiment.model_validate(told | more)


def thumbs(role: str, margin: float = 0.0) -> dict[str, Any]:
    return {"name": "feedback:thumbs", "role": role, "margin": margin, "kind": "proportion"}


def decided(of: Experiment, old: UnitSums, new: UnitSums, now_ms: float = 0.0) -> Step | None:
    found = {("calls", "old"): old, ("calls", "new"): new}
    found |= {(m.name, arm): sums for m in of.metrics for (_, arm), sums in tuple(found.items())}
    return decide(of, measure(of, found, now_ms), now_ms)


def test_a_guardrail_that_is_surely_broken_rolls_back_with_its_figures() -> None:
    of = experiment(thumbs("primary"), thumbs("guardrail", 0.1))
    step = decided(of, shares(600, 0.9), shares(600, 0.5))
    assert step is not None
    assert (step.kind, step.arm) == ("rolled_back", "new")
    harm = next(m for m in step.figures["metrics"] if m["role"] == "guardrail")
    assert harm["high"] < -0.1
    assert decided(of, shares(600, 0.9), shares(600, 0.88)) is None


def test_a_judge_without_a_valid_certificate_rolls_nothing_back_and_wins_nothing() -> None:
    of = experiment({**thumbs("guardrail", 0.1), "name": "score:polite"})
    broken = shares(600, 0.9), shares(600, 0.5)
    weak = Badge(judge="judge:polite@1", state="expired", words="the model changed")
    sound = Badge(judge="judge:polite@1", state="certified", kappa=0.7, low=0.5, high=0.9, n=90)
    assert decided(informed(of, {"score:polite": (weak,)}), *broken) is None
    step = decided(informed(of, {"score:polite": (sound,)}), *broken)
    assert step is not None
    assert step.kind == "rolled_back"


def test_being_worse_within_the_margin_is_not_yet_lost() -> None:
    of = experiment(thumbs("primary", 0.2))
    assert decided(of, shares(400, 0.90), shares(400, 0.72)) is None
    step = decided(of, shares(20_000, 0.90), shares(20_000, 0.72))
    assert step is not None
    assert (step.kind, step.arm) == ("concluded", "new")


@pytest.mark.parametrize(("share", "arm"), [(0.6, "old"), (0.95, "new")])
def test_a_primary_metric_without_a_margin_is_won_or_lost(share: float, arm: str) -> None:
    step = decided(experiment(thumbs("primary")), shares(3_000, 0.8), shares(3_000, share))
    assert step is not None
    assert (step.kind, step.arm) == ("concluded", arm)


def test_a_split_that_is_not_by_the_weights_raises_one_alarm_and_stops_the_ramp() -> None:
    ramp = [{"share": 10_000, "after_s": 0}]
    of = experiment(thumbs("secondary"), share=1_000, first_share=1_000, ramp=ramp)
    uneven = shares(3_000, 0.8), shares(2_000, 0.8)
    step = decided(of, *uneven)
    assert step is not None
    assert step.kind == "srm_alarm"
    alarmed = of.model_copy(update={"alarmed": True})
    assert decided(alarmed, *uneven) is None


def test_a_stage_that_has_lasted_leads_to_the_next_unless_a_guardrail_looks_bad() -> None:
    ramp = [{"share": 5_000, "after_s": 3600, "units": 200}]
    of = experiment(thumbs("guardrail", 0.05), share=1_000, first_share=1_000, ramp=ramp)
    well, badly = shares(300, 0.9), shares(300, 0.8)
    assert decided(of, well, well, HOUR_MS / 2) is None
    assert decided(of, well, badly, 1 + HOUR_MS) is None
    step = decided(of, well, well, 1 + HOUR_MS)
    assert step is not None
    assert (step.kind, step.share) == ("ramped", 5_000)


def test_nothing_is_decided_of_what_does_not_run() -> None:
    of = experiment(thumbs("guardrail", 0.1), state="draft")
    assert decided(of, shares(600, 0.9), shares(600, 0.1)) is None
