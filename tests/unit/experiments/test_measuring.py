"""What sums over units say, and which step they justify."""

from __future__ import annotations

import random
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from stockpot.core.errors import InvalidInput
from stockpot.experiments.deciding import Step, decide
from stockpot.experiments.measuring import Measured, measure
from stockpot.experiments.models import (
    ArmDifference,
    Experiment,
    ExperimentPlanRequest,
    NewExperiment,
)
from stockpot.experiments.planning import plan
from stockpot.traces import UnitSums

HOUR_MS = 3_600_000.0
GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "experiments.md"
ERROR = {"name": "error", "role": "guardrail", "margin": 0.02}
QUALITY = {"name": "score:quality", "role": "primary"}


def experiment(*metrics: dict[str, Any], **changes: Any) -> Experiment:
    arms = ({"name": "now", "weight": 5000}, {"name": "new", "weight": 5000})
    given: dict[str, Any] = {
        "name": "tone", "subject": "menu@production", "arms": arms, "metrics": metrics,
        "id": "exp_1", "project": "menu", "first_share": 10_000, "state": "running",
        "started_ms": 0.0, "stage_ms": 0.0, "created_ms": 0.0, "created_by": "ana",
        "changed_ms": 0.0, "unit": "session",
    }  # fmt: skip
    return Experiment(**{**given, **changes})


def of(values: list[float]) -> UnitSums:
    return UnitSums(len(values), sum(values), sum(v * v for v in values), len(values))


def seen(now: int, new: int, **metrics: tuple[list[float], list[float]]) -> Any:
    """Sums by metric and arm; `score_x` stands for `score:x`."""
    found = {("calls", "now"): of([1.0] * now), ("calls", "new"): of([1.0] * new)}
    for name, values in metrics.items():
        for arm, some in zip(("now", "new"), values, strict=True):
            found[name.replace("_", ":", 1) if name.startswith("score") else name, arm] = of(some)
    return found


def told(one: Experiment, found: Any, now_ms: float = HOUR_MS) -> Measured:
    return measure(one, found, now_ms)


def step(one: Experiment, found: Any, now_ms: float = HOUR_MS) -> Step | None:
    return decide(one, told(one, found, now_ms), now_ms)


def difference(one: Experiment, found: Any) -> ArmDifference:
    return told(one, found).metrics[0].differences[0]


def spread(rng: random.Random, n: int, mean: float) -> list[float]:
    return [rng.gauss(mean, 1.0) for _ in range(n)]


def test_an_arm_that_fails_is_rolled_back_after_a_few_units() -> None:
    found = seen(20, 20, error=([0.0] * 20, [1.0] * 20))
    made = step(experiment(ERROR), found)
    assert made is not None
    assert (made.kind, made.arm) == ("rolled_back", "new")
    (figure,) = made.figures["metrics"]
    assert figure["low"] > figure["margin"] == 0.02
    assert made.figures["arms"][1] == {"arm": "new", "units": 20, "calls": 20}
    assert step(experiment(ERROR), seen(4, 4, error=([0.0] * 4, [1.0] * 4))) is None


def test_no_failure_among_few_units_proves_nothing_and_among_many_it_does() -> None:
    for units, verdict in ((150, "open"), (3000, "not_worse")):
        found = seen(units, units, error=([0.0] * units, [0.0] * units))
        assert difference(experiment(ERROR), found).verdict == verdict


def test_a_margin_may_be_a_share_of_the_control() -> None:
    rng = random.Random(1)
    values = ([10 * v for v in spread(rng, 2000, 80)], [10 * v for v in spread(rng, 2000, 84)])
    for margin, verdict in ((0.02, "harmed"), (0.1, "not_worse"), (0.05, "worse")):
        metric = {"name": "latency_ms", "role": "guardrail", "margin": margin, "relative": True}
        d = difference(experiment(metric), seen(2000, 2000, latency_ms=values))
        assert (d.verdict, round(d.margin)) == (verdict, round(800 * margin))


def test_the_winner_is_better_in_one_primary_metric_and_not_worse_in_the_other() -> None:
    rng = random.Random(2)
    cheap = ([v + 9 for v in spread(rng, 900, 0)], [v + 5 for v in spread(rng, 900, 0)])
    quality = (spread(rng, 900, 4.0), spread(rng, 900, 3.95))
    cost = {"name": "cost", "role": "primary"}
    for margin, kind in ((0.5, "concluded"), (0.0, None)):
        one = experiment(cost, {**QUALITY, "margin": margin})
        made = step(one, seen(900, 900, cost=cheap, score_quality=quality))
        assert (made and made.kind) == kind
        assert not made or made.arm == "new"


def test_the_control_wins_when_no_arm_can() -> None:
    rng = random.Random(3)
    found = seen(900, 900, score_quality=(spread(rng, 900, 4.0), spread(rng, 900, 3.0)))
    made = step(experiment(QUALITY), found)
    assert made is not None
    assert (made.kind, made.arm) == ("concluded", "now")


def test_a_skewed_split_raises_one_alarm_and_stops_what_would_follow() -> None:
    one = experiment(QUALITY, ramp=({"share": 10_000},), share=1000)
    found = seen(600, 900)
    made = step(one, found)
    assert made is not None
    assert made.kind == "srm_alarm"
    assert step(one.model_copy(update={"alarmed": True}), found) is None
    failing = seen(600, 900, error=([0.0] * 600, [1.0] * 900))
    broken = step(experiment(QUALITY, ERROR, alarmed=True), failing)
    assert broken is not None
    assert broken.kind == "rolled_back"


@pytest.mark.parametrize(
    ("units", "hours", "failing", "due"),
    [(200, 25, 0.0, True), (199, 25, 0.0, False), (200, 23, 0.0, False), (200, 25, 0.035, False)],
)
def test_a_stage_ends_with_its_time_its_units_and_no_bad_sign(
    units: int, hours: float, failing: float, due: bool
) -> None:
    one = experiment(
        ERROR, share=1000, first_share=1000,
        ramp=({"share": 5000, "after_s": 86_400, "units": 200}, {"share": 10_000}),
    )  # fmt: skip
    bad = round(units * failing)
    errors = ([0.0] * units, [1.0] * bad + [0.0] * (units - bad))
    made = step(one, seen(units, units, error=errors), hours * HOUR_MS)
    assert (made is not None) is due
    assert made is None or (made.kind, made.share) == ("ramped", 5000)


def test_secondary_metrics_alone_are_adjusted() -> None:
    rng = random.Random(4)
    names = ("tokens", "cost", "latency_ms")
    values = {name: (spread(rng, 400, 9.0), spread(rng, 400, 9.3)) for name in names}
    metrics = [{"name": name} for name in names[:2]] + [{"name": names[2], "role": "primary"}]
    found = told(experiment(*metrics), seen(400, 400, **values)).metrics
    first, second, primary = (report.differences[0] for report in found)
    assert primary.p_adjusted is None
    for one in (first, second):
        assert one.p is not None
        assert one.p_adjusted is not None
        assert one.p <= one.p_adjusted <= min(1.0, 2 * one.p) + 1e-12


def test_what_people_did_before_narrows_the_interval() -> None:
    rng = random.Random(5)
    sums = {}
    for arm, effect in (("now", 0.0), ("new", 0.1)):
        pairs = [(x, x + effect + rng.gauss(0, 0.3)) for x in spread(rng, 500, 5.0)]
        sums["tokens", arm] = of([y for _, y in pairs])._replace(
            known=500, before=sum(x for x, _ in pairs), known_total=sum(y for _, y in pairs),
            before_squares=sum(x * x for x, _ in pairs), products=sum(x * y for x, y in pairs),
        )  # fmt: skip
    found = {**seen(500, 500), **sums}
    metric = {"name": "tokens", "role": "primary", "direction": "up"}
    plain = difference(experiment(metric), found)
    adjusted = difference(experiment(metric, unit="user"), found)
    assert (plain.verdict, adjusted.verdict) == ("open", "better")


def test_looking_all_the_time_rolls_an_innocent_arm_back_rarely_enough() -> None:
    """At margin 0, where every false alarm is one; alpha .05, fixed seed."""
    rng, runs, false = random.Random(20_240_501), 120, 0
    one = experiment({**ERROR, "margin": 0.0})
    for _ in range(runs):
        counts = [0, 0]
        for look in range(1, 13):
            counts = [c + sum(rng.random() < 0.1 for _ in range(25)) for c in counts]
            n = 25 * look
            sums = [UnitSums(n, float(c), float(c), n) for c in counts]
            found = {**seen(n, n), ("error", "now"): sums[0], ("error", "new"): sums[1]}
            if step(one, found):
                false += 1
                break
    assert false <= binom.ppf(0.99, runs, 0.05)


def test_the_file_of_the_guide_is_an_experiment() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", GUIDE.read_text("utf-8"), re.DOTALL)
    made = NewExperiment(name="tone", **tomllib.loads(text))
    assert made.compared_with == "now"
    assert [metric.direction for metric in made.metrics] == ["up", "down", "down", "down"]
    assert made.metrics[1].kind == "proportion"


def test_a_plan_says_what_shows_and_how_long_it_takes() -> None:
    asked = ExperimentPlanRequest(
        baseline=0.05, kind="proportion", effect=0.01, units_per_day=2000, days=14
    )
    made = plan(asked)
    assert made.units == 28_000
    assert made.detectable is not None
    assert made.needed_days is not None
    assert made.median_days is not None
    assert 0.008 < made.detectable < 0.014
    assert 10 < made.needed_days < 25
    assert made.median_days < made.needed_days
    half = plan(asked.model_copy(update={"share": 5000}))
    assert half.needed_days == pytest.approx(2 * made.needed_days)
    with pytest.raises(InvalidInput, match="spread"):
        plan(asked.model_copy(update={"kind": "mean"}))
