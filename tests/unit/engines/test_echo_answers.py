"""What the test model says."""

from __future__ import annotations

import base64
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.engines.echo import answers
from stockpot.engines.echo.answers import ChatRequest, Message, Part


def ask(text: str, **parameters: object) -> answers.Answer:
    return answers.chat(
        ChatRequest(model="echo", messages=[Message("user", text)], **parameters)  # type: ignore[arg-type]
    )


@given(st.text())
def test_the_answer_is_the_question_and_its_tokens_are_its_words(text: str) -> None:
    answer = ask(text)
    assert answer.text == (text if text.split() else "")
    assert len(answer.tokens) == answer.prompt_tokens == len(text.split())
    assert answer.finish_reason == "stop"


def test_the_last_user_message_is_the_question_and_all_messages_are_counted() -> None:
    messages = [
        Message("system", "be brief"),
        Message("user", "one"),
        Message("user", [Part("text", "look at"), Part("image_url")]),
        Message("assistant", None),
    ]
    answer = answers.chat(ChatRequest(model="echo", messages=messages))
    assert answer.text == "look at\n[image_url]"
    assert answer.prompt_tokens == 6


@pytest.mark.parametrize("parameter", ["max_tokens", "max_completion_tokens"])
def test_a_limit_cuts_after_that_many_words_and_says_so(parameter: str) -> None:
    answer = ask("a b  c d", **{parameter: 3})
    assert (answer.text, answer.finish_reason) == ("a b  c", "length")
    answer = ask("a b", **{parameter: 2})
    assert (answer.text, answer.finish_reason) == ("a b", "stop")


def test_the_first_stop_sequence_ends_the_answer_and_is_not_said() -> None:
    assert ask("one two three", stop="two").text == "one "
    assert ask("one two three", stop=["three", "ne t", ""]).text == "o"
    assert ask("one two three", stop="absent").text == "one two three"


@given(st.text(), st.integers(1, 512))
def test_a_vector_has_length_one_and_is_the_same_again(text: str, dimensions: int) -> None:
    values = answers.vector(text, dimensions)
    assert len(values) == dimensions
    assert math.isclose(math.hypot(*values), 1.0)
    assert values == answers.vector(text, dimensions)
    packed = base64.b64decode(answers.packed(values))
    assert struct.unpack(f"<{dimensions}f", packed) == pytest.approx(values)


def test_texts_with_common_words_are_nearer_than_others() -> None:
    def cosine(a: str, b: str) -> float:
        left, right = answers.vector(a, 256), answers.vector(b, 256)
        return math.fsum(x * y for x, y in zip(left, right, strict=True))

    assert cosine("the soup is hot", "The soup was hot") > cosine("the soup is hot", "rain falls")


@pytest.mark.parametrize(
    ("given_", "expected"),
    [("a b", ["a b"]), (["a", "b"], ["a", "b"]), ([1, 2], ["1 2"]), ([[1], [2, 3]], ["1", "2 3"])],
)
def test_inputs_may_be_texts_or_token_ids(given_: object, expected: list[str]) -> None:
    assert answers.texts(given_) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("given_", [["a", 1], [1, "a"], [None], [["a"]]])
def test_inputs_of_other_shapes_are_refused(given_: list[object]) -> None:
    with pytest.raises(ValueError, match="token ids"):
        answers.texts(given_)
