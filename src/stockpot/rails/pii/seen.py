"""A text as detectors share it: what was claimed already, its runs of digits, the words around.

Knows stretches and words; knows no kind of data.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import NamedTuple

from stockpot.rails.shapes import digits_in

SEPARATORS = " .-/()\u00a0\u2009\u202f\u2010\u2011\u2012\u2013"

_ZERO = ord("0")
_LONGEST_WORD = 96


class Claim(NamedTuple):
    start: int
    end: int
    type: str


class Run(NamedTuple):
    """Digits with one or two separators between: the whole, and each group of digits."""

    start: int
    end: int
    groups: list[tuple[int, int]]
    digits: int


class Seen:
    """One text under examination. A stretch that is claimed is not claimed again, so that claims
    lie in order and never overlap."""

    __slots__ = ("_runs", "_starts", "_words", "claims", "lower", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        lower = text.lower()
        self.lower = lower if len(lower) == len(text) else text
        self.claims: list[Claim] = []
        self._starts: list[int] = []
        self._runs: list[Run] | None = None
        self._words: list[tuple[int, int]] | None = None

    def claim(self, start: int, end: int, kind: str) -> None:
        at = bisect_right(self._starts, start)
        self._starts.insert(at, start)
        self.claims.insert(at, Claim(start, end, kind))

    def free(self, start: int, end: int) -> bool:
        at = bisect_left(self._starts, end)  # the first claim that begins behind
        return at == 0 or self.claims[at - 1].end <= start

    def taken(self, start: int, end: int) -> bool:
        """Whether one claim has all of a stretch."""
        at = bisect_right(self._starts, start)
        return at > 0 and self.claims[at - 1].end >= end

    def taken_after(self, start: int) -> int:
        """Where the first claim that begins behind a place begins; the text's end without one."""
        at = bisect_right(self._starts, start)
        return self._starts[at] if at < len(self._starts) else len(self.text)

    def before(self, start: int, size: int) -> str:
        """The characters before a place in lower case; words that say what a number is."""
        return self.lower[max(0, start - size) : start]

    def after(self, end: int, size: int) -> str:
        return self.lower[end : end + size]

    def runs(self) -> list[Run]:
        if self._runs is None:
            self._runs = []
            text, shape, size = self.text, digits_in(self.text), len(self.text)
            start = shape.find(b"0")
            while start >= 0:
                end = shape.find(b" ", start)
                if end < 0:
                    end = size
                groups = [(start, end)]
                while end < size and text[end] in SEPARATORS:
                    first = end + 1
                    if first < size and text[first] in SEPARATORS:
                        first += 1
                    if first >= size or shape[first] != _ZERO:
                        break
                    end = shape.find(b" ", first)
                    if end < 0:
                        end = size
                    groups.append((first, end))
                digits = sum([b - a for a, b in groups]) if len(groups) > 1 else end - start
                self._runs.append(Run(start, end, groups, digits))
                start = shape.find(b"0", end)
        return self._runs

    def words(self) -> list[tuple[int, int]]:
        """Stretches of letters and digits that have a letter and a digit."""
        if self._words is None:
            self._words = []
            text, done, size = self.text, 0, len(self.text)
            for run in self.runs():
                for first, last in run.groups:
                    if first < done:
                        continue
                    start, end = first, last
                    low, high = max(done, first - _LONGEST_WORD), first + _LONGEST_WORD
                    while start > low and text[start - 1].isalnum():
                        start -= 1
                    while end < size and end < high and text[end].isalnum():
                        end += 1
                    done = end
                    if end - start > last - first:
                        self._words.append((start, end))
        return self._words


def stands_alone(text: str, start: int, end: int) -> bool:
    """No letter or digit runs into a stretch."""
    return not (start and text[start - 1].isalnum()) and not (
        end < len(text) and text[end].isalnum()
    )


def says(near: str, words: tuple[str, ...]) -> bool:
    for word in words:  # noqa: SIM110  # a generator would double the cost of the hottest question
        if word in near:
            return True
    return False
