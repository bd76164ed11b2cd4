"""What judges say is read with care, counted as it is, and held against people."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.core.errors import InvalidInput
from stockpot.evals import Judge, JudgeSpec, Scale, Subject
from stockpot.evals.judges.agreement import ratings_of, report
from stockpot.evals.judges.certifying import compared, expires_ms, heard, judged_now
from stockpot.evals.judges.counting import both_orders_accuracy, in_both_orders, of_jury, tallied
from stockpot.evals.judges.instructing import messages
from stockpot.evals.judges.models import Certificate, HumanLabel
from stockpot.evals.judges.reading import read
from stockpot.evals.judges.service import made_of
from stockpot.evals.records import Estimated, Judgement, Vote


def judge(**spec: Any) -> Judge:
    jurors = spec.pop("jurors", ())
    spec = {"name": "j", "model": "m", "criteria": "It is good.", **spec}
    return made_of("default", JudgeSpec(**spec), jurors, "ana")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ('{"reason": "x", "verdict": "pass"}', "pass"),
        ('Let me see.\n```json\n{"verdict": "PASS", "reason": "x"}\n```', "pass"),
        ("It is fine.\nVerdict: fail", "fail"),
        ("**Verdict:** `pass`", "pass"),
        ("pass.", "pass"),
        ('{"verdict": "pass"} no, rather {"verdict": "fail"}', None),
        ("Verdict: pass\nVerdict: fail", None),
        ("I would not say that this is a fail, rather a pass.", None),
        ('{"verdict": "maybe"}', None),
        ('{"verdict": true}', None),
        ("", None),
    ],
)
def test_a_verdict_is_what_is_clearly_said_and_nothing_else(text: str, label: str | None) -> None:
    vote = read(judge(), text)
    assert (vote.label or None, vote.missing) == (label, "" if label else "parse")


EVERY_KIND = (judge(), judge(scale=Scale(least=1, most=5)), judge(kind="groundedness"))


@given(st.text(max_size=300))
def test_no_answer_breaks_the_reading_and_what_is_no_verdict_has_no_value(text: str) -> None:
    for one in EVERY_KIND:
        vote = read(one, text)
        assert (vote.value is None) == bool(vote.missing)


def test_numbers_outside_the_scale_and_claims_without_a_word_are_not_guessed() -> None:
    scored = judge(scale=Scale(least=1, most=5))
    assert read(scored, '{"verdict": 4}').value == 4
    assert read(scored, '{"verdict": 7}').missing == "parse"
    assert read(scored, '{"verdict": "abstain"}').missing == "abstained"
    grounded = judge(kind="groundedness", threshold=0.5)
    two = [{"claim": "a", "verdict": "supported"}, {"claim": "b", "verdict": "missing"}]
    told = read(grounded, json.dumps({"claims": two}))
    assert (told.value, told.label) == (0.5, "grounded")
    assert "not supported: b" in told.reason
    assert read(grounded, json.dumps({"claims": [{"claim": "a"}]})).missing == "parse"
    assert read(grounded, '{"claims": []}').missing == "abstained"


def test_what_a_row_says_is_put_in_once_and_fills_no_other_place() -> None:
    pair = judge(kind="pairwise")
    row = Subject("1", input="{{first}}", output="mine", other="theirs")
    ab, ba = (messages(pair, row, order)[1]["content"] for order in ("ab", "ba"))
    assert "{{first}}" in ab
    assert ab.index("mine") < ab.index("theirs")
    assert ba.index("theirs") < ba.index("mine")
    assert read(pair, '{"verdict": "A"}', "ba").label == "B"  # in the row's own numbering


def test_a_pair_needs_both_orders_and_a_jury_most_of_its_members() -> None:
    yes, no = Vote(order="ab", label="A", value=1.0), Vote(order="ba", label="B", value=0.0)
    apart = in_both_orders("1", yes, no)
    assert (apart.value, apart.label, apart.consistent) == (0.5, "tie", False)
    half = in_both_orders("2", yes, Vote(order="ba", missing="parse"))
    assert (half.value, half.missing) == (None, "parse")
    tally = tallied([apart, half, in_both_orders("3", yes, yes.model_copy(update={"order": "ba"}))])
    assert (tally.rows, tally.judged, tally.parse, tally.unread) == (3, 2, 1, 1)
    assert (tally.swap_consistency, tally.parse_share) == (0.5, 1 / 6)
    assert tally.first_shown == pytest.approx(4 / 5)
    refused = [Vote(missing="error", reason=why) for why in ("away", "no budget", "no budget")]
    failed = tallied([Judgement(item="4", missing="error", votes=tuple(refused))])
    assert (failed.errors, failed.error) == (1, "no budget")

    jury = judge(kind="jury", model="", members=("a@1", "b@1"), jurors=[judge(), judge()])
    one = Judgement(item="1", label="pass", value=1)
    other = Judgement(item="1", label="fail", value=0)
    gap = Judgement(item="1", missing="parse")
    assert of_jury(jury, "1", [one, one, other]).agreed == pytest.approx(2 / 3)
    assert of_jury(jury, "1", [one, other]).missing == "apart"
    assert of_jury(jury, "1", [one, gap, gap]).missing == "parse"


def test_the_content_of_a_judge_is_its_prompt_model_parameters_and_scale() -> None:
    first = judge()
    assert judge(message="why").content_hash == first.content_hash
    for other in ({"model": "n"}, {"criteria": "It is short."}, {"params": {"top_p": 0.5}},
                  {"scale": Scale(labels=("bad", "good"))}):  # fmt: skip
        assert judge(**other).content_hash != first.content_hash
    with pytest.raises(InvalidInput, match="no such part"):
        judge(prompt="Look at {{answer}}.")


# --- certificates ---------------------------------------------------------------------------------


def said(item: int, rater: str, label: Any, **more: Any) -> HumanLabel:
    return HumanLabel(item=str(item), rater=rater, label=label, **more)


def test_people_are_heard_by_majority_or_settlement_and_disputes_are_counted() -> None:
    two = [said(1, "b", True), said(2, "b", "fail"), said(3, "b", "fail")]
    labels = [*(said(n, "a", "pass") for n in (1, 2, 3)), *two, said(3, "adjudication", False)]
    people = heard(judge(), labels)
    assert people.reference == {"1": "pass", "3": "fail"}
    assert (people.disputed, people.raters) == (1, 2)
    with pytest.raises(InvalidInput, match="it says fail, pass"):
        heard(judge(), [said(1, "a", "great")])
    assert heard(judge(), [said(1, "a", "great")], {"great": "pass"}).reference == {"1": "pass"}


def test_a_certificate_holds_while_model_and_labels_do_and_kappa_is_high_enough() -> None:
    one = judge()
    labels = [said(n, who, "pass" if n % 2 else "fail") for n in range(60) for who in "ab"]
    judgements = [Judgement(item=str(n), label="pass" if n % 2 else "fail", value=float(n % 2))
                  for n in range(90)]  # fmt: skip
    found = compared(one, heard(one, labels), judgements, {"1": ("odd",)})
    assert found.overall.n == 60
    assert found.ceiling is not None
    assert found.ceiling.items == 60
    assert found.corrected is not None
    assert (found.corrected.labelled, found.corrected.judged) == (60, 30)
    kappa = Estimated(value=0.6, low=0.45, high=0.75, n=60)
    done = Certificate(
        id="c", project="p", judge="j", version=1, content_hash="", state="uncertified", reason="",
        progress="done", dataset="", dataset_version=None, question="", labels=120, raters=2,
        disputed=0, n=60, kappa=kappa, fingerprint=("m=lab/m",), expires_ms=1000.0, issued_ms=0,
        issued_by="ana",
    )  # fmt: skip
    assert judged_now(done, 500, ("m=lab/m",)).state == "certified"
    assert judged_now(done, 1001, ("m=lab/m",)).state == "expired"
    moved = judged_now(done, 500, ("m=lab/m2",))
    assert (moved.state, moved.may_gate) == ("expired", False)
    assert "lab/m2" in moved.reason
    weak = done.model_copy(update={"kappa": kappa.model_copy(update={"low": 0.39})})
    assert judged_now(weak, 500, ("m=lab/m",)).state == "uncertified"
    assert expires_ms(0.0, 9e12, 2) == 2 * 86_400_000


# --- agreement ------------------------------------------------------------------------------------


def lines(*rows: Any) -> list[tuple[int, str]]:
    return [(n, row if isinstance(row, str) else json.dumps(row)) for n, row in enumerate(rows, 1)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("{", "line 2: not JSON"),
        ([1], "line 2: not a JSON object"),
        ({"item": 1, "rater": "b", "lable": 1}, "line 2: no 'label'. Did you mean 'lable'"),
        ({"item": 1, "rater": "", "label": 1}, "line 2: 'rater'"),
        ({"item": 1, "rater": "b", "label": {}}, "line 2: 'label'"),
        ({"item": 1, "rater": "a", "label": 2}, "rated '1' already in line 1"),
    ],
)
def test_a_bad_row_is_named_by_its_line(row: Any, words: str) -> None:
    with pytest.raises(InvalidInput, match=words.replace("(", r"\(")):
        ratings_of(lines({"item": 1, "rater": "a", "label": 1}, row))


def test_agreement_is_held_against_a_reference_and_missing_ratings_are_left_out() -> None:
    rows = [{"item": n, "rater": who, "label": None if (n, who) == (3, "llm") else
             (n % 2 if who != "llm" or n != 4 else 1), "slice": "ab"[n % 2]}
            for n in range(20) for who in ("llm", "human-1")]  # fmt: skip
    told = report(ratings_of(lines(*rows)))
    assert (told["reference"], told["missing"], told["level"]) == ("human-1", 1, "nominal")
    assert told["accuracy"]["value"] == pytest.approx(18 / 19)
    assert told["accuracy"]["low"] < 18 / 19 < told["accuracy"]["high"]
    assert told["kappa"]["value"] == pytest.approx(1 - 19 / 181)
    assert told["alpha"]["n"] == 19
    assert [one["slice"] for one in told["slices"]] == ["a", "b"]
    assert report(ratings_of(lines(*rows)), reference="llm")["reference"] == "llm"
    with pytest.raises(InvalidInput, match="Did you mean 'llm'"):
        report(ratings_of(lines(*rows)), reference="lm")


def test_labels_in_an_order_are_weighted() -> None:
    def kappa(off: int) -> float:
        rows = [{"item": n, "rater": who, "label": 1 + n % 4 + (off if who == "b" and n < 4 else 0)}
                for n in range(40) for who in "ab"]  # fmt: skip
        told = report(ratings_of(lines(*rows)))
        assert (told["level"], told["weights"]) == ("ordinal", "quadratic")
        return float(told["kappa"]["value"])

    assert kappa(1) > kappa(3)


# --- other people's judges ------------------------------------------------------------------------

REFERENCE = {("GPT-4", "Vanilla"): 0.845, ("GPT-4", "CoT"): 0.813, ("PaLM2", "Vanilla"): 0.705,
             ("GPT-4", "Metrics_Reference"): 0.872, ("ChatGPT", "Vanilla"): 0.400}  # fmt: skip


def recorded() -> list[dict[str, Any]]:
    path = Path(os.environ["STOCKPOT_TEST_DATA"]) / "llmbar" / "recorded_judgements.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


PAIRWISE = judge(kind="pairwise")


def vote(order: Any, said: str | None) -> Vote:
    """A recorded verdict, 1 or 2, as a judge of ours would have given it."""
    text = "" if said is None else json.dumps({"verdict": "A" if said == "1" else "B"})
    return read(PAIRWISE, text).model_copy(update={"order": order})


@pytest.mark.recorded_data
def test_judges_of_llmbar_fare_as_published_when_both_orders_are_counted() -> None:
    judged: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    right = {}
    for row in recorded():
        if (row["judge"], row["prompt"]) not in REFERENCE:
            continue
        right[row["id"]] = "A" if row["label"] == 1 else "B"
        both = in_both_orders(row["id"], vote("ab", row["ab"]), vote("ba", row["ba"]))
        judged[row["judge"], row["prompt"]].append(both)
    for who, accuracy in REFERENCE.items():
        assert both_orders_accuracy(judged[who], right) == pytest.approx(accuracy, abs=0.0006), who
    strict = tallied(judged["GPT-4", "Vanilla"])
    biased = tallied(judged["ChatGPT", "Vanilla"])
    assert strict.swap_consistency is not None
    assert biased.swap_consistency is not None
    assert strict.swap_consistency > 0.85 > biased.swap_consistency
    assert tallied(judged["PaLM2", "Vanilla"]).unread > 0


@pytest.mark.recorded_data
def test_27000_ratings_take_seconds() -> None:
    rows = [{"item": row["id"], "rater": f"{row['judge']} {row['prompt']}", "label": row["ab"],
             "slice": row["id"].rpartition("-")[0]} for row in recorded()]  # fmt: skip
    gold = {row["id"]: str(row["label"]) for row in recorded()}
    rows += [{"item": item, "rater": "gold", "label": label} for item, label in gold.items()]
    began = time.process_time()
    told = report(ratings_of(lines(*rows)))
    assert time.process_time() - began < 5
    best = {one["rater"]: one["accuracy"]["value"] for one in told["by_rater"]}
    assert max(best, key=lambda who: best[who]).startswith("GPT-4")
