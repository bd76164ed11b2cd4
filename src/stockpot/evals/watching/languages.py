"""A guess at the language of a text, good enough to count by: its script, and for Latin letters the
commonest little words. Pure; knows no dictionary."""

from __future__ import annotations

import unicodedata

_WORDS = {
    "en": "the and is of to in that it you for what with are this have not",
    "de": "der die und das ist nicht ein eine mit für ich den zu auf wie was",
    "fr": "le la les et est une des que pour dans pas vous je qui avec du",
    "es": "el los las es una que para por con no en como qué del está",
    "it": "il che non di per una con sono come della è gli nel anche",
    "pt": "o os as é uma que para não com em como do da você mais",
    "nl": "de het een en is van dat niet voor met op zijn wat ik je",
    "pl": "i w nie na się jest że do to z jak co dla",
    "tr": "ve bir bu için ile de da ne mi çok var",
}
_OF_WORD = {
    word: [name for name, words in _WORDS.items() if word in words.split()]
    for words in _WORDS.values()
    for word in words.split()
}
_SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "HANGUL",
            "HIRAGANA", "KATAKANA", "CJK")  # fmt: skip
_LOOKED_AT = 400


def language_of(text: str) -> str:
    """A language (`de`), or a script (`cyrillic`), or `other`."""
    scripts: dict[str, int] = {}
    for letter in text[:_LOOKED_AT]:
        if letter.isalpha():
            name = unicodedata.name(letter, "").partition(" ")[0]
            script = next((known for known in _SCRIPTS if name.startswith(known)), "OTHER")
            scripts[script] = scripts.get(script, 0) + 1
    if not scripts:
        return "other"
    script = max(scripts, key=lambda one: scripts[one])
    if script != "LATIN":
        return script.lower()
    found: dict[str, float] = {}
    for word in text[:_LOOKED_AT].lower().split():
        names = _OF_WORD.get(word.strip(".,;:!?\"'()"), ())
        for name in names:
            found[name] = found.get(name, 0.0) + 1 / len(names)
    return max(found, key=lambda one: found[one]) if found else "latin"
