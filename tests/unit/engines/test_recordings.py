"""Which recorded answer a request gets, and what is kept of a recording."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.instance import Instance
from stockpot.engines.recorded import shelf
from stockpot.engines.recorded.models import Line, Tape, key_of, read, tokens_of


def said(text: str, system: str = "") -> list[dict[str, Any]]:
    first = [{"role": "system", "content": system}] if system else []
    return [*first, {"role": "user", "content": text}]


def lines(*rows: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(row) for row in rows).encode()


def test_a_whole_conversation_wins_over_the_last_question_alone() -> None:
    tape = Tape("m", [
        Line(answer="in general", question="What  is it?"),
        Line(answer="as a pirate", messages=tuple(said("What is it?", "Be a pirate."))),
        Line(answer="by hash", key=key_of(said("What is it?", "Be brief.")).upper()),
    ])  # fmt: skip
    asked = ("", "Be a pirate.", "Be brief.", "Be kind.")
    found = [tape.find(said("What is it? ", system)).line for system in asked]
    assert [line.answer for line in found if line] == [
        "in general", "as a pirate", "by hash", "in general",
    ]  # fmt: skip


def test_answers_to_the_same_question_are_played_in_turn() -> None:
    tape = Tape("m", [Line(answer=a, question="again?") for a in ("one", "two")])
    found = [tape.find(said("again?")).line for _ in range(3)]
    assert [line.answer for line in found if line] == ["one", "two", "one"]


def test_what_was_never_recorded_names_the_nearest_question() -> None:
    tape = Tape("m", [Line(answer="a", question="how do I cook rice"),
                      Line(answer="b", messages=tuple(said("where is the tea")))])  # fmt: skip
    assert tape.find(said("how is rice cooked")) == (
        None, "how is rice cooked", "how do I cook rice"
    )  # fmt: skip
    assert tape.find(said("where was the tea?")).nearest == "where is the tea"


def test_tokens_are_as_recorded_or_a_quarter_of_the_characters() -> None:
    (line,) = (Line(answer="x" * 40, question="q"),)
    assert tokens_of(line, said("y" * 80)) == (tokens_of(line, said("y" * 80)))
    assert tokens_of(line, said("y" * 80)).prompt_tokens == 20
    assert tokens_of(line, said("y" * 80)).completion_tokens == 10


def test_a_file_of_several_models_gives_each_its_own_answers() -> None:
    data = lines({"model": "a", "question": "q", "answer": "1"},
                 {"model": "b", "question": "q", "answer": "2"})  # fmt: skip
    found = read(data, "b").find(said("q")).line
    assert found is not None
    assert found.answer == "2"
    with pytest.raises(InvalidInput, match="no answers of 'c'"):
        read(data, "c")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"answer": "a"}, "says not what it answers"),
        ({"answer": "a", "question": "q", "latncy": 1}, "line 1 is no recorded answer"),
        ({"answer": "a", "question": "q", "usage": {"prompt_tokens": -1}}, "line 1"),
    ],
)
def test_a_line_that_cannot_be_played_is_refused_by_its_number(
    row: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        read(lines(row), "m")


def test_the_server_is_wanted_while_there_is_a_recording(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert not shelf.wanted(instance).exists()
    shelf.record(instance, "writer", lines({"question": "q", "answer": "a"}))
    assert shelf.wanted(instance).exists()
    seen = shelf.Shelf(shelf.folder_of(instance))
    assert (seen.look(), seen.look(), list(seen.tapes)) == (True, False, ["writer"])
    assert shelf.recordings(instance)[0][:2] == ("writer", 1)
    shelf.remove(instance, "writer")
    assert (seen.look(), list(seen.tapes)) == (True, [])
    assert not shelf.wanted(instance).exists()
    with pytest.raises(NotFound, match="writer"):
        shelf.remove(instance, "writer")
