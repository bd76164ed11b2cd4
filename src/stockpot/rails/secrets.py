"""Secrets: keys of known vendors, private keys, tokens, passwords in addresses and assignments.

Knows the forms that vendors publish, each by the text that it begins with. Does not know keys
without a form of their own, unless a word such as `password` is assigned to them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from stockpot.rails.models import Finding, Rule
from stockpot.rails.registry import Settings
from stockpot.rails.shapes import has, has_digit, long_words

REACH = 16_000
"""Characters of the longest private key that is found."""

_W = r"[A-Za-z0-9_-]"
_VENDORS: tuple[tuple[str, str, str], ...] = (
    ("ANTHROPIC_KEY", "sk-ant-", rf"{_W}{{16,200}}"),
    ("OPENAI_KEY", "sk-proj-", rf"{_W}{{16,300}}"),
    ("API_KEY", "sk-", rf"{_W}{{16,300}}"),
    ("API_KEY", "rk-", rf"{_W}{{20,200}}"),
    ("API_KEY", "pk-lf-", rf"{_W}{{16,200}}"),
    ("STRIPE_KEY", "sk_", r"(?:live|test)_[A-Za-z0-9]{16,200}"),
    ("STRIPE_KEY", "rk_", r"(?:live|test)_[A-Za-z0-9]{16,200}"),
    ("STRIPE_KEY", "whsec_", r"[A-Za-z0-9+/=]{24,100}"),
    ("AWS_KEY_ID", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("AWS_KEY_ID", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    ("GITHUB_TOKEN", "ghp_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "gho_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghs_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghu_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "ghr_", r"[A-Za-z0-9]{20,255}"),
    ("GITHUB_TOKEN", "github_pat_", r"[A-Za-z0-9_]{20,255}"),
    ("GITLAB_TOKEN", "glpat-", rf"{_W}{{16,100}}"),
    ("GITLAB_TOKEN", "gl", rf"(?:dt|rt|cbt|ptt|ft|imt|agent|soat|oas)-{_W}{{20,100}}"),
    ("SLACK_TOKEN", "xox", r"[abeoprs]-[A-Za-z0-9-]{10,200}"),
    ("SLACK_TOKEN", "xapp-", r"[0-9]-[A-Za-z0-9-]{10,200}"),
    ("SLACK_WEBHOOK", "hooks.slack.com/services/", r"[A-Za-z0-9/]{20,100}"),
    ("GOOGLE_KEY", "AIza", rf"{_W}{{35}}(?!{_W})"),
    ("GOOGLE_TOKEN", "ya29.", rf"{_W}{{20,300}}"),
    ("GOOGLE_SECRET", "GOCSPX-", rf"{_W}{{20,60}}"),
    ("HUGGING_FACE_TOKEN", "hf_", r"[A-Za-z0-9]{30,60}"),
    ("GROQ_KEY", "gsk_", r"[A-Za-z0-9]{40,80}"),
    ("REPLICATE_KEY", "r8_", r"[A-Za-z0-9]{30,60}"),
    ("PERPLEXITY_KEY", "pplx-", r"[A-Za-z0-9]{40,80}"),
    ("XAI_KEY", "xai-", r"[A-Za-z0-9]{60,100}"),
    ("NPM_TOKEN", "npm_", r"[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("NPM_TOKEN", ":_authToken=", r" ?[^\s$\"'<{]{4,200}"),
    ("NPM_TOKEN", ":_auth=", r" ?[^\s$\"'<{]{4,200}"),
    ("PRIVATE_KEY", "PuTTY-User-Key-File-", r"[0-9]"),
    ("PYPI_TOKEN", "pypi-AgE", rf"{_W}{{40,300}}"),
    ("SENDGRID_KEY", "SG.", rf"{_W}{{16,32}}\.{_W}{{32,64}}"),
    ("TWILIO_KEY", "SK", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("MAILGUN_KEY", "key-", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("SHOPIFY_TOKEN", "shp", r"(?:at|ca|pa|ss)_[0-9a-fA-F]{32}(?![A-Za-z0-9])"),
    ("SQUARE_TOKEN", "sq0", rf"(?:atp|csp|idp)-{_W}{{22,60}}"),
    ("DIGITALOCEAN_TOKEN", "do", r"[opr]_v1_[0-9a-f]{64}(?![A-Za-z0-9])"),
    ("DATABRICKS_TOKEN", "dapi", r"[0-9a-f]{32}(?![A-Za-z0-9])"),
    ("VAULT_TOKEN", "hvs.", rf"{_W}{{24,200}}"),
    ("LINEAR_KEY", "lin_api_", r"[A-Za-z0-9]{32,60}"),
    ("NOTION_TOKEN", "ntn_", r"[A-Za-z0-9]{40,60}"),
    ("POSTMAN_KEY", "PMAK-", r"[0-9a-f]{24}-[0-9a-f]{34}"),
    ("GRAFANA_TOKEN", "glsa_", r"[A-Za-z0-9]{32}_[0-9a-f]{8}"),
    ("NEW_RELIC_KEY", "NRAK-", r"[A-Z0-9]{27}"),
    ("SENTRY_TOKEN", "sntry", r"[su]_[A-Za-z0-9+/=_-]{40,300}"),
    ("ATLASSIAN_TOKEN", "ATATT3", r"[A-Za-z0-9_=-]{40,300}"),
    ("FIGMA_TOKEN", "figd_", rf"{_W}{{30,60}}"),
    ("SUPABASE_TOKEN", "sbp_", r"[0-9a-f]{40}"),
    ("DOCKER_TOKEN", "dckr_pat_", rf"{_W}{{20,60}}"),
    ("DOPPLER_TOKEN", "dp.", r"(?:pt|st|ct|sa|scim|audit)\.[\w.-]{40,100}"),
    ("GRAFANA_TOKEN", "glc_", r"[A-Za-z0-9+/]{32,400}={0,2}"),
    ("LANGSMITH_KEY", "lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}(?![A-Za-z0-9])"),
    ("NOTION_TOKEN", "secret_", r"[A-Za-z0-9]{43}(?![A-Za-z0-9])"),
    ("PINECONE_KEY", "pcsk_", r"[A-Za-z0-9]{4,6}_[A-Za-z0-9]{50,80}"),
    ("PLANETSCALE_TOKEN", "pscale_", rf"(?:tkn|pw|oauth)_{_W}{{32,64}}"),
    ("PULUMI_TOKEN", "pul-", r"[0-9a-f]{40}(?![A-Za-z0-9])"),
    ("RUBYGEMS_KEY", "rubygems_", r"[0-9a-f]{48}(?![A-Za-z0-9])"),
    ("SQUARE_TOKEN", "EAAA", rf"{_W}{{60}}(?!{_W})"),
    ("TAVILY_KEY", "tvly-", r"(?:dev-|prod-)?[A-Za-z0-9]{32}(?![A-Za-z0-9])"),
    ("AIRTABLE_TOKEN", "pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}(?![A-Za-z0-9])"),
    ("AGE_KEY", "AGE-SECRET-KEY-1", r"[A-Z0-9]{50,60}"),
    ("AZURE_KEY", "AccountKey=", r"[A-Za-z0-9+/]{40,100}={0,2}"),
    ("TELEGRAM_TOKEN", ":AA", rf"{_W}{{33}}(?!{_W})"),
)  # fmt: skip
"""Type, how the key begins, what follows: as vendors document it or their scanners look for it."""

Match = Callable[[str, int], "re.Match[str] | None"]
_COMPILED: tuple[tuple[str, str, Match], ...] = tuple(
    (kind, head, re.compile(rest, re.ASCII).match) for kind, head, rest in _VENDORS
)
_HEAD = re.compile("|".join(re.escape(head) for _, head, _ in _VENDORS))
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
    for kind, sign, form in _AROUND:
        if sign in long:
            yield from _around(text, kind, sign, form)


_AROUND = (
    ("MAILCHIMP_KEY", "-us", re.compile(r"(?<![0-9A-Za-z])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9a-z])")),
    ("TERRAFORM_TOKEN", ".atlasv1.", re.compile(
        rf"(?<![0-9A-Za-z])[A-Za-z0-9]{{14}}\.atlasv1\.{_W}{{60,70}}(?!{_W})", re.ASCII)),
    ("AZURE_SECRET", "Q~", re.compile(
        r"(?<![\w~.-])[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~-])", re.ASCII)),
    ("DISCORD_TOKEN", ".", re.compile(
        rf"(?<!{_W})[MNO][A-Za-z0-9_-]{{23,25}}\.{_W}{{6}}\.{_W}{{27,38}}(?!{_W})", re.ASCII)),
)  # fmt: skip
"""Keys that are known by a sign in their midst."""


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
