"""Answers in JSON: what is checked, what is mended, and what has to be asked again."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.rails import CompiledPolicy, InvalidRule, Outcome, Policy, Rule, build
from stockpot.rails.json_text import NoJSON, read

DISH = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "price": {"type": "number"}},
    "required": ["name"],
    "additionalProperties": False,
}


def answered(text: str, **settings: Any) -> Outcome:
    rule = Rule("shape", "json_schema", action="reask", settings={"schema": DISH, **settings})
    return CompiledPolicy(Policy("p", "p", (rule,))).check("output", text)


def test_what_fits_goes_on_as_it_is() -> None:
    text = '{"name": "soup",\n "price": 4.5}'
    outcome = answered(text)
    assert (outcome.action, outcome.text, outcome.hits) == ("allow", text, ())


@pytest.mark.parametrize(
    "text",
    [
        'Here it is:\n```json\n{"name": "soup", "price": 4}\n```\nEnjoy {it}!',
        '{"name": "soup", "price": 4,}',
        "{'name': 'soup', 'price': 4}",
        '{name: "soup", price: +4}',
        'Sure! {"name": "soup", // tasty\n "price": 4} Anything else?',
        "{“name”: “soup”, “price”: 4}",
    ],
)
def test_writing_is_mended_and_values_stay(text: str) -> None:
    outcome = answered(text)
    assert (outcome.action, json.loads(outcome.text)) == ("mask", {"name": "soup", "price": 4})
    assert outcome.hits[0].mended


def test_line_ends_and_quotes_inside_texts_are_kept() -> None:
    outcome = answered('{"name": "soup\n\t"of" the day"}')
    assert json.loads(outcome.text) == {"name": 'soup\n\t"of" the day'}


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ('{"price": 4}', "JSON_SCHEMA", "'name' (a text) is missing"),
        ('{"name": "soup", "price": "4"}', "JSON_SCHEMA", "'price' must be a number, not the text"),
        ("{'name': 'soup', prize: 4}", "JSON_SCHEMA", "Did you mean 'price'?"),
        ("I cannot do that.", "JSON_INVALID", "there is no JSON object or list in it"),
        ('{"name": }', "JSON_INVALID", "at character 9 it should have a value, not '}'"),
        ('{"name": "so', "JSON_TRUNCATED", "it ends before it is complete"),
    ],
)
def test_what_cannot_be_mended_is_asked_again_in_words(text: str, kind: str, says: str) -> None:
    outcome = answered(text)
    assert (outcome.action, outcome.text) == ("reask", text)
    assert outcome.hits[0].findings[0].type == kind
    assert says in outcome.message


def test_a_missing_end_is_closed_on_request_and_nothing_is_mended_without_leave() -> None:
    assert json.loads(answered('{"name": "so', truncated=True).text) == {"name": "so"}
    assert json.loads(answered('{"name": "soup", "pri', truncated=True).text) == {"name": "soup"}
    assert answered("{'name': 'soup'}", repair=False).action == "reask"


def test_what_is_mended_is_what_the_other_rails_see() -> None:
    rules = (
        Rule("pii", "pii", action="mask"),
        Rule("shape", "json_schema", action="reask", settings={"schema": DISH}),
    )
    made = CompiledPolicy(Policy("p", "p", rules))
    outcome = made.check("output", "{'name': 'ann@example.com',}")
    assert (outcome.action, outcome.text) == ("mask", '{"name":"[EMAIL]"}')


def test_a_schema_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(InvalidRule, match="is not checked here"):
        build(Rule("r", "json_schema", settings={"schema": {"typ": "object"}}), {})


NAMES = st.text(max_size=4)
PLAIN = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e6, 1e6) | NAMES
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
DOCUMENTS = st.lists(VALUES, max_size=3) | st.dictionaries(NAMES, VALUES, max_size=3)


@given(DOCUMENTS, st.sampled_from(["{}", "```json\n{}\n```", "Here you are: {}", " {} \n"]))
def test_a_document_is_read_as_it_was_written_whatever_is_around_it(
    value: Any, around: str
) -> None:
    assert read(around.replace("{}", json.dumps(value, ensure_ascii=False))).value == value


@given(DOCUMENTS, st.data())
def test_a_document_that_was_cut_off_is_never_taken_for_a_whole_one(value: Any, data: Any) -> None:
    text = json.dumps(value)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    try:
        made = read(cut)
    except NoJSON:
        return
    assert made.cut


@pytest.mark.parametrize(
    "text",
    ["[" * 20_000, '{"a":' * 4_000, '"#' * 10_000, "```json\n" * 2_500, '["' * 10_000,
     "{/*" * 6_000, '["a" ' * 4_000, "{" + " " * 20_000, '[1,"' + "\\u" * 10_000],
    ids=lambda text: repr(text[:8]),
)  # fmt: skip
def test_no_text_of_20_kb_takes_long(text: str) -> None:
    begun = time.thread_time()
    answered(text)
    assert time.thread_time() - begun < 1.0
