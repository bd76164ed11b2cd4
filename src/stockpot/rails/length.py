"""The length of a text, in characters, lines and estimated tokens. Knows no tokenizer.

Tokens are estimated by the length in bytes: four of ASCII to a token, and about two of others. For
English prose this is within a fifth of what common tokenizers count; for code and other scripts it
may be half or double.
"""

from __future__ import annotations

from collections.abc import Mapping

from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings


def estimated_tokens(text: str) -> int:
    """Rounded up; 0 for no text."""
    size = len(text)
    if text.isascii():
        return -(-size // 4)
    more = len(text.encode("utf-8", "surrogatepass")) - size
    return -(-size // 4) + more // 2


class LengthRail:
    """Finds a text that is too long or too short; the finding is what is beyond, or all of it."""

    kind = "length"
    reach = 0

    def __init__(self, limits: dict[str, float]) -> None:
        self._limits = limits

    def find(self, text: str) -> list[Finding]:
        limits, size = self._limits, len(text)
        most = limits.get("max_characters")
        if most is not None and size > most:
            return [Finding(int(most), size, "TOO_LONG", 1.0, f"{size} characters of {most:g}")]
        least = limits.get("min_characters")
        if least is not None and size < least:
            return [Finding(0, size, "TOO_SHORT", 1.0, f"{size} characters of {least:g}")]
        most = limits.get("max_tokens")
        if most is not None and (tokens := estimated_tokens(text)) > most:
            return [Finding(0, size, "TOO_LONG", 1.0, f"about {tokens} tokens of {most:g}")]
        most = limits.get("max_lines")
        if most is not None and (lines := text.count("\n") + 1) > most:
            return [Finding(0, size, "TOO_LONG", 1.0, f"{lines} lines of {most:g}")]
        return []


_NAMES = ("max_characters", "max_tokens", "max_lines", "min_characters")


def build_length(rule: Rule, models: Mapping[str, bytes]) -> LengthRail:
    """Settings: `max_characters`, `max_tokens` (estimated), `max_lines`, `min_characters`."""
    told = Settings(rule, _NAMES)
    limits = {name: value for name in _NAMES if (value := told.number(name)) is not None}
    if not limits:
        raise InvalidRule(f"rule {rule.id!r} (length) sets no limit", hint=", ".join(_NAMES))
    return LengthRail(limits)
