"""A conversation goes on with what the model says now and what its tools said then."""

from __future__ import annotations

from typing import Any

import pytest

from stockpot.playground.answers import differences, digest, read_answer
from stockpot.playground.models import Answer, Called, Said
from stockpot.playground.stubs import NotReached, Results, Turned, going_on

ASKED: list[dict[str, Any]] = [{"role": "user", "content": "Is there soup?"}]


def calling(arguments: str, ident: str = "c1") -> Answer:
    call = Called(id=ident, name="look", arguments=arguments)
    return Answer(choices=(Said(tool_calls=(call,), finish="tool_calls"),))


def message(arguments: str, ident: str = "c1") -> dict[str, Any]:
    function = {"name": "look", "arguments": arguments}
    call = {"id": ident, "type": "function", "function": function}
    return {"role": "assistant", "content": None, "tool_calls": [call]}


def result(text: str, ident: str = "c1") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": ident, "content": text}


LATER = [*ASKED, message('{"dish": "soup"}'), result("yes, tomato")]


def known() -> Results:
    results = Results()
    results.read(LATER)
    return results


def test_the_same_answer_leaves_every_byte_of_the_next_step() -> None:
    then = calling('{"dish": "soup"}')
    assert going_on(LATER, [Turned(ASKED, ASKED, then, then)], known()) == LATER


def test_the_same_call_spelled_otherwise_gets_the_recorded_result() -> None:
    then, now = calling('{"dish": "soup"}'), calling('{ "dish":"soup" }', "c9")
    assert going_on(LATER, [Turned(ASKED, ASKED, then, now)], known()) == [
        *ASKED, message('{ "dish":"soup" }', "c9"), result("yes, tomato", "c9"),
    ]  # fmt: skip


def test_a_call_that_nobody_recorded_ends_the_conversation_and_says_so() -> None:
    then, now = calling('{"dish": "soup"}'), calling('{"dish": "cake"}')
    with pytest.raises(NotReached, match=r'look\(\{"dish": "cake"\}\)'):
        going_on(LATER, [Turned(ASKED, ASKED, then, now)], known())


def test_a_model_that_answers_at_once_never_comes_to_the_next_step() -> None:
    then, now = calling('{"dish": "soup"}'), Answer(choices=(Said(text="Yes"),))
    with pytest.raises(NotReached, match="does not call look"):
        going_on(LATER, [Turned(ASKED, ASKED, then, now)], known())


def test_a_step_of_its_own_is_asked_as_it_was() -> None:
    then, now = calling('{"dish": "soup"}'), Answer(choices=(Said(text="Yes"),))
    other = [{"role": "user", "content": "Sum up."}]
    assert going_on(other, [Turned(ASKED, ASKED, then, now)], known()) == other


def test_another_answer_takes_the_place_of_the_recorded_one() -> None:
    then, now = Answer(choices=(Said(text="Yes"),)), Answer(choices=(Said(text="No"),))
    later = [*ASKED, {"role": "assistant", "content": "Yes"}, {"role": "user", "content": "Sure?"}]
    assert going_on(later, [Turned(ASKED, ASKED, then, now)], known())[1] == {
        "role": "assistant", "content": "No",
    }  # fmt: skip


def test_ids_are_no_difference_and_a_letter_is_one() -> None:
    one, other = calling('{"dish": "soup"}'), calling('{"dish": "soup"}', "c2")
    assert differences(one, other) == ()
    assert digest(one) == digest(other)
    (found,) = differences(one, calling('{"dish": "soap"}'))
    assert found.field == "tool_calls"
    assert "soap" in found.diff


def test_a_stream_and_a_whole_answer_with_the_same_words_are_identical() -> None:
    whole = read_answer(
        '{"model": "m", "choices": [{"index": 0, "finish_reason": "stop",'
        ' "message": {"role": "assistant", "content": "a pot"}}]}'
    )
    streamed = read_answer(
        'data: {"model": "m", "choices": [{"index": 0, "delta": {"content": "a "}}]}\n\n'
        'data: {"choices": [{"delta": {"content": "pot"}, "finish_reason": "stop"}]}\n\n'
        "data: [DONE]\n\n"
    )
    assert differences(whole, streamed) == ()
