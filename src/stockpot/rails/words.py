"""Lists of words and phrases. Knows the lists it is given; knows no language and no meaning.

Compared without case and accents; with `disguise` also where digits and signs stand for letters
(`v1agr@`) and look-alike letters of other scripts. Not found: words written with spaces or dots
between their letters, inflected forms that the list does not have.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from stockpot.rails.folding import fold
from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings

_FEW = 64
"""Up to so many needles, searching for each is quicker than splitting the text into words."""


class Needles:
    """Words and phrases to be found in texts, folded once."""

    def __init__(self, words: Sequence[str], disguise: bool = False, whole: bool = True) -> None:
        self._disguise, self._whole = disguise, whole
        self._words = {fold(word.strip(), disguise): word for word in words}
        self._words.pop("", None)
        self.longest = max(map(len, self._words), default=0)
        self._openings = {word[:n] for word in self._words for n in range(1, len(word) + 1)}
        self._sizes = sorted({len(word) for word in self._words})
        self._plain = whole and len(self._words) > _FEW and all(map(str.isalnum, self._words))

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Start, end and the word as the list writes it."""
        folded = fold(text, self._disguise)
        words = self._words
        if self._plain:
            words = {w: words[w] for w in words.keys() & set(_alphanumeric(folded).split())}
        for word, told in words.items():
            at = folded.find(word)
            while at >= 0:
                end = at + len(word)
                if not self._whole or _stands_alone(text, at, end):
                    yield at, end, told
                at = folded.find(word, at + 1)

    def open_at(self, text: str) -> int:
        tail = fold(text[-self.longest :], self._disguise) if self.longest else ""
        for size in range(len(tail), 0, -1):
            if tail[-size:] in self._openings:
                return len(text) - size
        return len(text)


def _alphanumeric(folded: str) -> str:
    if folded.isascii():
        return folded.translate(_SIGNS)
    return "".join([c if c.isalnum() else " " for c in folded])


_SIGNS = {code: " " for code in range(128) if not chr(code).isalnum()}


def _stands_alone(text: str, start: int, end: int) -> bool:
    if start and text[start - 1].isalnum() and text[start].isalnum():
        return False
    return not (end < len(text) and text[end].isalnum() and text[end - 1].isalnum())


class WordsRail:
    """Finds the words of one list; every finding is of the type that the list has."""

    kind = "words"

    def __init__(self, needles: Needles, kind: str) -> None:
        self._needles, self._type = needles, kind
        self.reach = max(needles.longest, 1)

    def find(self, text: str) -> list[Finding]:
        found = [Finding(a, b, self._type, 1.0, told) for a, b, told in self._needles.find(text)]
        return sorted(found, key=lambda one: one.start) if len(found) > 1 else found

    def open_at(self, text: str) -> int:
        return self._needles.open_at(text)


def build_words(rule: Rule, models: Mapping[str, bytes]) -> WordsRail:
    told = Settings(rule, ("words", "disguise", "whole_words", "type"))
    words = told.texts("words")
    if not any(word.strip() for word in words):
        raise InvalidRule(f"rule {rule.id!r} (words) has no words", hint="settings.words = [...]")
    needles = Needles(words, told.flag("disguise", False), told.flag("whole_words", True))
    return WordsRail(needles, told.text("type", "WORD"))
