"""Addresses of the web in a text: where they may lead, and what tricks they may not play.

Knows lists of hosts and forms of addresses; looks nothing up, so it knows no reputation and where
no redirection leads. Reference-style Markdown images are not followed to their definition.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from stockpot.rails.folding import LOOKS_LIKE
from stockpot.rails.models import Finding, Rule
from stockpot.rails.registry import Settings
from stockpot.rails.shapes import has

REACH = 2600
_REST = re.compile(r"[^\s<>\"'`{}|\\^]{1,2048}")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,15}\Z")
_DATA = re.compile(r"data:[a-z]{1,20}/[a-z0-9.+-]{1,60}[;,][^\s<>\"']{0,2048}", re.IGNORECASE)
_SCRIPT = re.compile(r"(?:javascript|vbscript):[^\s<>\"']{0,500}", re.IGNORECASE)
_IMAGE = re.compile(r"!\[[^\]\n]{0,400}\]\(\s{0,4}<?\Z")
_IMG = re.compile(r"<img\b[^>]{0,300}\bsrc\s{0,3}=\s{0,3}[\"']?\Z", re.IGNORECASE)
_NUMBER_HOST = re.compile(
    r"(?:0x[0-9a-f]{1,8}|[0-9]{1,10})(?:\.(?:0x[0-9a-f]{1,8}|[0-9]{1,10})){0,3}\Z"
)
_LONG_PART = re.compile(r"[A-Za-z0-9+/=_%-]{32,}")

CHECKS = ("ip_hosts", "homographs", "data", "scripts", "images", "logins")


class Hosts(NamedTuple):
    """Names of hosts; each stands for itself and all below it."""

    names: frozenset[str]

    def hold(self, host: str) -> bool:
        while host:
            if host in self.names:
                return True
            host = host.partition(".")[2]
        return False


def _hosts(names: tuple[str, ...]) -> Hosts:
    return Hosts(
        frozenset(n.lower().removeprefix("*.").removeprefix("www.").strip(".") for n in names)
    )


class UrlsRail:
    """Finds addresses that the lists or the checks object to."""

    kind = "urls"
    reach = REACH

    def __init__(
        self, allow: tuple[str, ...], deny: tuple[str, ...], checks: tuple[str, ...]
    ) -> None:
        self._allow = _hosts(allow)
        self._deny = _hosts(deny)
        self._checks = frozenset(checks)

    def find(self, text: str) -> list[Finding]:
        found: list[Finding] = []
        if has(text, "://") or has(text, "www."):
            for start, end, url in addresses(text):
                fault, note = self._fault(text, start, url)
                if fault:
                    found.append(Finding(start, end, fault, 1.0, note))
        for check, mark, form, kind in (
            ("data", "data:", _DATA, "URL_DATA"),
            ("scripts", "script:", _SCRIPT, "URL_SCRIPT"),
        ):
            if check in self._checks and ":" in text and mark in text.lower():
                found += [Finding(*one.span(), kind) for one in form.finditer(text)]
        return sorted(found, key=lambda one: one.start) if len(found) > 1 else found

    def _fault(self, text: str, start: int, url: str) -> tuple[str, str]:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").rstrip(".").lower()
        except ValueError:
            return "URL_MALFORMED", url[:80]
        if self._deny.hold(host):
            return "URL_DENIED", host
        checks = self._checks
        if "logins" in checks and parts.username is not None:
            return "URL_LOGIN", host
        if "homographs" in checks and is_homograph(host):
            return "URL_HOMOGRAPH", host
        allowed = self._allow.hold(host)
        if allowed:
            return "", ""
        if "ip_hosts" in checks and is_number(host):
            return "URL_IP_HOST", host
        if "images" in checks and _is_image(text, start):
            carries = bool(parts.query) or _LONG_PART.search(parts.path) is not None
            if carries or self._allow.names:
                return "URL_IMAGE", host
        return ("URL_NOT_ALLOWED", host) if self._allow.names else ("", "")

    def open_at(self, text: str) -> int:
        size = len(text)
        word = re.compile(r"\S{1,2600}\Z").search(text, max(0, size - REACH))
        first = word.start() if word else size
        for opens, closes in (("![", ")"), ("<img", ">"), ("<IMG", ">")):
            at = text.rfind(opens, max(0, size - 420))
            if at >= 0 and closes not in text[at:]:
                first = min(first, at)
        return first


def addresses(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and address; one that begins with `www.` gets its scheme."""
    done = 0
    for mark in ("://", "www."):
        at = text.find(mark)
        while at >= 0:
            begin = at
            if mark == "://":
                scheme = _SCHEME.search(text, max(0, at - 16), at)
                begin = scheme.start() if scheme else at
            rest = _REST.match(text, at + len(mark))
            end = at + len(mark)
            apart = (
                mark == "://"
                or at == 0
                or (text[at - 1] not in "/.@" and not text[at - 1].isalnum())
            )
            if rest is not None and apart and (mark == "www." or begin < at):
                end = _trimmed(text, rest.start(), rest.end())
                url = text[begin:end]
                yield begin, end, url if mark == "://" else f"http://{url}"
            done = max(done, end)
            at = text.find(mark, end)


def _trimmed(text: str, start: int, end: int) -> int:
    """Without the punctuation of the sentence around it."""
    while end > start and text[end - 1] in ".,;:!?)]*_~>":
        if text[end - 1] == ")" and text.count("(", start, end) >= text.count(")", start, end):
            break
        if text[end - 1] == "]" and "[" in text[start:end]:
            break
        end -= 1
    return end


def is_number(host: str) -> bool:
    """An address in numbers, also in the forms that browsers take: decimal, hexadecimal, short."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return _NUMBER_HOST.match(host) is not None
    return True


def is_homograph(host: str) -> bool:
    """A name that mixes scripts in one label, or is written in letters that all look like Latin."""
    for label in host.split("."):
        if label.startswith("xn--"):
            try:
                label = label[4:].encode("ascii").decode("punycode")
            except (UnicodeError, ValueError):
                return True
        if label.isascii():
            continue
        scripts = {_script(letter) for letter in label if letter.isalpha()}
        if len(scripts) > 1 and not scripts <= {"CJK", "HIRAGANA", "KATAKANA", "LATIN"}:
            return True
        if "LATIN" not in scripts and all(c in LOOKS_LIKE or not c.isalpha() for c in label):
            return True
    return False


def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split(" ")[0]


def _is_image(text: str, start: int) -> bool:
    """Whether an address is one that is fetched as soon as the text is shown."""
    before = text[max(0, start - 420) : start]
    return ("![" in before and _IMAGE.search(before) is not None) or (
        "<" in before and _IMG.search(before) is not None
    )


def build_urls(rule: Rule, models: Mapping[str, bytes]) -> UrlsRail:
    """Settings: `allow` and `deny`, names of hosts with all below them (with `allow`, every other
    host is a finding); `checks`, which tricks to look for."""
    told = Settings(rule, ("allow", "deny", "checks"))
    return UrlsRail(told.texts("allow"), told.texts("deny"), told.choices("checks", CHECKS, CHECKS))
