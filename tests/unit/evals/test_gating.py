"""Comparisons name what differs; a gate fails what got worse, names the cases, and nothing else."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.evals.comparing import (
    case_differences,
    compared,
    differing,
    paired,
    pareto,
    warnings_of,
)
from stockpot.evals.files import read_rows, read_suite, row_of
from stockpot.evals.forecasting import forecast_of
from stockpot.evals.gating import decided
from stockpot.evals.measuring import Metric, all_measured, metrics_of
from stockpot.evals.models import (
    GateSpec,
    ParetoPoint,
    Progress,
    Result,
    Row,
    Rule,
    Run,
    ScorerSpec,
    SuiteSpec,
    Verdict,
)
from stockpot.evals.reports import junit, markdown
from stockpot.evals.scorers import Case, judge_of, made
from stockpot.pytest_plugin import Outcome
from stockpot.traces import Badge

SPEC = SuiteSpec(
    name="menu", target={"kind": "prompt", "prompt": "menu@1"},
    scorers=[{"use": "exact"}, {"use": "latency"}],
)  # fmt: skip
SCORERS = [made(spec) for spec in SPEC.scorers]
METRICS = metrics_of(SPEC, SCORERS)


def results(values: list[float], *, clusters: int = 0, ms: float = 10.0) -> list[Result]:
    return [
        Result(item=f"r{n}", cluster=f"c{n % clusters}" if clusters else "", output=str(value),
               slices=("lang=de",) if n % 2 else ("lang=en",), latency_ms=ms + n % 3,
               scores={"exact": Verdict(value=value, reason="" if value else "it is not"),
                       "latency": Verdict(value=ms + n % 3)})
        for n, value in enumerate(values)
    ]  # fmt: skip


def run(name: str, found: list[Result], spec: SuiteSpec = SPEC, **arm: Any) -> Run:
    cases = [Case(item=one.item, input={}, expected="1.0", metadata={}, output=one.output,
                  cluster=one.cluster) for one in found]  # fmt: skip
    return Run(
        id=name, project="default", suite="menu", spec=spec, state="done", runner="instance",
        dataset="d", dataset_version=1, dataset_hash="h", message="", error="",
        arm={"kind": "prompt", "prompt": "menu", "prompt_version": 1, "model": "m", **arm},
        progress=Progress(rows=len(found), done=len(found), failed=0, cached=0, cost_nano=0,
                          saved_nano=0, seconds=1.0),
        estimate_nano=None, metrics=all_measured(spec, SCORERS, cases, found), gate=None,
        created_ms=1, started_ms=1, finished_ms=2, created_by="ana",
    )  # fmt: skip


def gate(base: list[Result], candidate: list[Result], **rules: Any) -> Any:
    spec = GateSpec(**rules)
    return decided(run("b", candidate), candidate, run("a", base), base, METRICS, spec)


def test_a_regression_fails_the_gate_and_its_cases_are_named() -> None:
    told = gate(results([1.0] * 40), results([1.0] * 28 + [0.0] * 12))
    assert not told.passed
    failed = {(check.metric, check.slice) for check in told.checks if not check.passed}
    assert ("exact", "") in failed
    assert {case.item for case in told.cases} == {f"r{n}" for n in range(28, 40)}
    assert all(case.reason == "it is not" for case in told.cases)


def test_noise_passes_also_with_many_slices() -> None:
    rng, alarms = random.Random(8), 0
    for _ in range(100):
        base = results([float(rng.random() < 0.7) for _ in range(60)])
        candidate = results([float(rng.random() < 0.7) for _ in range(60)])
        alarms += not gate(base, candidate).passed
    assert alarms <= 9  # at most 5 % are asked for; 9 of 100 is its 99 % bound


def test_a_margin_asks_for_proof_that_it_is_not_worse() -> None:
    base, candidate = results([1.0] * 40), results([1.0] * 38 + [0.0] * 2)
    assert gate(base, candidate).passed  # no regression is shown
    strict = gate(base, candidate, metrics={"exact": Rule(margin=0.02)})
    assert not strict.passed
    assert gate(base, candidate, metrics={"exact": Rule(margin=0.2)}).passed


def test_bounds_are_looked_at_and_time_counts_where_a_rule_names_it() -> None:
    base, slow = results([1.0] * 40), results([1.0] * 40, ms=100)
    assert gate(base, slow).passed
    assert not gate(base, slow, metrics={"latency": Rule(margin=5)}).passed
    assert not gate(base, slow, metrics={"latency": Rule(maximum=50)}).passed
    assert not gate(base, base, metrics={"exact": Rule(minimum=1.01)}).passed
    assert not gate(base, base, metrics={"nothing": Rule(minimum=0)}).passed


def test_rows_that_failed_fail_the_gate_unless_some_may() -> None:
    found = results([1.0] * 20)
    whole = run("b", found)
    bad = whole.model_copy(update={"progress": whole.progress.model_copy(update={"failed": 1})})
    assert not decided(bad, found, None, [], METRICS, GateSpec()).passed
    assert decided(bad, found, None, [], METRICS, GateSpec(max_errors=0.1)).passed


def test_two_things_that_differ_are_warned_of() -> None:
    found = results([1.0] * 4)
    one, other = run("a", found), run("b", found, prompt_version=2)
    assert differing(one, other) == ("prompt version",)
    assert warnings_of(one, other, paired(found, found)) == ()
    both = run("c", found, prompt_version=2, model="n")
    assert differing(one, both) == ("prompt version", "model")
    assert "more than one thing" in warnings_of(one, both, paired(found, found))[0]


def test_a_comparison_is_by_row_by_cluster_and_by_slice() -> None:
    base, candidate = results([0.0] * 20 + [1.0] * 20), results([1.0] * 40)
    pairs = paired(base[5:], candidate)
    assert (len(pairs.base), pairs.only_base, pairs.only_candidate) == (35, 0, 5)
    rows = {(row.metric, row.slice): row for row in compared(pairs, METRICS)}
    whole = rows["exact", ""]
    assert (whole.better, whole.worse, whole.test, whole.verdict) == (15, 0, "exact McNemar",
                                                                      "better")  # fmt: skip
    assert whole.p_adjusted > whole.p
    assert rows["exact", "lang=de"].n == 18
    grouped = compared(paired(results([0.0] * 40, clusters=5), results([1.0] * 40, clusters=5)),
                       {"exact": METRICS["exact"]}, only="")  # fmt: skip
    assert (grouped[0].clusters, grouped[0].test) == (5, "clustered t")
    cases = case_differences(pairs, METRICS)
    assert {case.change for case in cases} == {"better"}
    assert len(cases) == 15


def test_a_lower_latency_is_better() -> None:
    pairs = paired(results([1.0] * 30, ms=50), results([1.0] * 30, ms=10))
    (row,) = compared(pairs, {"latency": METRICS["latency"]}, only="")
    assert row.difference == pytest.approx(-40)
    assert (row.better, row.worse) == (30, 0)


def test_a_run_that_is_beaten_in_everything_is_not_on_the_front() -> None:
    def point(name: str, quality: float, cost: float) -> ParetoPoint:
        return ParetoPoint(run=name, label=name, quality=quality, cost_nano=cost, latency_ms=1.0,
                           dominated=False)  # fmt: skip

    told = pareto([point("a", 0.9, 10), point("b", 0.8, 5), point("c", 0.7, 7)])
    assert [one.dominated for one in told] == [False, False, True]


def test_slices_and_repeats_have_metrics_of_their_own() -> None:
    spec = SPEC.model_copy(update={"repeats": 2})
    twice = [one.model_copy(update={"repeat": n}) for one in results([1.0, 0.0]) for n in (0, 1)]
    twice[3] = twice[3].model_copy(update={"scores": {"exact": Verdict(value=1.0)}})
    told = {(m.metric, m.slice): m for m in run("a", twice, spec).metrics}
    assert told["exact", ""].clusters == 2  # repeats of a row belong together
    assert told["exact.pass^2", ""].value == 0.5
    assert told["exact", "lang=de"].n == 2


def test_reports_say_which_check_failed_and_why() -> None:
    base, candidate = results([1.0] * 40), results([1.0] * 28 + [0.0] * 12)
    told = gate(base, candidate).model_dump(mode="json")
    told["cases"][0]["reason"] = "a <tag> & \x00 | pipe"
    shown = run("b", candidate).model_dump(mode="json")
    tree = ET.fromstring(junit(shown, told))
    failures = tree.findall(".//failure")
    assert tree.get("failures") == str(len(failures))
    assert "r28" in (failures[0].text or "")
    text = markdown(shown, told)
    assert "## menu: FAILED" in text
    assert "| r29 | exact |" in text
    assert "a <tag> & \x00 \\| pipe" in text


SUITE = '[target]\nkind = "recorded"\n[[scorers]]\nuse = "exact"\n'


def test_a_suite_and_its_rows_are_read_from_files(tmp_path: Any) -> None:
    file = tmp_path / "menu.toml"
    file.write_text(
        'rows = "menu.jsonl"\n[target]\nkind = "recorded"\n[[scorers]]\nuse = "exact"\n'
    )
    (tmp_path / "menu.jsonl").write_text('{"question": "?", "expected": "a"}\n\n{"input": 1}\n')
    told = read_suite(file)
    assert (told.spec.name, told.project, told.rows) == ("menu", "default", tmp_path / "menu.jsonl")
    first, second = read_rows(tmp_path / "menu.jsonl")
    assert (first.input, first.expected, second.input) == ({"question": "?"}, "a", 1)
    assert first.id != second.id
    assert row_of({"id": 7, "input": 1, "lang": "de"}).metadata == {"lang": "de"}
    file.write_text('[target]\nkind = "recorded"\n[[scorer]]\nuse = "exact"\n')
    with pytest.raises(InvalidInput, match="scorers"):
        read_suite(file)
    file.write_text(
        '[target]\nkind = "recorded"\n[[scorers]]\nuse = "exact"\n[gate]\nconfidense = 1\n'
    )
    with pytest.raises(InvalidInput, match="Did you mean 'confidence'"):
        read_suite(file)


def test_a_metric_is_told_with_its_name() -> None:
    assert METRICS["latency"] == Metric("latency", "lower", "ms", False)


def test_a_judge_without_a_valid_certificate_is_left_out_and_its_rule_refused() -> None:
    good, bad = results([1.0] * 60), results([1.0] * 20 + [0.0] * 40)
    weak = {"exact": Badge(judge="judge:right@1", state="uncertified", words="kappa is low")}
    sound = {"exact": Badge(judge="judge:right@1", state="certified", kappa=0.8, low=0.6, n=90)}

    def word(badges: dict[str, Badge], **rules: Any) -> Any:
        told = GateSpec(metrics={name: Rule(**rule) for name, rule in rules.items()})
        return decided(run("b", bad), bad, run("a", good), good, METRICS, told, badges)

    assert not word(sound).passed
    left_out = word(weak)
    assert left_out.passed
    assert "may inform, never gate" in left_out.warnings[-1]
    refused = word(weak, exact={"minimum": 0.1})
    assert not refused.passed
    assert any("Certify it" in check.words for check in refused.checks)
    alone = {**METRICS, "exact": METRICS["exact"]}
    alone.pop("latency")
    gone = decided(run("b", bad), bad, run("a", good), good, alone, GateSpec(), weak)
    assert not gone.passed
    assert any("nothing is left to decide by" in check.words for check in gone.checks)


def test_what_a_judge_once_said_is_a_judges_word_whoever_plays_it_back() -> None:
    told: list[Any] = [{"use": "recorded", "options": {"judge": "gpt-4@1"}}, {"use": "recorded"},
                       {"use": "exact"}]  # fmt: skip
    spec = SuiteSpec(name="menu", target={"kind": "recorded"}, scorers=told[:1] + told[2:])
    assert judge_of(spec.scorers[0]) == "judge:gpt-4@1"
    assert judge_of(ScorerSpec(**told[1])) == "judge:an unnamed judge"
    rows = [Row(id=str(n), input="soup") for n in range(3)]
    found = forecast_of(spec, rows, 0, 0, None, (), ())
    assert (found.judges_calls, found.cost_nano) == (0, 0)
    other = spec.model_copy(update={"scorers": spec.scorers[1:]})
    plain = run("a", results([1.0]))
    one, two = (plain.model_copy(update={"spec": each}) for each in (spec, other))
    assert differing(one, one) == ()
    assert "scorers" in differing(one, two)


def test_a_suite_as_a_test_tells_a_judges_certificate_beside_what_failed() -> None:
    badge = Badge(judge="judge:right@1", state="certified", kappa=0.8, low=0.6, high=0.9, n=90)
    good, bad = results([1.0] * 60), results([1.0] * 20 + [0.0] * 40)
    told = decided(run("b", bad), bad, run("a", good), good, METRICS, GateSpec(), {"exact": badge})
    outcome = Outcome(run={}, gate=told.model_dump(mode="json"))
    assert "[certified, kappa 0.80 [0.60, 0.90], n=90]" in outcome.words.splitlines()[0]
