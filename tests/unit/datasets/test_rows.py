"""Rows out of files, parts of data sets, and answers to a rubric, without a store."""

from __future__ import annotations

from typing import Any

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.datasets import agreeing, importing, slicing
from stockpot.datasets.annotation_models import Answered, Question
from stockpot.datasets.content import split_of, version_hash
from stockpot.datasets.harvesting import input_of
from stockpot.datasets.models import Condition, DatasetRow

ROW = DatasetRow(
    id="r", hash="h", input={"messages": [{"role": "user", "content": "Leek soup?"}]},
    expected={"dish": "leek"}, metadata={"n": 3, "tags": ["hot"], "language": "de"},
    source_trace="", source_span="", split="test",
)  # fmt: skip


@pytest.mark.parametrize(
    ("field", "op", "value", "held"),
    [
        ("metadata.language", "eq", "de", True),
        ("metadata.language", "ne", "de", False),
        ("metadata.absent", "ne", "de", True),
        ("metadata.n", "ge", 3, True),
        ("metadata.n", "lt", 3, False),
        ("metadata.n", "lt", "4", False),
        ("metadata.tags", "contains", "hot", True),
        ("input", "contains", "LEEK", True),
        ("input.messages.0.role", "in", ["user", "system"], True),
        ("expected.dish", "exists", True, True),
        ("expected.price", "exists", False, True),
        ("split", "eq", "train", False),
    ],
)
def test_a_slice_holds_rows_by_their_fields(field: str, op: Any, value: Any, held: bool) -> None:
    assert slicing.holds(ROW, [Condition(field=field, op=op, value=value)]) is held


def test_a_row_keeps_its_split_whatever_comes_and_shares_are_about_right() -> None:
    shares = {"train": 0.7, "test": 0.3}
    drawn = [split_of(f"row {n}", shares, "seed") for n in range(4000)]
    assert drawn == [split_of(f"row {n}", shares, "seed") for n in range(4000)]
    assert 0.67 < drawn.count("train") / 4000 < 0.73
    assert drawn != [split_of(f"row {n}", shares, "other") for n in range(4000)]


def test_a_version_is_told_by_its_rows_in_whatever_order() -> None:
    rows = [("a", "1"), ("b", "2")]
    assert version_hash(rows) == version_hash(rows[::-1]) != version_hash(rows[:1])


def test_columns_of_a_file_are_guessed_by_name_and_may_be_told() -> None:
    text = '{"input": "soup?", "expected": {"a": 1}, "lang": "de"}\n'
    (row,) = importing.parse("jsonl", text, {}, "").rows
    assert (row.input, row.expected) == ({"input": "soup?"}, {"a": 1})
    assert row.metadata == {"lang": "de"}
    (row,) = importing.parse("jsonl", '{"q": 1, "r": 2}', {}, "test").rows
    assert (row.input, row.split) == ({"q": 1, "r": 2}, "test")
    with pytest.raises(InvalidInput, match="no column 'qq'"):
        importing.parse("csv", "q,a\n1,2\n", {"qq": "input"}, "")
    with pytest.raises(InvalidInput, match="Did you mean 'expected'"):
        importing.parse("csv", "q,a\n1,2\n", {"a": "expcted"}, "")


def test_every_faulty_line_of_a_file_is_told_by_its_number() -> None:
    text = '{"input": 1}\nnope\n\n["x"]\n{"expected": 1}\n{"input": 2, "id": "no blanks"}\n'
    parsed = importing.parse("jsonl", text, {}, "")
    assert [fault.line for fault in parsed.faults] == [2, 4, 5, 6]
    assert "id" in parsed.faults[-1].message
    assert importing.parse("csv", "a,a\n1,2\n", {}, "").faults[0].line == 1


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ('{"model": "m", "messages": [1], "temperature": 0}', {"messages": [1]}),
        ('{"messages": [1], "prompt_variables": {"dish": "soup"}}', {"dish": "soup"}),
        ('{"contents": [2], "systemInstruction": 1}', {"contents": [2], "systemInstruction": 1}),
        ("not json", {"input": "not json"}),
        (None, None),
    ],
)
def test_the_input_of_a_request_is_what_was_asked(request_: str | None, expected: Any) -> None:
    assert input_of(request_) == expected


RUBRIC = (
    Question(name="verdict", labels=("good", "bad")),
    Question(name="stars", kind="numeric", least=1, most=5, tolerance=1, required=False),
    Question(name="why", kind="text", required=False),
)


def test_answers_fit_the_rubric_or_are_refused_in_plain_words() -> None:
    given = {"verdict": "good", "stars": 4, "why": ""}
    assert agreeing.fitting(RUBRIC, given) == {"verdict": "good", "stars": 4.0}
    for wrong, said in (
        ({}, "needs an answer"),
        ({"verdict": "fine"}, "one of good, bad"),
        ({"verdict": "good", "stars": 7}, "from 1.0 to 5.0"),
        ({"verdict": "good", "star": 4}, "Did you mean 'stars'"),
    ):
        with pytest.raises(InvalidInput, match=said):
            agreeing.fitting(RUBRIC, wrong)


def test_annotators_differ_in_labels_and_in_numbers_beyond_the_tolerance() -> None:
    def said(**answers: Any) -> Answered:
        return Answered(annotator="a", answers=answers, comment="", done_ms=0)

    same = said(verdict="good", stars=3.0, why="x")
    assert agreeing.differing(RUBRIC, [same, said(verdict="good", stars=4.0, why="y")]) == ()
    assert agreeing.differing(RUBRIC, [same, said(verdict="bad", stars=5.0)]) == (
        "verdict", "stars",
    )  # fmt: skip
