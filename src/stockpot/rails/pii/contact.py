"""How somebody is reached: e-mail, telephone, web and network addresses."""

from __future__ import annotations

import ipaddress
import re

from stockpot.rails.pii.seen import Run, Seen, says
from stockpot.rails.shapes import has

_DOMAIN = re.compile(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}|\[[\da-fA-F.:]{2,45}\]")
_LOCAL = frozenset(".!#$%&'*+/=?^_`{|}~-")
_LONGEST_LOCAL = 64


def emails(seen: Seen, wanted: frozenset[str]) -> None:
    """Addresses as RFC 5322's dot-atom writes them, in any script; found from the `@` outwards."""
    text, done = seen.text, 0
    at = text.find("@")
    while at >= 0:
        domain = _DOMAIN.match(text, at + 1)
        if domain is not None:
            begin, low = at, max(done, at - _LONGEST_LOCAL)
            while begin > low and (text[begin - 1].isalnum() or text[begin - 1] in _LOCAL):
                begin -= 1
            while begin < at and text[begin] in "'./{|`*":
                begin += 1
            if begin < at:
                done = domain.end()
                seen.claim(begin, done, "EMAIL_ADDRESS")
        at = text.find("@", max(at + 1, done))


_URL_REST = re.compile(r"[^\s<>\"'`{}|\\^\[\]]{1,2000}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z+]{1,9}\Z")
_BARE = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\Z")
_TLDS = frozenset(
    """com org net edu gov mil int info biz io ai co app dev me tv cc us uk de fr it es nl be ch at
    se no dk fi pl cz sk hu ro bg gr pt ie ru ua tr il in cn jp kr tw hk sg my th id vn ph au nz ca
    mx br ar cl pe uy za eg ng ke eu cy ee lt lv is hr si rs lu mt""".split()  # noqa: SIM905
)


def domains(seen: Seen, wanted: frozenset[str]) -> None:
    """Web addresses with a scheme or `www.`, and names that end in a well-known top level."""
    text = seen.text
    for mark in ("://", "www."):
        at = text.find(mark) if has(text, mark) else -1
        while at >= 0:
            begin = at
            if mark == "://":
                scheme = _SCHEME.search(text, max(0, at - 10), at)
                begin = scheme.start() if scheme else at
            found = _URL_REST.match(text, at + len(mark))
            end = _trimmed(text, at, found.end()) if found and begin + 1 < at + 4 else at
            if end > at + len(mark) and seen.free(begin, end) and (begin < at or mark == "www."):
                seen.claim(begin, end, "DOMAIN_NAME")
            at = text.find(mark, max(end, at + 1))
    if "DOMAIN_NAME" in wanted:
        _bare_domains(seen)


def _trimmed(text: str, start: int, end: int) -> int:
    """Without the punctuation of the sentence around it."""
    while end > start and text[end - 1] in ".,;:!?)*_~":
        if text[end - 1] == ")" and "(" in text[start:end]:
            break
        end -= 1
    return end


def _bare_domains(seen: Seen) -> None:
    text = seen.text
    at = text.find(".")
    while at >= 0:
        after = re.compile(r"[A-Za-z]{2,6}(?![A-Za-z0-9@_(-])").match(text, at + 1)
        if after and after[0].islower() and after[0] in _TLDS:
            name = _BARE.search(text, max(0, at - 64), at)
            if name and len(name[0]) > 1 and any(c.isalpha() for c in name[0]):
                begin, end = name.start(), after.end()
                free = begin == 0 or text[begin - 1] not in "@._/"
                if free and not text.startswith(".", end) and seen.free(begin, end):
                    seen.claim(begin, end, "DOMAIN_NAME")
        at = text.find(".", at + 1)


_IPV4 = re.compile(
    r"(?<![0-9.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}"
    r"(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(?![0-9]|\.[0-9])"
)
_HEX = re.compile(r"[0-9A-Fa-f:.]{0,45}")
_HEX_BACK = re.compile(r"[0-9A-Fa-f]{1,4}\Z")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z:-])")
_COLON = re.compile(r":(?::|[0-9A-Fa-f]{1,4}:)")
_HYPHEN = re.compile(r"-[0-9A-Fa-f]{2}-")
"""The first colon or hyphen of an address, and what must follow it."""
_VERSION = ("version", "ver.", "release", " v")


def networks(seen: Seen, wanted: frozenset[str]) -> None:
    text = seen.text
    for run in seen.runs():
        if len(run.groups) >= 4:
            for found in _IPV4.finditer(text, run.start, min(len(text), run.end + 2)):
                version = says(seen.before(found.start(), 9), _VERSION)
                if not version and seen.free(*found.span()):
                    seen.claim(*found.span(), "IP_ADDRESS")
    for first in (_COLON, _HYPHEN):
        sign = first.search(text)
        while sign is not None:
            at = sign.start()
            end = _network_at(seen, at, text[at], wanted)
            sign = first.search(text, max(at + 1, end))


def _network_at(seen: Seen, at: int, sign: str, wanted: frozenset[str]) -> int:
    """A MAC or IPv6 address around its first colon or hyphen; where it ends."""
    text = seen.text
    back = _HEX_BACK.search(text, max(0, at - 4), at)
    begin = back.start() if back else at
    if begin and (text[begin - 1].isalnum() or text[begin - 1] in ":-"):
        return at
    mac = _MAC.match(text, begin)
    if mac is not None:
        if "MAC_ADDRESS" in wanted and seen.free(*mac.span()):
            seen.claim(*mac.span(), "MAC_ADDRESS")
        return mac.end()
    if sign == "-":
        return at
    found = _HEX.match(text, begin)
    end = found.end() if found else at
    while end > begin and text[end - 1] in ".:" and not text.startswith("::", end - 2):
        end -= 1
    told = text[begin:end]
    short = len(told) < 6 or ("::" not in told and told.count(":") < 6)
    if short or (end < len(text) and text[end].isalnum()):
        return at
    try:
        ipaddress.IPv6Address(told)
    except ValueError:
        return at
    if seen.free(begin, end):
        seen.claim(begin, end, "IP_ADDRESS")
    return end


_SEP = "[ .\u00a0\u2009\u202f\u2010\u2011\u2012\u2013-]"
_BETWEEN = "(?:[ ./\u00a0\u2009\u202f\u2010\u2011\u2012\u2013-]|[ .]?\\(|\\)[ .-]?)?"
_EXTENSION = r"(?: ?(?:x|ext\.?|extension) ?[0-9]{1,6})?(?![0-9])"
_SURE = re.compile(
    rf"(?<![0-9+])(?:"
    rf"\(?\+[1-9][0-9]{{0,2}}(?:{_BETWEEN}[0-9]){{6,13}}{_EXTENSION}"
    rf"|00[1-9][0-9]{{0,2}}{_SEP}(?:{_BETWEEN}[0-9]){{7,12}}{_EXTENSION}"
    rf"|(?<![0-9.-])(?:1{_SEP})?(?:\([2-9][0-9]{{2}}\){_SEP}?|[2-9][0-9]{{2}}{_SEP})"
    rf"[0-9]{{3}}{_SEP}[0-9]{{4}}{_EXTENSION}"
    rf"|(?<![0-9.-])\(0[0-9]{{1,4}}\)[ /.-]?[0-9]{{2,4}}(?:{_SEP}?[0-9]{{2,4}}){{1,4}}{_EXTENSION}"
    rf"|(?<![0-9.-])0[1-9][0-9]{{0,3}}(?:{_SEP}[0-9]{{2,4}}){{2,4}}{_EXTENSION}"
    rf"|(?<![0-9.-])0[1-9][0-9]{{1,3}}[ /-][0-9]{{6,8}}(?![0-9])"
    rf")"
)
"""Forms that are hardly ever anything else: international, North American, with a trunk 0."""

_MAYBE = re.compile(
    rf"(?<![0-9])(?<![0-9][.,-])(?<![$€£])(?:\(\+?[0-9]{{1,5}}\)[ /.-]?)?"
    rf"(?:[0-9]{{7,14}}|[0-9]{{1,5}}(?:[ .()/-]{{1,2}}[0-9]{{1,8}}){{0,5}})"
    rf"{_EXTENSION}(?![.,]?[0-9]|%)"
)
"""Digits in groups, or none: a number somebody calls, if a word says so."""

CALLING = (
    "phone", "call", "tel", "mobil", "cell", "fax", "desk", "office", "contact", "reach", "sms",
    "whatsapp", "signal", "text me", "texting", "message", "ring ", "dial", "answering", "hotline",
    "handy", "rufnummer", "portable", "numéro", "móvil", "celular", "número", "registered",
    "telefon", "телефон", "тел", "电话", "手机", "電話", "携帯", "전화", "هاتف", "फ़ोन", "फोन",
)  # fmt: skip
"""Words before a number that somebody can be called at."""

_WORDS_AFTER = ("office", "fax", "mobile", "cell", "phone", "home", "work", "desk", "direct")
_OTHER = (
    "card", "account", "order", "invoice", "ticket", "reference", "isbn", "price", "model", "page",
    "zip", "postal", "version", "serial", "tracking", "licen", "passport", "ssn", "social",
)  # fmt: skip
_NEAR = 32


def phones(seen: Seen, wanted: frozenset[str]) -> None:
    for run in seen.runs():
        if run.digits < 6 or seen.taken(run.start, run.end):
            continue
        low = run.start
        while low > 0 and seen.text[low - 1] in "+(" and run.start - low < 2:
            low -= 1
        high = min(len(seen.text), run.end + 12)
        if _SURE.match(seen.text, low) is None and _named(seen, run, low):
            _claim(seen, _MAYBE, low, run.end, high)
        _claim(seen, _SURE, low, run.end, high)


def _claim(seen: Seen, form: re.Pattern[str], at: int, last: int, high: int) -> None:
    """Claim what begins before `last`; what follows up to `high` may be an extension."""
    while (found := form.search(seen.text, at, high)) and found.start() < last:
        start, end = found.span()
        taken = seen.taken_after(start)
        if start < taken < end:  # another number stands behind it: what is before may be one, too
            found = form.match(seen.text, start, taken)
            end = len(seen.text[start:taken].rstrip(" .()/-")) + start if found else start
        at = max(end, start + 1)
        digits = sum(map(str.isdigit, seen.text[start:end]))
        if digits >= 7 and seen.free(start, end) and _stands(seen, start, end):
            seen.claim(start, end, "PHONE_NUMBER")


def _named(seen: Seen, run: Run, low: int) -> bool:
    """Whether a word beside a number says that somebody can be called there."""
    near = seen.before(low, _NEAR).rpartition("\n\n\n")[2]
    named = says(near, CALLING) and not says(near[-16:], _OTHER)
    after = seen.after(run.end, 10).lstrip(" -(,:/\t")
    return named or after.startswith(_WORDS_AFTER)


def _stands(seen: Seen, start: int, end: int) -> bool:
    text = seen.text
    if start and (text[start - 1].isalpha() or text[start - 1] in "_/=#"):
        return False
    return not (end < len(text) and (text[end].isalpha() or text[end] in "_="))
