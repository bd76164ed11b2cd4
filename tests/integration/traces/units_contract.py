"""What every span store must tell of the units of experiments: the same as their spans."""

from __future__ import annotations

import json
import math
import random
from collections import defaultdict

import msgspec
import pytest

from stockpot.traces.models import TraceFilter
from stockpot.traces.store import Batch, NewSpan, SpanStore
from stockpot.traces.store.orders import Erase, Expire, Priced, Reprice
from stockpot.traces.unit_figures import UNIT_METRICS, UnitSums
from tests.unit.traces.made import AT_NS, make_span

DAY_NS = 86_400_000_000_000
Means = dict[tuple[str, str], dict[str, float]]
"""By metric and arm: each unit's mean."""


def exposed(rng: random.Random, number: int) -> NewSpan:
    """A call of one of a few people, in one of two experiments or in both or in none."""
    person = rng.randrange(9)
    exposures = []
    if rng.random() < 0.8:
        # Person 3 came into both arms of the first experiment.
        arm = rng.choice("ab") if person == 3 else "ab"[person % 2]
        exposures.append(["menu-tone", arm, f"unit{person}"])
    if rng.random() < 0.4:
        exposures.append(["cheap", "xy"[person % 2], f"other{person}"])
    return make_span(
        number, source="gateway", kind="llm", user=f"person{person}",
        is_root=rng.random() < 0.8, status=rng.choice(("ok", "ok", "error", "refused",
        "interrupted")), ttft_ns=rng.choice((None, 80_000_000)), input_tokens=rng.randrange(50),
        output_tokens=rng.randrange(50), cost_nano=rng.choice((None, 10, 300)),
        exposures=json.dumps(exposures) if exposures else "",
    )  # fmt: skip


def means(spans: list[NewSpan], experiment: str) -> Means:
    """The same figures, counted plainly."""
    sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0.0])
    arms = defaultdict(set)
    for span in spans:
        if span.status == "refused":
            continue
        for name, arm, unit in json.loads(span.exposures or "[]"):
            if name != experiment:
                continue
            told: dict[str, float | None] = {"tokens": span.input_tokens + span.output_tokens}
            told["cost"] = span.cost_nano
            if span.is_root:
                arms[unit].add(arm)
                told |= {"calls": 1, "ttft_ms": span.ttft_ns and span.ttft_ns / 1e6}
                if span.status != "interrupted":
                    told |= {"error": span.status != "ok", "latency_ms": span.duration_ns / 1e6}
            for metric, value in told.items():
                if value is not None:
                    one = sums[metric, arm, unit]
                    one[0] += span.is_root
                    one[1] += value
    found: Means = defaultdict(dict)
    for (metric, arm, unit), (n, total) in sums.items():
        if n and len(arms[unit]) == 1:
            found[metric, arm][unit] = total / n
    return dict(found)


def check(store: SpanStore, spans: list[NewSpan], experiment: str) -> None:
    expected = means(spans, experiment)
    told = store.units("menu", experiment, 0)
    assert set(told.sums) == set(expected)
    for key, by_unit in expected.items():
        assert key[0] in UNIT_METRICS
        of, values = told.sums[key], by_unit.values()
        assert of.n == len(by_unit)
        assert of.total == pytest.approx(math.fsum(values))
        assert of.squares == pytest.approx(math.fsum(v * v for v in values))


def work_of_calls() -> list[NewSpan]:
    """An application's work that fails, a step of it, two calls and an attempt in it, which an
    experiment of the gateway counts too, and a call outside of it."""
    tone, other = ["tone", "a", "u1"], ["routes", "x", "u1"]
    work = make_span(1, source="sdk", kind="agent", status="error", exposures=json.dumps([tone]),
                     duration_ns=900_000_000, cost_nano=None)  # fmt: skip
    step = make_span(2, source="sdk", kind="workflow", trace_id=work.trace_id, is_root=False,
                     parent_id=work.span_id, exposures=work.exposures)  # fmt: skip
    about = {"source": "gateway", "kind": "llm", "status": "ok", "duration_ns": 100_000_000,
             "input_tokens": 3, "output_tokens": 2, "ttft_ns": 50_000_000, "cost_nano": 20,
             "exposures": json.dumps([tone, other])}  # fmt: skip
    inside = {**about, "trace_id": work.trace_id, "parent_id": step.span_id}
    calls = [make_span(number, **inside) for number in (3, 4)]
    attempt = make_span(5, **{**inside, "is_root": False, "status": "error"})
    return [work, step, *calls, attempt, make_span(6, **about)]


class UnitsContract:
    """Of every engine."""

    @pytest.mark.parametrize("seed", range(3))
    def test_units_are_what_their_spans_make_them(self, store: SpanStore, seed: int) -> None:
        """In whatever batches spans come, also again; after other prices, and after an erasure."""
        rng = random.Random(seed)
        spans = [exposed(rng, number) for number in range(300)]
        waiting = list(spans)
        rng.shuffle(waiting)
        while waiting:
            size = rng.randrange(1, 60)
            batch, waiting = waiting[:size], waiting[size:]
            store.append([Batch([(span, None) for span in batch])])
            again = [msgspec.structs.replace(span) for span in batch[: size // 2]]
            store.append([Batch([(span, None) for span in again])])
        for experiment in ("menu-tone", "cheap"):
            check(store, spans, experiment)
        crossed = store.units("menu", "menu-tone", 0).crossed
        assert crossed == {"unit3"}

        again = rng.sample(spans, 40)
        for span in again:
            span.cost_nano = rng.choice((None, 7, 900))
        told = [Priced(s.id, s.cost_nano, "", "", "", "", s.saved_nano) for s in again]
        store.perform(Reprice(tuple(told)))
        check(store, spans, "menu-tone")

        while store.perform(Erase("person2", "menu")).more:
            pass
        left = [span for span in spans if span.user != "person2"]
        check(store, left, "menu-tone")
        check(store, left, "cheap")

    def test_a_unit_knows_what_its_person_did_before(self, store: SpanStore) -> None:
        def call(number: int, ms: int, exposures: str = "") -> NewSpan:
            return make_span(
                number, source="gateway", user="ann", is_root=True, status="ok",
                duration_ns=ms * 1_000_000, exposures=exposures,
            )  # fmt: skip

        store.append([Batch([(call(1, 100), None), (call(2, 300), None)])])
        store.append([Batch([(call(3, 500, '[["tone","a","u1"]]'), None)])])
        store.append([Batch([(call(4, 700, '[["tone","a","u1"]]'), None)])])
        latency = store.units("menu", "tone", 0).sums["latency_ms", "a"]
        assert latency == UnitSums(1, 600.0, 360_000.0, 2, 1, 200.0, 40_000.0, 120_000.0, 600.0)

    @pytest.mark.parametrize("again", [True, False], ids=["again", "once"])
    @pytest.mark.parametrize("told_on", [True, False], ids=["told-on", "not-told-on"])
    @pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2)])
    def test_a_call_that_the_application_and_the_gateway_tell_is_one_observation(
        self, store: SpanStore, order: tuple[int, ...], told_on: bool, again: bool
    ) -> None:
        """In whatever order they come, whether or not the gateway heard of the experiment, and
        also where senders send with each what they sent before."""
        exposures = '[["tone","a","u1"]]'
        work = make_span(1, source="sdk", kind="span", cost_nano=0, exposures=exposures)
        inside = {"trace_id": work.trace_id, "is_root": False, "exposures": exposures}
        told = make_span(
            2, source="otlp", kind="llm", parent_id=work.span_id, duration_ns=90_000_000,
            input_tokens=7, output_tokens=5, cost_nano=3_000, ttft_ns=60_000_000, **inside,
        )  # fmt: skip
        served = make_span(3, **{
            **inside, "source": "gateway", "kind": "llm", "parent_id": told.span_id,
            "is_root": True, "exposures": exposures if told_on else "", "duration_ns": 80_000_000,
            "ttft_ns": 50_000_000, "input_tokens": 7, "output_tokens": 5, "cost_nano": 4_000,
        })  # fmt: skip
        for place, number in enumerate(order):
            sent = [*order[: place * again], number]
            every = [msgspec.structs.replace((work, told, served)[one]) for one in sent]
            store.append([Batch([(span, None) for span in every])])
        sums = store.units("menu", "tone", 0).sums
        assert sums["cost", "a"] == UnitSums(1, 4_000.0, 16e6, 1)
        assert sums["tokens", "a"] == UnitSums(1, 12.0, 144.0, 1)
        assert sums["ttft_ms", "a"] == UnitSums(1, 50.0, 2_500.0, 1)
        assert sums["calls", "a"].calls == 1, "what the user saw"
        assert sums["latency_ms", "a"].total == pytest.approx(work.duration_ns / 1e6)
        assert len(store.traces(TraceFilter(experiment="tone", variant="a"), limit=9).items) == 1

    @pytest.mark.parametrize("seed", range(2))
    def test_work_of_several_calls_is_one_observation_of_its_unit(
        self, store: SpanStore, seed: int
    ) -> None:
        """However its spans come; what the work cost is the sum, and prices may change later."""
        work, *others = work_of_calls()
        waiting = [work, *others]
        random.Random(seed).shuffle(waiting)
        for span in waiting:
            store.append([Batch([(span, None)])])
        sums = store.units("menu", "tone", 0).sums
        assert sums["calls", "a"].calls == 2, "the work, and the call without any"
        assert sums["error", "a"].total == 0.5
        assert sums["latency_ms", "a"].total == 500
        assert sums["cost", "a"].total == (60 + 20) / 2
        assert sums["tokens", "a"].total == (15 + 5) / 2
        assert sums["ttft_ms", "a"].total == 50
        calls_of_other = store.units("menu", "routes", 0).sums
        assert calls_of_other["calls", "x"].calls == 3, "the work takes no part in that one"
        assert calls_of_other["cost", "x"].total == 80 / 3
        store.perform(Reprice((Priced(others[2].id, 100, "", "", "", "", 0),)))
        assert store.units("menu", "tone", 0).sums["cost", "a"].total == (140 + 20) / 2
        told = {span.exposures[0] for span in store.trace(work.trace_id, "menu")}
        assert told == {("tone", "a", "u1")}

    def test_units_outlive_old_spans_as_long_as_their_experiment_is_met(
        self, store: SpanStore
    ) -> None:
        old = make_span(1, exposures='[["tone","a","u1"]]', at_ns=AT_NS - 9 * DAY_NS)
        new = make_span(2, exposures='[["tone","b","u2"]]')
        store.append([Batch([(old, None), (new, None)])])
        store.perform(Expire("menu", AT_NS - DAY_NS))
        assert store.units("menu", "tone", 0).sums["calls", "a"].n == 1
        store.perform(Expire("menu", AT_NS + 365 * DAY_NS))
        assert not store.units("menu", "tone", 0).sums

    def test_traces_are_found_by_experiment_arm_and_unit(self, store: SpanStore) -> None:
        both = '[["tone","a","u1"],["cheap","x","u9"]]'
        store.append([
            Batch([(make_span(1, exposures=both), None),
                   (make_span(2, exposures='[["tone","b","u2"]]'), None), (make_span(3), None)])
        ])  # fmt: skip
        for where, found in (
            (TraceFilter(experiment="tone"), 2),
            (TraceFilter(experiment="tone", variant="b"), 1),
            (TraceFilter(experiment="cheap", variant="x", unit="u9", project="menu"), 1),
            (TraceFilter(experiment="cheap", variant="a"), 0),
        ):
            assert len(store.traces(where, limit=10).items) == found
