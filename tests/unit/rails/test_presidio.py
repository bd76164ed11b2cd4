"""Presidio's findings as ours: of the real library where it is installed, else as it answered."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from stockpot.core.errors import InvalidInput
from stockpot.gateway.guard.process import RailProcess
from stockpot.guardrails.checking import check_rules
from stockpot.guardrails.measuring import measure
from stockpot.guardrails.models import PolicyRule
from stockpot.guardrails.rows import Labelled, Span
from stockpot.rails import CompiledPolicy, Policy, RailsPart, Ran, Rule, Vault, presidio

GOLDEN = json.loads(Path(__file__).with_name("presidio_golden.json").read_text("utf-8"))
TEXT: str = GOLDEN["text"]
MASKED = (
    "My name is Anna Schmidt, card [CARD], mail [EMAIL], call [PHONE], SSN [SSN], [URL], "
    "IBAN [IBAN], passport [US_PASSPORT]"
)


def rule(**settings: Any) -> Rule:
    return Rule("p", "presidio", ("input",), "mask", settings, budget_ms=1000)


class Recorded:
    """Answers as the library did, by the version that the file names."""

    def analyze(self, *, text: str, language: str, entities: Any, score_threshold: float) -> Any:
        assert (text, language) == (TEXT, "en")
        return [
            SimpleNamespace(**one)
            for one in GOLDEN["patterns"]
            if one["score"] >= score_threshold
            and one["entity_type"] in (entities or GOLDEN["entities"])
        ]


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presidio, "absent", lambda: "")
    known = frozenset(GOLDEN["entities"])
    monkeypatch.setattr(presidio, "_analyzer", lambda *_: (Recorded(), known))


def check_findings() -> None:
    ran = presidio.ask(rule(), TEXT)
    assert ran.error == ""
    wanted = {(one["start"], one["end"], one["entity_type"]) for one in GOLDEN["patterns"]}
    assert {(one.start, one.end, one.type) for one in ran.findings} == wanted
    policy = CompiledPolicy(Policy("p", "p", (rule(),)))
    assert policy.settle("input", TEXT, [ran], Vault()).text == MASKED
    (card,) = presidio.ask(rule(entities=["CREDIT_CARD"]), TEXT).findings
    assert TEXT[card.start : card.end] == "4111 1111 1111 1111"
    names = presidio.ask(rule(entities=["PERSON"]), TEXT)
    assert "python -m spacy download en_core_web_sm" in names.error, "it promised names in silence"
    assert "Did you mean 'CREDIT_CARD'" in presidio.ask(rule(entities=["CREDITCARD"]), TEXT).error
    spans = (Span("CREDIT_CARD", 30, 49), Span("PERSON", 11, 23))
    rates = measure("presidio", [Labelled(TEXT, 1, spans)])
    assert rates.recall is not None
    assert (rates.recall["found"], rates.by_type["PERSON"]["covered"]) == (1, False)


def test_what_presidio_answered_becomes_findings_and_masks(recorded: None) -> None:
    check_findings()


def test_entities_without_a_form_are_only_flagged_unless_the_rule_acts_on_them() -> None:
    found = [
        SimpleNamespace(start=0, end=4, entity_type="PERSON", score=0.85),
        SimpleNamespace(start=9, end=28, entity_type="CREDIT_CARD", score=1.0),
    ]
    text = "Anna has 4111 1111 1111 1111"
    analyzer = SimpleNamespace(analyze=lambda **_: found)

    def settled(action: Any, texts: str = text, **settings: Any) -> Any:
        asked = msgspec.structs.replace(rule(**settings), action=action)
        rail = presidio.PresidioRail(asked)
        rail.ready = lambda: analyzer  # type: ignore[method-assign]
        said = [Ran("p", tuple(rail.find(texts)), 1.0)]
        return CompiledPolicy(Policy("p", "p", (asked,))).settle("input", texts, said, Vault())

    masked = settled("mask")
    assert (masked.action, masked.text) == ("mask", "Anna has [CARD]")
    assert [(hit.action, hit.findings[0].type) for hit in masked.hits] == [
        ("flag", "PERSON"), ("mask", "CREDIT_CARD"),
    ]  # fmt: skip
    assert settled("mask", act_on=["PERSON"]).text == "[PERSON] has [CARD]"
    del found[1]
    assert (settled("block").action, settled("mask").text) == ("flag", text)
    assert settled("block", act_on=["PERSON"]).action == "block"
    assert "Did you mean 'PERSON'" in presidio.ask(rule(act_on=["PERSONS"]), text).error

    named = PolicyRule(id="p", rail="presidio", action="mask", settings={"entities": ["PERSON"]})
    with pytest.raises(InvalidInput, match="would mask PERSON, which have no checksum") as refused:
        check_rules([named], {"presidio"})
    assert 'act_on": ["PERSON"]' in str(refused.value.hint)


def test_a_rule_for_presidio_says_what_is_missing() -> None:
    assert "has no setting 'entitys'" in presidio.ask(rule(entitys=["PERSON"]), TEXT).error
    if presidio.absent():
        assert "pip install 'stockpot[presidio]'" in presidio.ask(rule(), TEXT).error


@pytest.mark.library("presidio_analyzer")
async def test_presidio_itself_finds_what_was_recorded_fetches_nothing_and_is_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    def nobody(*told: Any, **_: Any) -> Any:
        asked.append(told)
        raise OSError("no network")

    process, part = RailProcess(), RailsPart((Policy("p", "p", (rule(),)),))
    try:  # its first text is in time though loading takes seconds
        asks = ("p", "p", "input", TEXT)
        (ran,) = await process.run("t", msgspec.msgpack.encode(part), asks, 1.0)
        assert {one.type for one in ran.findings} >= {"CREDIT_CARD", "US_SSN", "US_PASSPORT"}
    finally:
        await process.close()
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    presidio._analyzer.cache_clear()
    check_findings()
    missing = presidio.ask(rule(spacy_model="xx_none_sm"), TEXT)
    assert "python -m spacy download xx_none_sm" in missing.error
    assert not asked
