"""What personal data and secrets look like. Knows plain text only; knows nothing of JSON.

A detector looks for what is rare first (a prefix, an `@`, a long row of digits) and examines only
what surrounds it, so that ordinary prose costs a few microseconds a kilobyte and no text, however
contrived, costs more than its length. Where the kind has a check (Luhn for cards, modulo 97 for
IBANs), what fails it is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from stockpot.core.secret_forms import AROUND, VENDORS, long_words

Span = tuple[int, int]


class Detector(NamedTuple):
    """A kind of data, what replaces it, and how to find it in a text.

    `digits` is how many digits in a row (separators aside) a text must have to be searched at all.
    """

    name: str
    label: str
    digits: int
    find: Callable[[str], Iterable[Span]]


def _stands_free(text: str, at: int) -> bool:
    """Whether no word runs into `at`. The end of an escape is no word: text inside text, such as
    the arguments of a tool call that was cut off, keeps its escapes."""
    if at == 0 or not text[at - 1].isalnum():
        return True
    return text[max(0, at - 2) : at] in ("\\n", "\\r", "\\t", "\\b", "\\f")


def _begun(
    text: str, head: str, rest: Callable[[str, int], re.Match[str] | None]
) -> Iterator[Span]:
    """What begins with a fixed text and goes on as `rest` says. It stands free of words before it,
    unless it begins with a sign."""
    at = text.find(head)
    while at >= 0:
        free = not head[0].isalnum() or _stands_free(text, at)
        found = rest(text, at + len(head)) if free else None
        if found is not None:
            yield at, found.end()
        at = text.find(head, found.end() if found else at + len(head))


_PRIVATE_KEY = re.compile(
    r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:[\s\S]*?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[\s\S]*)",
    re.ASCII,
)


def _private_keys(text: str) -> Iterator[Span]:
    return _begun(text, "-----BEGIN ", _PRIVATE_KEY.match)


_LONG = r"[A-Za-z0-9_-]{16,}"
_KEYS = {
    "sk-": _LONG,
    "rk-": _LONG,
    "pk-": _LONG,
    "sk_": _LONG,
    "rk_": _LONG,
    "ghp_": r"[A-Za-z0-9]{20,}",
    "gho_": r"[A-Za-z0-9]{20,}",
    "ghs_": r"[A-Za-z0-9]{20,}",
    "ghu_": r"[A-Za-z0-9]{20,}",
    "ghr_": r"[A-Za-z0-9]{20,}",
    "github_pat_": r"[A-Za-z0-9_]{20,}",
    "glpat-": _LONG,
    "xox": r"[abeoprs]-[A-Za-z0-9-]{10,}",
    "AIza": r"[A-Za-z0-9_-]{35}",
    "hf_": r"[A-Za-z0-9]{30,}",
}
"""What begins with these is taken out whole, however long it is and whatever a vendor says."""
_FORMS = [(head, re.compile(rest, re.ASCII).match) for head, rest in _KEYS.items()] + [
    (head, re.compile(rest, re.ASCII).match)
    for kind, head, rest in VENDORS
    if kind != "PRIVATE_KEY" and not head.startswith(tuple(_KEYS))
]
_SHORTEST_KEY = 14


def _secrets(text: str) -> Iterator[Span]:
    """Keys in the forms of their vendors; each is a long word, which most texts do not have."""
    long = " ".join(long_words(text, _SHORTEST_KEY))
    if not long:
        return
    for head, rest in _FORMS:
        if head in long:
            yield from _begun(text, head, rest)
    for _, sign, form in AROUND:
        if sign in long:
            yield from (found.span() for found in form.finditer(text))


_CREDENTIAL = re.compile(r"(?=[A-Za-z._~+/-]*[0-9=])[A-Za-z0-9._~+/-]{12,}={0,2}")


def _credentials(text: str) -> Iterator[Span]:
    """What follows `Bearer` or `Basic` in an authorization header; a plain word is none."""
    for scheme in ("earer ", "asic "):
        at = text.find(scheme)
        while at >= 0:
            found = _CREDENTIAL.match(text, at + len(scheme))
            if found is not None:
                yield found.span()
            at = text.find(scheme, at + len(scheme))


_JWT = re.compile(r"([A-Za-z0-9_-]+)(\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*)?")


def _jwts(text: str) -> Iterator[Span]:
    """Three base64url parts with dots between, the first of which is a JSON object (`eyJ`)."""
    at = text.find("eyJ")
    while at >= 0:
        found = _JWT.match(text, at)
        assert found is not None
        end = found.end(1)
        if found[2] and end - at >= 8:
            end = found.end()
            yield at, end
        at = text.find("eyJ", end)


_DOMAIN = re.compile(r"[\w-]+(?:\.[\w-]+)+|\[[\da-fA-F.:]{2,45}\]")
_LOCAL = frozenset(".!#$%&'*+/=?^_`{|}~-")


def _emails(text: str) -> Iterator[Span]:
    """Addresses as RFC 5322's dot-atom writes them, in any script; found from the `@` outwards."""
    done = 0
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        if domain is not None:
            begin = at
            while begin > done and (text[begin - 1].isalnum() or text[begin - 1] in _LOCAL):
                begin -= 1
            begin = _after_escape(text, begin, at)
            if begin < at:
                done = domain.end()
                yield begin, done
        at = text.find("@", max(at + 1, done))


def _after_escape(text: str, begin: int, end: int) -> int:
    """Leave an escape such as `\\n` or `\\u00e9` whole when it stands before what was found."""
    if begin and text[begin - 1] == "\\" and begin < end:
        if text[begin] in "nrtbf":
            return begin + 1
        if text[begin] == "u":
            return min(begin + 5, end)
    return begin


# Patterns that look for digits begin with a plain class, which the engine finds fast; what stands
# before the digit is looked at afterwards.
_IBAN = re.compile(
    r"[0-9](?<=[A-Za-z][A-Za-z].)[0-9]"
    r"(?:[A-Za-z0-9]{11,30}(?![A-Za-z0-9])"
    r"|(?: [A-Za-z0-9]{4}){2,7}(?: [A-Za-z0-9]{1,3}(?![A-Za-z0-9]))?)"
)


def _ibans(text: str) -> Iterator[Span]:
    """ISO 13616: with the first four characters moved to the end, the number modulo 97 is 1."""
    for match in _IBAN.finditer(text):
        begin, end = match.start() - 2, match.end()
        if not _stands_free(text, begin):
            continue
        while end - begin >= 15:
            word = text[begin:end].replace(" ", "")
            if int("".join(str(int(c, 36)) for c in word[4:] + word[:4])) % 97 == 1:
                yield begin, end
                break
            end = text.rfind(" ", begin, end)


# Spaces and hyphens of print, too. Groups of one digit are the columns of a table, not a card.
_DIGITS = re.compile("[0-9][0-9 \u00a0\u2009\u202f\u2010\u2011\u2013-]{11,}[0-9]")
_GROUP = re.compile(r"[0-9]+")


def _cards(text: str) -> Iterator[Span]:
    """Card numbers, whole or in groups with one separator (ISO/IEC 7812, checked by Luhn)."""
    for run in _DIGITS.finditer(text):
        groups = [group.span() for group in _GROUP.finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _card_from(text, groups, first)
            if last is None:
                first += 1
            else:
                yield groups[first][0], groups[last][1]
                first = last + 1


def _card_from(text: str, groups: list[Span], first: int) -> int | None:
    """The last group of the longest card number that begins with a group, if any."""
    begin, end = groups[first]
    if text[begin] not in _CARD_FIRST:
        return None
    found, number, last = None, "", first
    while True:
        number += text[begin:end]
        if len(number) > 19 or end - begin < 2:
            return found
        if is_card(number):
            found = last
        last += 1
        if last == len(groups) or groups[last][0] != end + 1:
            return found
        begin, end = groups[last]


_CARD_FIRST = frozenset("23456")
_DOUBLED = {str(digit): sum(divmod(2 * digit, 10)) for digit in range(10)}.__getitem__


def is_card(number: str) -> bool:
    """13 to 19 digits, the first digit of a card scheme, the right check digit."""
    if not 13 <= len(number) <= 19 or number[0] not in _CARD_FIRST:
        return False
    return (sum(map(_DOUBLED, number[-2::-2])) + sum(map(int, number[-1::-2]))) % 10 == 0


# Where a telephone or social security number can be at all; the exact patterns, which the engine
# finds slowly, search only there.
_ZONE = re.compile(r"[+(0-9][0-9 ./()-]{6,}[0-9]")
_SSN = re.compile(
    r"(?<![0-9])(?<![0-9]-)(?!000|666|9)[0-9]{3}([- ])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?!-?[0-9])"
)
_PHONE = re.compile(
    r"(?<![0-9+])\+[0-9](?:[ ./()-]{0,2}[0-9]){7,14}(?![0-9])"
    r"|(?<![0-9.+-])(?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}(?![\w-])"
)
_ADDRESS = re.compile(
    r"(?<![0-9.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}"
    r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9.])"
)


def _in_zones(pattern: re.Pattern[str]) -> Callable[[str], Iterator[Span]]:
    def find(text: str) -> Iterator[Span]:
        for zone in _ZONE.finditer(text):
            for match in pattern.finditer(text, zone.start(), zone.end() + 2):
                yield match.span()

    return find


def _addresses(text: str) -> Iterator[Span]:
    return (match.span() for match in _ADDRESS.finditer(text))


DETECTORS: tuple[Detector, ...] = (
    Detector("private_key", "[PRIVATE_KEY]", 0, _private_keys),
    Detector("jwt", "[JWT]", 0, _jwts),
    Detector("credential", "[TOKEN]", 0, _credentials),
    Detector("secret", "[SECRET]", 0, _secrets),
    Detector("email", "[EMAIL]", 0, _emails),
    Detector("iban", "[IBAN]", 8, _ibans),
    Detector("card", "[CARD]", 13, _cards),
    Detector("ssn", "[SSN]", 9, _in_zones(_SSN)),
    Detector("phone", "[PHONE]", 8, _in_zones(_PHONE)),
    Detector("ipv4", "[IP]", 4, _addresses),
)

DEFAULT = tuple(row for row in DETECTORS if row.name != "ipv4")
"""All but network addresses, which are in every second technical text."""

SHORTEST = 6
"""Characters of a text in which something may be found; shorter ones are left as they are."""
_SEPARATORS = " ./()-\u00a0\u2009\u202f\u2010\u2011\u2013".encode()
_SHAPE = bytes(48 if 48 <= code < 58 else 97 for code in range(256))


def mask_text(text: str, detectors: tuple[Detector, ...] = DEFAULT) -> str:
    """The text with everything detected replaced by its label."""
    if len(text) < SHORTEST or text.replace(" ", "").isalpha():
        return text
    # Every digit becomes 0, every other character a letter, and separators go: a row of n digits
    # is then the text 0 * n, found at the speed of memchr. A byte of a multi-byte separator that
    # is part of another character can only make the row longer, never break it.
    shape = text.encode("utf-8", "surrogatepass").translate(_SHAPE, _SEPARATORS)
    for _, label, digits, find in detectors:
        if digits and b"0" * digits not in shape:
            continue
        spans = sorted(find(text))
        if spans:
            text = _replaced(text, spans, label)
    return text


def _replaced(text: str, spans: list[Span], label: str) -> str:
    parts: list[str] = []
    at = 0
    for begin, end in spans:
        if end > at:
            parts += (text[at:begin], label)
            at = end
    parts.append(text[at:])
    return "".join(parts)
