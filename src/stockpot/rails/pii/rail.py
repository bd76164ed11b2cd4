"""Structured personal data as a rail: which types there are, in which order they are sought.

Knows forms and check digits. Does not know names, street addresses, organisations, nationalities
or titles, which have no form; nor numbers of countries without a row here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from stockpot.rails.models import Finding, Rule
from stockpot.rails.pii import codes as _codes
from stockpot.rails.pii import numbers as _numbers
from stockpot.rails.pii.contact import domains, emails, networks, phones
from stockpot.rails.pii.dates import ages, dates, postal
from stockpot.rails.pii.seen import Seen
from stockpot.rails.registry import Settings
from stockpot.rails.shapes import has, has_digit

Detector = Callable[[Seen, frozenset[str]], None]

# Before which other one a detector must run: a stretch is claimed by the first that knows it.
_ORDER: tuple[tuple[frozenset[str], Detector], ...] = (
    (frozenset({"EMAIL_ADDRESS"}), emails),
    (frozenset({"DOMAIN_NAME"}), domains),
    (frozenset({"IP_ADDRESS", "MAC_ADDRESS"}), networks),
    (frozenset({row.type for row in (*_codes.CODES, *_codes.WALLETS)})
     | {"FI_PERSONAL_IDENTITY_CODE", "US_DRIVER_LICENSE"}, _codes.codes),
    (frozenset({row.type for row in _numbers.ROWS}) | {"CREDIT_CARD"}, _numbers.numbers),
    (frozenset({"DATE_TIME"}), dates),
    (frozenset({"PHONE_NUMBER"}), phones),
    (frozenset({"ZIP_CODE"}), postal),
    (frozenset({"AGE"}), ages),
)  # fmt: skip

TYPES = tuple(sorted(frozenset().union(*(types for types, _ in _ORDER))))
"""Every type, by Presidio's name where Presidio has one."""

NOT_BY_ITSELF = frozenset({"DATE_TIME", "AGE", "ZIP_CODE", "DOMAIN_NAME"})
DEFAULT = tuple(name for name in TYPES if name not in NOT_BY_ITSELF)
"""What identifies somebody by itself. A year, a weekday, an age, a web address seldom do, and
hiding them takes the sense out of many a question: they are sought where `types` names them."""

REACH = 2100
"""Characters of the longest web address that is found, with room."""

_AFTER = 28
"""Characters after a number in which a word may still say what it is."""

_DIGIT = re.compile("[0-9]")
_RUN_BACK = re.compile(r"[0-9A-Za-z .()/:+\u00a0\u2009\u202f\u2010-\u2013-]{0,96}\Z")
_MONTH = re.compile(r"[A-Za-zäéû]{3,10}[.,]? {1,2}\Z")
_WORD = re.compile(r"\S{1,2100}\Z")


class PiiRail:
    """Finds structured personal data of the types it is told."""

    kind = "pii"
    reach = REACH

    def __init__(self, types: tuple[str, ...] = DEFAULT) -> None:
        self.types = self._types = frozenset(types)
        self._dated = "DATE_TIME" in self._types
        # A date or an address of the web is no telephone number, also where nobody asks for it.
        sought = self._types | {"DATE_TIME", "DOMAIN_NAME"}
        self._steps = tuple(detect for types, detect in _ORDER if types & sought)

    def find(self, text: str) -> list[Finding]:
        if not has_digit(text) and not self._without_digits(text):
            return []
        seen = Seen(text)
        for detect in self._steps:
            detect(seen, self._types)
        wanted = self._types
        return [Finding(*claim) for claim in seen.claims if claim.type in wanted]

    def _without_digits(self, text: str) -> bool:
        """Whether a text without a digit is worth looking at."""
        if "@" in text or has(text, "://") or has(text, "www."):
            return True
        return ("." in text and "DOMAIN_NAME" in self._types) or (
            self._dated and "day" in text.lower()
        ) or has(text, "wift") or has(text, "WIFT") or has(text, "BIC")  # fmt: skip

    def open_at(self, text: str) -> int:
        size = len(text)
        word = _WORD.search(text, max(0, size - REACH))
        first = word.start() if word else size
        digit = _DIGIT.search(text, max(0, size - _AFTER))
        if digit is not None:
            back = _RUN_BACK.search(text, max(0, digit.start() - 96), digit.start())
            first = min(first, back.start() if back else digit.start())
        elif self._dated and (month := _MONTH.search(text, max(0, size - 14))):
            first = min(first, month.start())
        return first


def build_pii(rule: Rule, models: Mapping[str, bytes]) -> PiiRail:
    """Setting `types`: the types to find, or `["*"]` for all."""
    told = Settings(rule, ("types",))
    if rule.settings.get("types") in (["*"], ("*",), "*"):
        return PiiRail(TYPES)
    return PiiRail(told.choices("types", TYPES, DEFAULT))
