"""Secrets: keys of known vendors, private keys, tokens, passwords in addresses and assignments.

Knows the forms that vendors publish, each by the text that it begins with. Does not know keys
without a form of their own, unless a word such as `password` is assigned to them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from stockpot.core.secret_forms import AROUND, VENDORS, long_words
from stockpot.rails.models import Finding, Rule
from stockpot.rails.registry import Settings
from stockpot.rails.shapes import has, has_digit

REACH = 16_000
"""Characters of the longest private key that is found."""

Match = Callable[[str, int], "re.Match[str] | None"]
_COMPILED: tuple[tuple[str, str, Match], ...] = tuple(
    (kind, head, re.compile(rest, re.ASCII).match) for kind, head, rest in VENDORS
)
_HEAD = re.compile("|".join(re.escape(head) for _, head, _ in VENDORS))
_TELEGRAM = re.compile(r"[0-9]{8,10}\Z")


_SHORTEST = 18


def _vendors(text: str) -> Iterator[Finding]:
    # Every key is a long word: where there is none, and mostly there is none, nothing is sought.
    long = " ".join(long_words(text, _SHORTEST))
    if not long:
        return
    if _HEAD.search(long) is not None:
        for kind, head, follows in _COMPILED:
            if head in long:
                yield from _begun(text, kind, head, follows)
    for kind, sign, form in AROUND:
        if sign in long and form.search(long) is not None:
            yield from _around(text, kind, sign, form)


def _around(text: str, kind: str, sign: str, form: re.Pattern[str]) -> Iterator[Finding]:
    at = text.find(sign)
    while at >= 0:
        found = form.search(text, max(0, at - 34), at + 80)
        end = at + 1
        if found is not None and found.start() < at < found.end():
            end = found.end()
            yield Finding(found.start(), end, kind)
        at = text.find(sign, end)


def _begun(text: str, kind: str, head: str, follows: Match) -> Iterator[Finding]:
    at = text.find(head)
    while at >= 0:
        begin, end = at, at + len(head)
        free = at == 0 or not (text[at - 1].isalnum() or text[at - 1] == "_")
        if head == ":AA":
            number = _TELEGRAM.search(text, max(0, at - 10), at)
            begin, free = (number.start(), True) if number else (at, False)
        found = follows(text, end) if free else None
        if found is not None:
            end = found.end()
            yield Finding(begin, end, kind)
        at = text.find(head, end)


_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")


def _private_keys(text: str) -> Iterator[Finding]:
    """From BEGIN to END; one that was cut off, to the end of the text."""
    at = text.find("-----BEGIN ") if has(text, "-----BEGIN ") else -1
    while at >= 0:
        begin = _BEGIN.match(text, at)
        end = at + 11
        if begin is not None:
            found = _END.search(text, begin.end(), at + REACH)
            end = found.end() if found else min(len(text), at + REACH)
            yield Finding(at, end, "PRIVATE_KEY")
        at = text.find("-----BEGIN ", end)


_JWT = re.compile(
    r"eyJ[A-Za-z0-9_-]{5,4000}\.(?:[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}"
    r"|eyJ[A-Za-z0-9_-]{17,8000})"
)


def _jwts(text: str) -> Iterator[Finding]:
    """Three base64url parts with dots between, the first of which is a JSON object (`eyJ`); or two
    that both are, without a signature."""
    at = text.find("eyJ") if "J" in text else -1
    while at >= 0:
        found = _JWT.match(text, at)
        end = found.end() if found else at + 3
        if found is not None:
            yield Finding(at, end, "JWT")
        else:
            while end < len(text) and (text[end].isalnum() or text[end] in "_-"):
                end += 1
        at = text.find("eyJ", end)


_BEARER = re.compile(r"(?=[A-Za-z._~+/-]{0,200}[0-9=])[A-Za-z0-9._~+/-]{12,2000}={0,2}")


def _headers(text: str) -> Iterator[Finding]:
    """What follows `Bearer` or `Basic` in an authorization header; a plain word is none."""
    if not ("=" in text or has_digit(text)):
        return
    for scheme in ("earer ", "asic "):
        at = text.find(scheme)
        while at >= 0:
            begin = at + len(scheme)
            found = _BEARER.match(text, begin)
            if found is not None:
                yield Finding(begin, found.end(), "AUTHORIZATION")
            at = text.find(scheme, found.end() if found else begin)


_LOGIN = re.compile(r"://[^\s:/@'\"<>]{0,64}:([^\s@/'\"<>]{3,128})@[\w.\[-]")
_NO_SECRET = re.compile(
    r"[$<{%*x.]|your|my_?pass|example|placeholder|changeme|redacted", re.IGNORECASE
)


def _logins(text: str) -> Iterator[Finding]:
    """The password in `scheme://user:password@host`."""
    at = text.find("://") if has(text, "://") and "@" in text else -1
    while at >= 0:
        found = _LOGIN.match(text, at)
        if found is not None and _NO_SECRET.match(found[1]) is None:
            yield Finding(*found.span(1), "CONNECTION_PASSWORD")
        at = text.find("://", at + 3)


_NAMES = ("passw", "pwd", "secret", "token", "key", "credential", "passphrase")
_NAMED_KEY = re.compile(r"(?:api|access|private|secret|signing|encryption)[ _-]?key\Z")
_ASSIGNED = re.compile(
    r"[\w-]{0,24}[\"']?(?: is)?[ \t]{0,3}(?::=|=>|[:=])?[ \t]{0,3}[\"'`]?"
    r"([A-Za-z0-9!@#$%^&*()+/=_.~-]{8,256})"
)
_SIGN = re.compile(r"[:=]| is ")


def _assignments(text: str) -> Iterator[Finding]:
    """A value of many different characters that is given to a name of secrets."""
    if not has_digit(text):
        return
    lower = text.lower()
    for name in _NAMES:
        at = lower.find(name)
        while at >= 0:
            end = at + len(name)
            named = name != "key" or _NAMED_KEY.search(lower, max(0, at - 11), end)
            found = _ASSIGNED.match(text, end) if named else None
            if found is not None and _SIGN.search(text, end, found.start(1) + 1):
                value = found[1].rstrip(".,;:)")
                if _random(value):
                    yield Finding(found.start(1), found.start(1) + len(value), "SECRET")
            at = lower.find(name, end)


def _random(value: str) -> bool:
    """Letters and digits mixed, and at least 2.4 bits to a character (3 from 20 on), by Shannon."""
    if len(value) < 8 or _NO_SECRET.match(value) is not None or "(" in value:
        return False
    if not (any(map(str.isdigit, value)) and any(map(str.isalpha, value))):
        return False
    size = len(value)
    bits = -sum(n / size * math.log2(n / size) for n in Counter(value).values())
    return bits >= (3.0 if size >= 20 else 2.4)


_KINDS: dict[str, Callable[[str], Iterator[Finding]]] = {
    "private_keys": _private_keys,
    "vendors": _vendors,
    "jwt": _jwts,
    "headers": _headers,
    "connections": _logins,
    "assignments": _assignments,
}
_WORD = re.compile(r"\S{1,16000}\Z")


class SecretsRail:
    """Finds secrets of the kinds it is told."""

    kind = "secrets"
    reach = REACH

    def __init__(self, kinds: tuple[str, ...] = tuple(_KINDS)) -> None:
        self._finders = tuple(_KINDS[name] for name in kinds)

    def find(self, text: str) -> list[Finding]:
        found = [one for finder in self._finders for one in finder(text)]
        if len(found) < 2:
            return found
        found.sort(key=lambda one: (one.start, -one.end))  # a stable sort: the stricter kind stays
        apart, end = [], 0
        for one in found:
            if one.start >= end:
                apart.append(one)
                end = one.end
        return apart

    def open_at(self, text: str) -> int:
        size = len(text)
        word = _WORD.search(text, max(0, size - REACH)) if size and not text[-1].isspace() else None
        first = word.start() if word else size
        at = text.rfind("-----BEGIN ")
        if at >= 0:
            header = _BEGIN.match(text, at)
            if header is None:
                unfinished = size - at < 70 and "-----" not in text[at + 11 :]
            else:
                unfinished = _END.search(text, header.end()) is None
            if unfinished:
                first = min(first, at)
        return first


def build_secrets(rule: Rule, models: Mapping[str, bytes]) -> SecretsRail:
    """Setting `kinds`: which to look for; all without it."""
    told = Settings(rule, ("kinds",))
    return SecretsRail(told.choices("kinds", tuple(_KINDS), tuple(_KINDS)))
