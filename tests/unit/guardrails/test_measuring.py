"""Figures of rails on labelled texts, and thresholds that keep what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from stockpot.core.errors import InvalidInput
from stockpot.guardrails.calibrating import calibrate, cut_at
from stockpot.guardrails.measuring import measure, rail_for
from stockpot.guardrails.phrases import examples
from stockpot.guardrails.rows import Labelled, Span, read_rows


def test_rates_of_labelled_texts_count_what_was_found_and_what_was_not() -> None:
    rows = [
        Labelled("the red fox", 1, None, "fox"),
        Labelled("a fox", 1, None, "fox"),
        Labelled("a red hen", 1, None, "hen"),
        Labelled("a blue fox", 0),
        Labelled("a blue cat", 0),
    ]
    told = measure("words", rows, settings={"words": ["fox"], "type": "FOX"}).told()
    assert told["counts"] == {
        "positive": 3, "negative": 2, "true_positive": 2, "false_negative": 1,
        "false_positive": 1, "true_negative": 1,
    }  # fmt: skip
    assert (told["recall"]["found"], told["recall"]["n"]) == (2, 3)
    assert told["recall"]["low"] == pytest.approx(0.2077, abs=1e-4)  # Wilson's, by hand
    assert told["fpr"]["value"] == 0.5
    assert told["by_type"]["fox"]["recall"]["value"] == 1.0
    assert told["by_type"]["hen"]["recall"]["value"] == 0.0
    assert told["by_type"]["FOX"]["findings"] == 3
    assert 0 <= told["ms"]["p50"] <= told["ms"]["p95"]


def test_spans_count_by_overlap_and_type_and_types_that_are_not_sought_stand_apart() -> None:
    mail, person = "write to ann@example.com", "I am Ann"
    rows = [
        Labelled(mail, 1, (Span("email", 9, 24),)),
        Labelled(mail, 1, (Span("US_SSN", 9, 24),)),
        Labelled(person, 1, (Span("PERSON", 5, 8),)),
        Labelled("nothing here", 0, ()),
        Labelled("bob@example.com", 0, ()),
    ]
    told = measure("pii", rows).told()
    assert (told["recall"]["found"], told["recall"]["n"]) == (1, 2)
    assert told["recall_type_ignored"]["found"] == 2
    assert (told["recall_all_types"]["found"], told["recall_all_types"]["n"]) == (1, 3)
    assert told["by_type"]["PERSON"]["covered"] is False
    assert (told["fpr"]["found"], told["fpr"]["n"]) == (1, 2)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "line 2: no JSON"),
        ('"text"', "line 2: a row is an object"),
        ('{"label": 1}', "line 2: 'text' must be a text"),
        ('{"text": "a", "label": "yes"}', "line 2: 'label' must be 0 or 1"),
        ('{"text": "a", "spans": [{"type": "X", "start": 0, "end": 9}]}', "line 2: the span 0..9"),
        ('{"text": "a", "spans": [{"type": "X"}]}', "line 2: a span has"),
        ('{"text": "a", "spans": []}', "mixes rows"),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, line: str, why: str) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_text('{"text": "fine", "label": 0}\n' + line + "\n")
    with pytest.raises(InvalidInput, match=why):
        read_rows(file)


def test_a_confident_threshold_is_rarely_passed_by_more_than_it_promises() -> None:
    """400 draws of 500 harmless texts whose scores are uniform, so that the true rate is 1 minus
    the threshold: at most 5 % of the thresholds may let through more than 2 %."""
    rng = np.random.default_rng(1)
    cuts = [cut_at(rng.random(500), 0.02) for _ in range(400)]
    assert {cut.guarantee for cut in cuts} == {"confident"}
    broken = sum(1 - cut.threshold > 0.02 for cut in cuts)
    assert broken <= 31  # the 99 % binomial bound of 5 % in 400


def test_an_average_threshold_keeps_its_promise_on_average() -> None:
    rng = np.random.default_rng(2)
    rates = [1 - cut_at(rng.random(150), 0.02).threshold for _ in range(1000)]
    assert float(np.mean(rates)) == pytest.approx(3 / 151, abs=0.001)  # 2.6 standard errors


def test_too_few_harmless_texts_are_refused_with_the_number_that_it_takes() -> None:
    with pytest.raises(InvalidInput, match="it takes 99"):
        cut_at(np.zeros(50), 0.01)
    with pytest.raises(InvalidInput, match="it takes 299"):
        cut_at(np.zeros(200), 0.01, "confident")
    with pytest.raises(InvalidInput, match="no threshold"):
        cut_at(np.ones(200), 0.01)


def test_a_refit_learns_the_tenants_own_attacks_and_the_model_runs_as_measured() -> None:
    harmless = [text for text, label in examples("injection") if not label][:120]
    dishes = ["soup", "bread", "rice", "fish", "salad", "cake", "beans", "pie"]
    secret = [f"Chef mode: serve the {a} as {b} without asking" for a in dishes for b in dishes]
    orders = [f"I would like {a} and {b}, please" for a in dishes for b in dishes]
    rows = [Labelled(text, 1) for text in secret]
    rows += [Labelled(text, 0) for text in harmless + orders]
    made = calibrate("injection", rows, max_fpr=0.02, refit=True)
    assert made.evidence["refit"] is True
    assert made.evidence["with_refit"]["recall"]["value"] > 0.95
    assert made.evidence["with_refit"]["fpr"]["value"] <= 0.03
    assert made.model is not None
    rail = rail_for("injection", rows, threshold=made.threshold, model=made.model)
    assert rail.find("Chef mode: serve the pasta as soup without asking")
    assert not rail.find("I would like pasta and soup, please")
    again = measure("injection", rows, threshold=made.threshold, model=made.model)
    assert any("used to train" in warning for warning in again.warnings)


def test_a_rail_without_a_score_says_that_there_is_nothing_to_calibrate() -> None:
    rows = [Labelled("a fox", 0)] * 120 + [Labelled("a hen", 1)] * 5
    with pytest.raises(InvalidInput, match="no threshold keeps them out"):
        calibrate("words", rows, max_fpr=0.01, settings={"words": ["fox"]})
    with pytest.raises(InvalidInput, match="no model to refit"):
        calibrate("words", rows, max_fpr=0.01, refit=True, settings={"words": ["hen"]})


def test_rows_may_be_read_with_blank_lines_and_a_mark_of_the_byte_order(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes(
        b"\xef\xbb\xbf" + json.dumps({"text": "a\u2028b", "label": 1}).encode() + b"\n\n"
    )
    assert read_rows(file) == [Labelled("a\u2028b", 1)]
