"""Which spans are drawn, and what they stand for."""

from __future__ import annotations

import statistics

from stockpot.evals.watching.drawing import drawn
from stockpot.evals.watching.languages import language_of
from stockpot.evals.watching.models import OnlineSpec, Stratum
from stockpot.stats import weighted_mean
from stockpot.traces import Span


def spans(count: int) -> list[Span]:
    told = {name: "" for name, field in Span.model_fields.items() if field.annotation is str}
    plain = dict(
        **told, parent_id=None, is_root=True, kind="llm", status_code=200, start_ms=0.0,
        received_ms=0.0, stream=False, attempt=1, ttft_ms=None, tpot_ms=None, tokens={},
        cost_nano=None, cost_detail={}, tags=(), stages_ms={}, payload="full", params={},
        revision=1,
    )  # fmt: skip
    made = []
    for n in range(count):
        own = {
            "trace_id": f"{n:032x}", "span_id": f"{n:016x}", "duration_ms": float(n % 100),
            "status": "error" if n % 20 == 0 else "ok", "project": "menu",
        }  # fmt: skip
        made.append(Span.model_validate({**plain, **own}))
    return made


SPEC = OnlineSpec(
    rate=0.1,
    strata=(Stratum(when="error", rate=1.0), Stratum(when="slow", above=90, rate=0.5)),
    scorer={"use": "exact"},  # type: ignore[arg-type]
)


def test_weights_add_up_to_what_was_there_and_the_same_spans_are_drawn_again() -> None:
    all_of_it = spans(4000)
    found = drawn(SPEC, "chk_1", all_of_it, ())
    assert found == drawn(SPEC, "chk_1", all_of_it, ())
    assert [one.span for one in found] != [o.span for o in drawn(SPEC, "chk_2", all_of_it, ())]
    assert sum(one.stratum == "error" for one in found) == 200
    assert {one.weight for one in found} == {1.0, 2.0, 10.0}
    assert abs(sum(one.weight for one in found) - 4000) < 400


def test_thinning_draws_a_part_of_the_same_and_lets_each_weigh_more() -> None:
    all_of_it = spans(4000)
    whole = {one.span.span_id: one.weight for one in drawn(SPEC, "chk_1", all_of_it, ())}
    thin = {one.span.span_id: one.weight for one in drawn(SPEC, "chk_1", all_of_it, (), 0.25)}
    assert thin.keys() < whole.keys()
    assert all(weight == 4 * whole[name] for name, weight in thin.items())
    assert drawn(SPEC, "chk_1", all_of_it, (), 0.0) == []


def test_looking_oftener_at_what_users_dislike_leaves_the_mean_what_it_is() -> None:
    """Dislikes are a twentieth, score lower and are all drawn: 200 rules on the same 400 spans."""
    all_of_it = spans(400)
    disliked = {one.trace_id for one in all_of_it[::20]}
    worth = {one.trace_id: 0.1 if one.trace_id in disliked else 0.9 for one in all_of_it}
    spec = OnlineSpec(
        rate=0.1, strata=(Stratum(when="low_feedback", rate=1.0),),
        scorer={"use": "exact"},  # type: ignore[arg-type]
    )  # fmt: skip
    weighted, plain = [], []
    for rule in range(200):
        found = drawn(spec, f"chk_{rule}", all_of_it, disliked)
        values = [worth[one.span.trace_id] for one in found]
        mean = weighted_mean(values, [one.weight for one in found])
        assert mean is not None
        weighted.append(mean.mean)
        plain.append(statistics.fmean(values))
    truth = statistics.fmean(worth.values())
    error = statistics.stdev(weighted) / len(weighted) ** 0.5
    # A ratio of two sums is biased by something of the order of one over the number drawn, 1/60.
    assert abs(statistics.fmean(weighted) - truth) < 3 * error + 0.002
    assert abs(statistics.fmean(plain) - truth) > 0.2


def test_a_span_that_was_kept_for_others_stands_for_them_as_well() -> None:
    one = spans(1)[0].model_copy(update={"sample_weight": 3.0})
    assert drawn(SPEC, "chk_1", [one], ())[0].weight == 3.0


def test_languages_are_told_apart() -> None:
    assert language_of("What is the price of this dish, and is it for two?") == "en"
    assert language_of("Was ist der Preis und ist das für zwei?") == "de"
    assert language_of("Где находится ресторан?") == "cyrillic"
    assert language_of("1234 !?") == "other"
    assert language_of("") == "other"
