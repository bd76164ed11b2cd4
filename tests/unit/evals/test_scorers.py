"""Scorers say what their names promise, with a reason."""

from __future__ import annotations

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.core.errors import InvalidInput, NotFound
from stockpot.evals.models import ScorerSpec, Verdict
from stockpot.evals.scorers import Call, Case, Scorer, known, made
from stockpot.evals.scorers.plain import levenshtein
from tests.unit.evals.kept import Kept

DATA = os.environ.get("STOCKPOT_TEST_DATA", "")


def case(output: Any = "", expected: Any = None, **more: Any) -> Case:
    return Case(item="r", input=more.pop("input", {}), expected=expected, metadata={},
                output=output, **more)  # fmt: skip


def scored(use: str, output: Any, wanted: Any = None, **options: Any) -> float | None:
    return made(ScorerSpec(use=use, options=options)).judged(case(output, wanted)).value


@pytest.mark.parametrize(
    ("use", "output", "expected", "options", "value"),
    [
        ("exact", " Pizza ", "Pizza", {}, 1),
        ("exact", "pizza", "Pizza", {}, 0),
        ("exact", "pizza", "Pizza", {"ignore_case": True}, 1),
        ("exact", '{"qty": 2}', {"qty": 2}, {}, 1),
        ("exact", '{"cart": [1, 2]}', {"items": [1, 2]},
         {"field": "cart", "expected": "items"}, 1),
        ("exact", "1", True, {}, 0),
        ("regex", "a table for 4", None, {"pattern": r"\d"}, 1),
        ("regex", "never mind", r"^ok", {}, 0),
        ("regex", "I cannot say", None, {"pattern": "cannot", "absent": True}, 0),
        ("json_schema", '{"a": 1}', None, {"schema": {"type": "object", "required": ["a"]}}, 1),
        ("json_schema", '{"b": 1}', None, {"schema": {"type": "object", "required": ["a"]}}, 0),
        ("json_schema", "no", None, {"schema": {"type": "object"}}, 0),
        ("numeric", "That is 1,234.50 dollars.", 1234.5, {}, 1),
        ("numeric", "about 10.2", 10, {"tolerance": 0.1}, 0),
        ("numeric", "about 10.2", 10, {"relative": 0.05}, 1),
        ("numeric", "3 of 4", 3, {"take": "first"}, 1),
        ("numeric", "none", 3, {}, 0),
        ("edit_distance", "kitten", "sitting", {}, 1 - 3 / 7),
        ("edit_distance", "", "", {}, 1),
        ("classes", "I think it is UNSAFE.", "unsafe", {"labels": ["safe", "unsafe"]}, 1),
        ("classes", "safe", "unsafe", {}, 0),
    ],
)  # fmt: skip
def test_each_compares_as_it_says(
    use: str, output: str, expected: Any, options: dict[str, Any], value: float
) -> None:
    assert scored(use, output, expected, **options) == pytest.approx(value)


def test_what_cannot_be_scored_is_no_score_and_says_why() -> None:
    verdict = made(ScorerSpec(use="exact", options={"field": "a"})).judged(case('{"b": 1}', "x"))
    assert verdict.value is None
    assert "'a'" in verdict.reason


def test_a_wrong_name_or_option_is_told_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="Did you mean 'exact'"):
        made(ScorerSpec(use="exat"))
    with pytest.raises(InvalidInput, match="Did you mean 'pattern'"):
        made(ScorerSpec(use="regex", options={"patern": "x"}))
    assert {one.name for one in known()} >= {"exact", "bleu", "tool_calls", "pass_k", "cost"}


@given(st.text("abé", max_size=12), st.text("abé", max_size=12))
def test_edit_distance_is_levenshteins(one: str, other: str) -> None:
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (a != b))
    assert levenshtein(one, other) == row[-1]


def test_overlap_of_texts_is_that_of_the_libraries() -> None:
    import sacrebleu

    text, wanted = "the cat sat on the mat", "the cat is on the mat"
    bleu = sacrebleu.sentence_bleu(text, [wanted]).score
    assert scored("bleu", text, wanted) == pytest.approx(bleu)
    assert scored("chrf", text, wanted) == pytest.approx(
        sacrebleu.sentence_chrf(text, [wanted]).score
    )
    assert scored("rouge", text, wanted) == pytest.approx(5 / 6)
    scorer = made(ScorerSpec(use="bleu"))
    corpus = scorer.extras([case(text, wanted)], [Verdict()], 0.95)[0].estimate.value
    assert corpus == pytest.approx(sacrebleu.corpus_bleu([text], [[wanted]]).score)


async def test_meaning_is_the_cosine_of_embeddings() -> None:
    scorer = made(ScorerSpec(use="semantic"))
    cases = [case("aaa", "a"), case("aaa", "eee")]
    verdicts = await scorer.score_all(cases, Kept())
    assert [verdict.value for verdict in verdicts] == pytest.approx([1.0, 0.0])


def test_classification_tells_f1_of_each_class_with_its_interval() -> None:
    scorer = made(ScorerSpec(use="classes"))
    cases = [case("a", "a"), case("a", "b"), case("b", "b"), case("b", "b")]
    extras = {one.metric: one.estimate for one in scorer.extras(
        cases, [scorer.judged(one) for one in cases], 0.95)}  # fmt: skip
    assert extras["f1:a"].value == pytest.approx(2 / 3)
    assert extras["f1:b"].value == pytest.approx(4 / 5)
    assert extras["macro_f1"].value == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert extras["f1:b"].low < 0.8 < extras["f1:b"].high


def steps(*names: str) -> tuple[Call, ...]:
    return tuple(Call(name, {"n": 1}) for name in names)


@pytest.mark.parametrize(
    ("mode", "found", "right"),
    [
        ("exact", "abc", False), ("exact", "ab", True), ("in_order", "acb", True),
        ("in_order", "ba", False), ("any_order", "cba", True), ("any_order", "a", False),
    ],
)  # fmt: skip
def test_a_trajectory_is_matched_by_its_mode(mode: str, found: str, right: bool) -> None:
    wanted = [{"name": "a", "arguments": {"n": 1}}, {"name": "b", "arguments": {"n": 1}}]
    scorer = made(ScorerSpec(use="trajectory", options={"mode": mode}))
    assert scorer.judged(case("", wanted, calls=steps(*found))).value == right
    messages = [{"tool_calls": [{"function": {"name": n, "arguments": '{"n": 2}'}}]} for n in found]
    names_only = made(ScorerSpec(use="trajectory", options={"mode": mode, "arguments": False}))
    assert names_only.judged(case("", wanted, trace=messages)).value == right


def test_all_of_k_trials_are_counted_by_task() -> None:
    scorer = made(ScorerSpec(use="pass_k", options={"k": [1, 2]}))
    cases = [case("1", cluster="t1"), case("1", cluster="t1"), case("1", cluster="t2"),
             case("0", cluster="t2")]  # fmt: skip
    found = scorer.extras(cases, [scorer.judged(one) for one in cases], 0.95)
    assert {one.metric: one.estimate.value for one in found} == {"pass^1": 0.75, "pass^2": 0.5}


class Polite(Scorer):
    """Says please."""

    name = "polite"

    def score(self, case: Case) -> str:
        return "kind" if "please" in case.output else "rude"


def test_a_label_is_a_verdict_without_a_number() -> None:
    verdict = Polite().judged(case("a pizza please"))
    assert (verdict.value, verdict.label) == (None, "kind")


# --- tool calls, on the leaderboard's own answers ------------------------------------------------


def leaderboard(part: str) -> list[tuple[dict[str, Any], list[dict[str, Any]]]]:
    folder = Path(DATA) / "bfcl"

    def lines(name: str) -> list[dict[str, Any]]:
        with gzip.open(folder / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    truths = {row["id"]: row["ground_truth"] for row in lines(f"answer_{part}.json.gz")}
    asked = lines(f"BFCL_v4_{part}.json.gz")
    return [(row, truths[row["id"]]) for row in asked if row["id"] in truths]


def plain_value(allowed: list[Any]) -> Any:
    """One accepted value, with the members of objects as one value each."""
    value = next(one for one in allowed if one != "")
    if isinstance(value, dict):
        return {k: plain_value(v) if isinstance(v, list) else v for k, v in value.items()
                if not isinstance(v, list) or any(one != "" for one in v)}  # fmt: skip
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [plain_value([one]) for one in value]
    return value


def right_calls(truth: list[dict[str, Any]]) -> list[Call]:
    return [
        Call(name, {argument: plain_value(allowed) for argument, allowed in values.items()
                    if any(one != "" for one in allowed)})
        for one in truth for name, values in one.items()
    ]  # fmt: skip


def judge(row: dict[str, Any], truth: list[Any], calls: list[Call]) -> Verdict:
    told = case("", truth, calls=tuple(calls), input=row)
    return made(ScorerSpec(use="tool_calls")).judged(told)


@pytest.mark.recorded_data
@pytest.mark.parametrize("part", ["simple_python", "multiple", "parallel"])
def test_the_leaderboards_answers_are_right_and_changed_ones_are_wrong(part: str) -> None:
    rng, rows = random.Random(1), leaderboard(part)
    assert len(rows) > 100
    for row, truth in rows:
        calls = right_calls(truth)
        rng.shuffle(calls)
        verdict = judge(row, truth, calls)
        assert verdict.value == 1.0, (row["id"], verdict.reason, calls, truth)
        wrong = [
            calls[:-1],
            [*calls, calls[0]],
            [Call("another", calls[0].arguments), *calls[1:]],
            [Call(calls[0].name, {**calls[0].arguments, "unasked": 1}), *calls[1:]],
            [Call(calls[0].name, {k: ["?"] for k in calls[0].arguments}), *calls[1:]],
        ]
        for changed in wrong:
            if calls[0].arguments or "?" not in str(changed):
                assert judge(row, truth, changed).value == 0.0, (row["id"], changed)


def test_spelling_types_and_optional_arguments_follow_the_leaderboard() -> None:
    row = {"function": [{"name": "f", "parameters": {"type": "dict", "required": ["a"],
           "properties": {"a": {"type": "float"}, "b": {"type": "string"}}}}]}  # fmt: skip
    truth = [{"f": {"a": [5.0], "b": ["New York", ""]}}]
    assert judge(row, truth, [Call("f", {"a": 5})]).value == 1  # an integer for a float
    assert judge(row, truth, [Call("f", {"a": 5, "b": "new-york"})]).value == 1
    assert judge(row, truth, [Call("f", {"a": "5"})]).value == 0
    assert judge(row, truth, [Call("f", {"b": "New York"})]).value == 0
    assert judge(row, truth, [Call("f", {"a": True})]).value == 0
    assert judge({}, [], []).value == 1  # nothing is to be called
    assert judge({}, [], [Call("f", {})]).value == 0
