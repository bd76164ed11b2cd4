"""Which language a text is in, measured on sentences that the words were not chosen by."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from stockpot.rails import InvalidRule, Rule, build
from stockpot.rails.language import identify

SENTENCES = runpy.run_path(str(Path(__file__).with_name("languages.py")))["SENTENCES"]


def test_three_sentences_are_told_in_every_language() -> None:
    wrong = {c: identify(" ".join(told)) for c, told in SENTENCES.items()}
    assert {code: said for code, said in wrong.items() if code != said} == {}


def test_of_single_sentences_most_are_told_and_few_are_told_wrongly() -> None:
    said = [(code, identify(one)) for code, told in SENTENCES.items() for one in told]
    right = sum(code == told for code, told in said) / len(said)
    wrong = sum(told not in ("", code) for code, told in said) / len(said)
    assert right >= 0.85
    assert wrong <= 0.04


@pytest.mark.parametrize("text", ["", "42 + 1", "Lasagne", "OK", "xq zrt bnm plk", "😀😀😀"])
def test_what_cannot_be_told_is_unknown(text: str) -> None:
    assert identify(text) == ""


def test_a_language_that_is_not_wanted_is_found() -> None:
    rail = build(Rule("r", "language", settings={"allow": ["en", "de"]}), {})
    assert not rail.find("Where is the soup, please, and how much is it?")
    assert [f.note for f in rail.find("Où est la soupe, et combien est-ce que cela coûte ?")] == [
        "fr"
    ]
    strict = build(Rule("r", "language", settings={"deny": ["fr"], "unknown": True}), {})
    assert [f.note for f in strict.find("Lasagne")] == ["unknown"]
    with pytest.raises(InvalidRule, match="names no language"):
        build(Rule("r", "language"), {})
