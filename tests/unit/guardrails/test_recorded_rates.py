"""What the n-gram rails promise, on other people's texts that the judging model has not seen."""

from __future__ import annotations

import gzip
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stockpot.guardrails.calibrating import Calibrated, calibrate, cut_at, scores_of
from stockpot.guardrails.measuring import measure, rail_for
from stockpot.guardrails.rates import shipped
from stockpot.guardrails.rows import Labelled
from stockpot.rails import grams

pytestmark = pytest.mark.recorded_data


def lines(path: str) -> list[Any]:
    with gzip.open(Path(os.environ["STOCKPOT_TEST_DATA"]) / path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def attacks_and_questions() -> list[Labelled]:
    rows = lines("deepset_prompt_injections/deepset_half.jsonl.gz")
    return [Labelled(row["text"], int(row["label"])) for row in rows]


@pytest.fixture(scope="module")
def questions() -> list[Labelled]:
    texts = [row["text"] for row in lines("presidio_research/synth_dataset_v2_half.jsonl.gz")]
    for name in ("simple_python", "multiple", "parallel"):
        for row in lines(f"bfcl/BFCL_v4_{name}.json.gz"):
            texts.append(" ".join(m["content"] for turn in row["question"] for m in turn))
    return [Labelled(text, 0) for text in dict.fromkeys(texts)]


@pytest.fixture(scope="module")
def documents() -> tuple[list[Labelled], list[Labelled]]:
    """Attacks of BIPIA, and the sentences of its e-mails."""
    with gzip.open(
        Path(os.environ["STOCKPOT_TEST_DATA"]) / "bipia" / "text_attack_train.json.gz", "rt"
    ) as file:
        families = json.load(file)
    attacks = [Labelled(text, 1, None, name) for name, of in families.items() for text in of]
    sentences = set()
    for row in lines("bipia/email_train.jsonl.gz"):
        mail, chunks = row["context"], grams.chunks_of(row["context"])
        spans, edges = grams.spans_of(mail), grams.sentences(chunks)
        for first, last in pairwise(edges):
            sentences.add(mail[spans[first][0] : spans[last - 1][1]].strip())
    return attacks, [Labelled(text, 0) for text in sorted(sentences) if 15 <= len(text) <= 400]


def test_a_tenant_with_331_labels_has_a_recall_of_90_at_1_percent(
    attacks_and_questions: list[Labelled],
) -> None:
    made: Calibrated = calibrate("injection", attacks_and_questions, max_fpr=0.01, refit=True)
    after = made.evidence["after"]
    assert made.evidence["refit"] is True
    assert after["recall"]["value"] >= 0.90
    assert after["fpr"]["value"] <= 0.01
    published = shipped()["injection"]
    assert published["recall"] == pytest.approx(after["recall"]["value"], abs=0.02)


def test_the_calibrated_model_keeps_its_word_on_texts_that_it_never_had(
    attacks_and_questions: list[Labelled],
) -> None:
    """Refitted and cut on four fifths, counted on the last fifth, by turns: no figure of the
    calibration itself is taken on trust."""
    rows = attacks_and_questions
    fold = np.random.default_rng(7).permutation(len(rows)) % 5
    hits = attacks = alarms = harmless = 0
    for k in range(5):
        own = [row for row, at in zip(rows, fold, strict=True) if at != k]
        other = [row for row, at in zip(rows, fold, strict=True) if at == k]
        made = calibrate("injection", own, max_fpr=0.02, refit=True)
        counts = (
            measure("injection", other, threshold=made.threshold, model=made.model).counts
            if made.model
            else measure("injection", other, threshold=made.threshold).counts
        )
        hits += counts["true_positive"]
        attacks += counts["positive"]
        alarms += counts["false_positive"]
        harmless += counts["negative"]
    assert hits / attacks >= 0.85
    assert alarms / harmless <= 0.03


def test_at_most_1_percent_of_benign_questions_is_found_after_calibrating(
    questions: list[Labelled],
) -> None:
    found = scores_of("injection", questions)
    rates = []
    for seed in range(20):
        half = np.random.default_rng(seed).permutation(len(found)) % 2
        cut = cut_at(found[half == 0], 0.01)
        assert cut.guarantee == "confident"
        rates.append(float((found[half == 1] >= cut.threshold).mean()))
    assert sum(rate > 0.01 for rate in rates) <= 2
    assert float(np.mean(rates)) <= 0.01


def test_hidden_orders_in_e_mails_have_a_recall_of_80_at_2_percent(
    documents: tuple[list[Labelled], list[Labelled]],
) -> None:
    attacks, sentences = documents
    made = calibrate(
        "indirect_injection", [*attacks, *sentences], max_fpr=0.02, guarantee="average"
    )
    assert made.evidence["used_in_training"] > 250  # so each was judged by a model without it
    assert made.evidence["after"]["recall"]["value"] >= 0.80
    assert made.evidence["after"]["fpr"]["value"] <= 0.02
    never = grams.shipped("indirect_injection.heldout")
    hostile = scores_of("indirect_injection", attacks, None, never)
    least = cut_at(scores_of("indirect_injection", sentences, None, never), 0.02, "average")
    assert float((hostile >= least.threshold).mean()) >= 0.80


def test_an_attack_is_found_wherever_it_stands_in_an_e_mail(
    documents: tuple[list[Labelled], list[Labelled]],
) -> None:
    """At the start, in the middle and at the end, by the model that has seen neither."""
    attacks, _ = documents
    rail = rail_for(
        "indirect_injection", (), None, None, grams.shipped("indirect_injection.heldout")
    )
    mails = [row["context"] for row in lines("bipia/email_train.jsonl.gz")]
    found = 0
    for i, attack in enumerate(attacks):
        mail = mails[i % len(mails)]
        middle = mail.find(". ", len(mail) // 2) + 2
        text, at = [
            (f"{attack.text}\n{mail}", 0),
            (f"{mail[:middle]}{attack.text} {mail[middle:]}", middle),
            (f"{mail}\n{attack.text}", len(mail) + 1),
        ][i % 3]
        end = at + len(attack.text)
        found += any(f.start < end and at < f.end for f in rail.find(text))
    assert found / len(attacks) >= 0.80
