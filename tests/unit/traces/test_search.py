from __future__ import annotations

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.traces.store.search import parse


def test_words_must_all_be_there() -> None:
    assert parse("refund policy").expression == '"refund" AND "policy"'


def test_words_may_be_barred_and_begun() -> None:
    assert parse("refund* -policy").expression == '("refund"*) NOT ("policy")'


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("our refund policy is", True),
        ("Refund\n  POLICY", True),
        ("refund-policy", True),
        ("policy refund", False),
        ("refund policyholder", False),
        ("prerefund policy", False),
    ],
)
def test_a_phrase_is_confirmed_word_by_word(text: str, holds: bool) -> None:
    search = parse('"refund policy"')
    assert not search.certain
    assert search.holds(text) is holds


def test_a_phrase_may_end_in_a_beginning() -> None:
    search = parse("refund-poli*")
    assert search.expression == '"refund" AND "poli"*'
    assert search.holds("refund policies")


def test_a_barred_phrase_excludes_only_the_phrase() -> None:
    search = parse('refund -"refund policy"')
    assert search.holds("policy of refund")
    assert not search.holds("refund policy")


def test_accents_and_case_do_not_matter() -> None:
    assert parse('"crème brûlée"').holds("CREME BRULEE")
    assert parse('"creme brulee"').holds("Crème  brûlée")


def test_scripts_without_spaces_are_searched_inside() -> None:
    search = parse("返品")
    assert search.expression == '"返" AND "品"'
    assert search.holds("この返品ポリシー")
    assert not search.holds("品返")


def test_syntax_of_the_index_is_only_text() -> None:
    assert parse('NEAR OR "a').expression == '"NEAR" AND "OR" AND "a"'


@pytest.mark.parametrize("nothing", ["", "  ", "!!!", "-refund", '""'])
def test_a_search_without_a_word_is_refused_with_an_example(nothing: str) -> None:
    with pytest.raises(InvalidInput, match="names no word"):
        parse(nothing)
