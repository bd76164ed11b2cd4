"""Which language a text is in: by its script, and in shared scripts by letters and little words.

Knows the languages of `LANGUAGES`. Does not know dialects, romanised writing or texts that mix
languages, and says "" (unknown) for a text with fewer than three words or without a clear winner.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from stockpot.rails.language_words import SIGNS, WORDS
from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings

_SAMPLE = 1200
"""Characters that are looked at: the beginning tells the language of the rest."""

_MOST = 200
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_LETTERS = re.compile(r"[^\W\d_]+")

_SCRIPTS: tuple[tuple[str, int, int], ...] = (
    ("latin", 0x41, 0x24F), ("latin", 0x1E00, 0x1EFF), ("el", 0x370, 0x3FF), ("el", 0x1F00, 0x1FFF),
    ("cyrillic", 0x400, 0x52F), ("hy", 0x530, 0x58F), ("he", 0x590, 0x5FF),
    ("arabic", 0x600, 0x6FF), ("hi", 0x900, 0x97F), ("bn", 0x980, 0x9FF), ("ta", 0xB80, 0xBFF),
    ("te", 0xC00, 0xC7F), ("th", 0xE00, 0xE7F), ("ka", 0x10A0, 0x10FF), ("ko", 0x1100, 0x11FF),
    ("kana", 0x3040, 0x30FF), ("han", 0x3400, 0x9FFF), ("ko", 0xAC00, 0xD7AF),
)  # fmt: skip
_CYRILLIC = frozenset({"ru", "uk", "bg", "sr"})
_VOTES: dict[str, dict[str, tuple[str, ...]]] = {
    script: {
        word: tuple(code for code in codes if word in words[code])
        for word in set().union(*(words[code] for code in codes))
    }
    for words in [{code: frozenset(told.split()) for code, told in WORDS.items()}]
    for script, codes in (
        ("latin", [c for c in WORDS if c not in _CYRILLIC]), ("cyrillic", sorted(_CYRILLIC)),
    )
}  # fmt: skip

LANGUAGES = tuple(sorted({
    *WORDS, "el", "hy", "he", "ar", "fa", "ur", "hi", "bn", "ta", "te", "th", "ka", "ko", "ja",
    "zh",
}))  # fmt: skip
"""ISO 639-1 codes. `hi` stands for whatever is written in Devanagari."""


def identify(text: str) -> str:
    """The code of the language, "" where it cannot be told."""
    sample = text[:_SAMPLE]
    if sample.isascii():
        return _by_words(sample.lower().translate(_NO_LETTERS).split(), "latin", "")
    words = _LETTERS.findall(sample.lower())
    letters = "".join(words)
    script = _script(letters)
    if script in ("latin", "cyrillic"):
        return _by_words(words, script, letters)
    if script == "arabic":
        if any(c in letters for c in "ٹڈےںڑ"):
            return "ur"
        return "fa" if any(c in letters for c in "پچژگی") else "ar"
    if script in ("han", "kana"):
        kana = sum(0x3040 <= ord(c) <= 0x30FF for c in letters)
        return "ja" if kana * 20 > len(letters) else "zh"
    return script


def _script(letters: str) -> str:
    counts: dict[str, int] = {}
    for letter in letters[:600]:
        code = ord(letter)
        for script, first, last in _SCRIPTS:
            if first <= code <= last:
                # A character of Chinese or Korean says as much as several letters.
                counts[script] = counts.get(script, 0) + (3 if code >= 0x3040 else 1)
                break
    best = max(counts, key=lambda script: counts[script], default="")
    return best if counts.get(best, 0) * 2 > sum(counts.values()) else ""


def _by_words(words: list[str], script: str, letters: str) -> str:
    """The language with most votes: a little word gives one, shared by all that have it."""
    if len(words) < 3:
        return ""
    votes: dict[str, float] = {}
    known = _VOTES[script]
    for word in words[:_MOST]:
        codes = known.get(word)
        if codes is not None:
            for code in codes:
                votes[code] = votes.get(code, 0.0) + 1 / len(codes)
    if letters:
        for code, signs in SIGNS.items():
            if (code in _CYRILLIC) == (script == "cyrillic"):
                seen = sum(letters.count(sign) for sign in signs)
                if seen:
                    votes[code] = votes.get(code, 0.0) + min(seen, 3 + len(words) / 8) * 0.5
    ranked = sorted(((n, code) for code, n in votes.items()), reverse=True)
    if not ranked or ranked[0][0] < max(0.9, 0.04 * min(len(words), _MOST)):
        return ""
    second = ranked[1][0] if len(ranked) > 1 else 0.0
    return ranked[0][1] if ranked[0][0] >= 1.15 * second else ""


class LanguageRail:
    """Finds a text in a language that is not wanted."""

    kind = "language"
    reach = 0

    def __init__(self, allow: tuple[str, ...], deny: tuple[str, ...], unknown: bool) -> None:
        self._allow, self._deny, self._unknown = frozenset(allow), frozenset(deny), unknown

    def find(self, text: str) -> list[Finding]:
        code = identify(text)
        if not code:
            wrong = self._unknown and bool(text.strip())
        else:
            wrong = code in self._deny or (bool(self._allow) and code not in self._allow)
        return [Finding(0, len(text), "LANGUAGE", 1.0, code or "unknown")] if wrong else []


def build_language(rule: Rule, models: Mapping[str, bytes]) -> LanguageRail:
    """Settings: `allow` or `deny`, codes of languages; `unknown` (false): whether a text whose
    language cannot be told is a finding."""
    told = Settings(rule, ("allow", "deny", "unknown"))
    allow, deny = told.choices("allow", LANGUAGES, ()), told.choices("deny", LANGUAGES, ())
    if not allow and not deny:
        raise InvalidRule(f"rule {rule.id!r} (language) names no language", hint="allow or deny")
    return LanguageRail(allow, deny, told.flag("unknown", False))
