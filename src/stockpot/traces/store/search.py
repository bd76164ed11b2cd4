"""What a search asks for. Knows words; knows neither files nor spans.

    refund policy        both words              "refund policy"   the phrase
    refund*              words that begin so     -refund           without the word

Case and accents do not matter. A phrase is looked up by its words and confirmed on the text, since
the index keeps no positions.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from stockpot.core.errors import InvalidInput
from stockpot.traces.store.payloads import spaced

_TERMS = re.compile(r'-?"[^"]*"?|\S+')
_WORDS = re.compile(r"[^\W_]+")


class Search(NamedTuple):
    """`expression` is FTS5's; a text found by it must hold all `phrases` and none of `without`."""

    expression: str
    phrases: tuple[re.Pattern[str], ...] = ()
    without: tuple[re.Pattern[str], ...] = ()

    @property
    def certain(self) -> bool:
        """Whether the index alone decides."""
        return not (self.phrases or self.without)

    def holds(self, text: str) -> bool:
        """Whether a text that the index found is what was asked for."""
        flat = _folded(text)
        return all(p.search(flat) for p in self.phrases) and not any(
            p.search(flat) for p in self.without
        )


def parse(asked: str) -> Search:
    """Read a search. Raises InvalidInput when there is no word to look for."""
    needed: list[str] = []
    barred: list[str] = []
    phrases: list[re.Pattern[str]] = []
    without: list[re.Pattern[str]] = []
    for term in _TERMS.findall(asked):
        negative = len(term) > 1 and term.startswith("-")
        words = _WORDS.findall(spaced(unicodedata.normalize("NFC", term)))
        if not words:
            continue
        prefix = term.endswith("*")
        if len(words) > 1:
            (without if negative else phrases).append(_phrase(term, prefix))
        quoted = [f'"{word}"' for word in words]
        if prefix:
            quoted[-1] += "*"
        if not negative:
            needed += quoted
        elif len(words) == 1:
            barred += quoted
    if not needed:
        raise InvalidInput(
            f"the search {asked!r} names no word to look for",
            hint="stockpot traces list --search 'refund policy'",
        )
    expression = " AND ".join(needed)
    if barred:
        expression = f"({expression}) NOT ({' OR '.join(barred)})"
    return Search(expression, tuple(phrases), tuple(without))


def _phrase(term: str, prefix: bool) -> re.Pattern[str]:
    """Words one after the other, whatever stands between them that is no word."""
    words = r"[\W_]+".join(map(re.escape, _WORDS.findall(_folded(term))))
    return re.compile(r"(?<![^\W_])" + words + ("" if prefix else r"(?![^\W_])"))


def _folded(text: str) -> str:
    """A text without case and accents, as the index compares it."""
    if not text.isascii():
        bare = (c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
        text = spaced(unicodedata.normalize("NFC", "".join(bare)))
    return text.lower()
