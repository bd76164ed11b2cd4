"""Edit distances by bit vectors are those of the textbook's table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.traces.scores.distance import MOST, edit_distance, edit_share

WORDS = st.text(alphabet="abc\N{EMOJI MODIFIER FITZPATRICK TYPE-6}", max_size=14)


def by_table(one: str, other: str) -> int:
    """Wagner and Fischer, 1974."""
    above = list(range(len(other) + 1))
    for row, x in enumerate(one, 1):
        line = [row]
        for column, y in enumerate(other, 1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (x != y)))
        above = line
    return above[-1]


@given(WORDS, WORDS)
def test_the_distance_is_that_of_the_whole_table(one: str, other: str) -> None:
    assert edit_distance(one, other) == edit_distance(other, one) == by_table(one, other)


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("kitten", "sitting", 3), ("", "", 0), ("", "abc", 3), ("flaw", "lawn", 2)],
)
def test_known_distances(one: str, other: str, distance: int) -> None:
    assert edit_distance(one, other) == distance


def test_a_share_is_of_the_longer_text_and_long_texts_are_cut() -> None:
    assert edit_share("kitten", "sitting") == 3 / 7
    assert edit_share("", "") == 0
    assert edit_distance("x" * (MOST + 50), "x" * MOST) == 0
