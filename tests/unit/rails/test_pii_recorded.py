"""Recall and false alarms on other people's sentences, whose values are made up."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from stockpot.rails import Rule, build

DATA = Path(os.environ.get("STOCKPOT_TEST_DATA", ""))
STRUCTURED = {
    "CREDIT_CARD", "DATE_TIME", "PHONE_NUMBER", "EMAIL_ADDRESS", "DOMAIN_NAME", "ZIP_CODE", "AGE",
    "IBAN_CODE", "IP_ADDRESS", "US_SSN", "US_DRIVER_LICENSE",
}  # fmt: skip

pytestmark = pytest.mark.recorded_data


def rows(path: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress((DATA / path).read_bytes()).splitlines()]


def sentences() -> list[dict[str, Any]]:
    return rows("presidio_research/synth_dataset_v2_half.jsonl.gz")


def test_of_structured_data_98_in_100_are_found_by_their_type() -> None:
    rail = build(Rule("r", "pii", settings={"types": ["*"]}), {})
    found = []
    for row in sentences():
        said = rail.find(row["text"])
        found += [
            any(f.type == s["type"] and f.start <= s["start"] and s["end"] <= f.end for f in said)
            for s in row["spans"]
            if s["type"] in STRUCTURED
        ]
    assert len(found) > 300
    assert sum(found) / len(found) >= 0.98


def test_questions_without_personal_data_raise_no_alarm() -> None:
    rails = [build(Rule("r", kind), {}) for kind in ("pii", "secrets", "urls", "code")]
    texts = [row["text"] for row in sentences() if not row["spans"]]
    for name in ("multiple", "parallel", "simple_python"):
        for row in rows(f"bfcl/BFCL_v4_{name}.json.gz"):
            texts += [m["content"] for turn in row["question"] for m in turn]
    alarmed = [t for t in texts if "@" not in t and any(rail.find(t) for rail in rails)]
    assert len(texts) > 800
    assert len(alarmed) / len(texts) <= 0.005
