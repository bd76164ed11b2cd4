"""Text as it is compared: without case, accents and disguise, character for character.

A folded text is as long as the text itself, so that offsets hold. It knows no language: `ß` becomes
`s`, a Turkish dotless `ı` an `i`. Letters of other scripts that look like Latin ones (a Cyrillic
`а`) are taken for them only where that is asked for (`disguise`).
"""

from __future__ import annotations

import unicodedata

LEET = {
    "0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "9": "g",
    "@": "a", "$": "s", "!": "i", "|": "i", "+": "t", "l": "i",
}  # fmt: skip
"""What stands for a letter in disguise. `l` and `i` are one, because `1` is either."""

LOOKS_LIKE = dict(zip(
    "авекмнорстухіјѕԁɡһӏԛԝαικνορτυχ", "abekmhopctyxijsdghlqwaikvoptux", strict=True
))  # fmt: skip

_SINGLE = {"ß": "s", "æ": "a", "œ": "o", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "þ": "t", "ð": "d"}
_DISGUISES = str.maketrans(LEET)
_ASCII = bytes(range(128))
_known: dict[str, str] = {}


def fold(text: str, disguise: bool = False) -> str:
    """The text in lower case without accents; with `disguise` also `h3ll0` as `heiio`."""
    if not text.isascii():
        text = _plain(text, disguise)
    text = text.lower()
    return text.translate(_DISGUISES) if disguise else text


def _plain(text: str, disguise: bool) -> str:
    for letter in set(_beyond_ascii(text)):
        plain = _known.get(letter)
        if plain is None:
            plain = _base(letter)
            if len(_known) < 20_000:
                _known[letter] = plain
        if disguise:
            plain = LOOKS_LIKE.get(plain, plain)
        if plain != letter:
            text = text.replace(letter, plain)
    return text


def _beyond_ascii(text: str) -> str:
    data = text.encode("utf-8", "surrogatepass").translate(None, _ASCII)
    return data.decode("utf-8", "surrogatepass")


def _base(letter: str) -> str:
    """One character for one character, whatever Unicode decomposes it to."""
    base = unicodedata.normalize("NFKD", letter)[:1].lower()[:1]
    return _SINGLE.get(base, base) or letter
