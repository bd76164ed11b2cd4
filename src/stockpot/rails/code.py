"""Content that is code where none is wanted: commands, queries, scripts, and fences by language.

Knows what attacks of these kinds look like, each by a text that must be in it. It parses nothing: a
paragraph that quotes an attack is found, an attack in a form without a row here is not. Of a fenced
block it finds the opening, not the whole.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from stockpot.rails.models import Finding, Rule
from stockpot.rails.registry import Settings

REACH = 160


class Form(NamedTuple):
    """A kind, a sign and a text (lower case) that are always in it, and the form itself."""

    kind: str
    sign: str
    needs: str
    form: re.Pattern[str]


def _form(kind: str, sign: str, needs: str, form: str) -> Form:
    return Form(kind, sign, needs, re.compile(form, re.IGNORECASE))


_PIPED = r"[ \t]+[^|\n]{1,100}\|[ \t]{0,3}(?:sudo )?(?:ba|z|da)?sh\b"
_QUOTE = r"['\"]"
_HANDLER = r"(?<![\w-])on[a-z]{4,18}\s{0,3}=[^\s>{][^\s>]{0,39}"
_AFTER = r"(?:[;|&`\n]|\\n|%0a)"
_PROBES = r"(?:id|whoami|uname(?: -a)?|netstat(?: -an?)?|ifconfig|ipconfig|hostname)"
_INSIDES = r"__(?:class|mro|subclasses|globals|import|builtins)__"

FORMS = (
    _form("shell", "-", "rm ", r"(?<!\w)rm[ \t]+-(?:rf|fr|r[ \t]+-f)[ \t]+[^\s]{1,60}"),
    _form("shell", "|", "curl ", rf"(?<!\w)curl{_PIPED}"),
    _form("shell", "|", "wget ", rf"(?<!\w)wget{_PIPED}"),
    _form("shell", "/", "/dev/tcp/", r"/dev/tcp/[\w.]{1,60}/\d{1,5}"),
    _form("shell", "-", " -e", r"(?<!\w)nc(?:at)?[ \t]+(?:-\w+[ \t]+){0,3}-e[ \t]+/?[\w/]{1,40}"),
    _form("shell", "=", "of=/dev/", r"(?<!\w)dd[ \t]+[^\n]{0,60}of=/dev/\w{1,20}"),
    _form("shell", "/", "mkfs", r"(?<!\w)mkfs(?:\.\w{1,8})?[ \t]+/dev/\w{1,20}"),
    _form("shell", "{", "(){", r":\(\)\{ ?:\|:& ?\};:"),
    _form("shell", "-", "powershell",
          r"(?<!\w)powershell(?:\.exe)?[ \t]+[^\n]{0,60}-e(?:nc\w*)?[ \t]+\w{8,40}"),
    _form("shell", "/", "chmod ",
          r"(?<!\w)chmod[ \t]+(?:-R[ \t]+)?(?:0?777|\+s)[ \t]+/[^\s]{0,60}"),
    _form("shell", "/", "/etc/", r"[;&|`][ \t]{0,3}(?:cat|head|tail|cp|scp)[ \t]+/etc/[^\s]{1,60}"),
    _form("shell", "$", "$(", r"\$\((?:curl|wget|cat|id|whoami|bash|sh|nc|env)\b[^)\n]{0,80}\)"),
    _form("shell", "`", "`",
          r"[;&|=][ \t]{0,3}`(?:whoami|(?:curl|wget|cat|bash|sh|nc)\b[^`\n]{1,80})`"),
    _form("shell", "/", "bin/",
          rf"{_AFTER}[ \t]{{0,3}}/?(?:usr/)?bin/(?!\w*/)[a-z]{{1,12}}\b"),
    _form("shell", ";", ";", rf";[ \t]{{0,3}}{_PROBES}[ \t]{{0,3}}(?:$|[;|&`\"'\\])"),
    _form("shell", "`", "`", r"`(?:/usr/bin/id|whoami|ping [^`\n]{4,60})`"),
    _form("shell", "p", "ping ",
          r"(?:[&;|]|%0a)[ \t]{0,3}ping[ \t]+(?:-\w[ \t]+\d{1,4}[ \t]+)?[\w.]{4,60}"),
    _form("shell", "%", "%0a", rf"%0a[ \t]{{0,3}}(?:cat\b|ls\b|ping\b|{_PROBES}\b)[^\n]{{0,40}}"),
    _form("shell", "(", "system(", r"[;|&][ \t]{0,3}(?:system|exec|passthru|popen)\([ \t]?['\"]"),
    _form("shell", "{", "{", r"\(\)\s?\{\s?:;\s?\}\s?;"),
    _form("shell", "$", "$(`", r"\$\(`[^`\n]{2,120}`\)"),
    _form("script", "?", "<?php",
          r"<\?php\s{1,5}(?:system|exec|passthru|shell_exec|eval|include)\s?\([^\n]{0,80}"),
    _form("template", "$", "{${", r"\{\$\{\s?(?:phpinfo|sleep|system|print|@)[^}\n]{0,60}"),
    _form("shell", "#", "#exec", r"<!--[ \t]{0,3}#exec(?:[ \t]|%20){1,3}cmd"),
    _form("sql", "u", "union", r"\bunion(?:\s{1,5}all)?\s{1,5}select\b[^\n;]{0,60}"),
    _form("sql", " ", "drop ",
          r"[;'\"]\s{0,5}drop\s{1,5}(?:table|database|schema|user)\s{1,5}[\w.`\"]{1,40}"),
    _form("sql", ";", "delete ",
          rf"{_QUOTE};\s{{0,5}}delete\s{{1,5}}from\s{{1,5}}[\w.`\"]{{1,40}}"),
    _form("sql", "=", "=",
          rf"{_QUOTE}\){{0,3}}\s{{0,5}}\b(?:or|and)\b\s{{1,5}}\({{0,3}}"
          r"(?:(['\"])\w{0,20}\1\){0,3}\s{0,3}=(?!=)\s{0,3}\({0,3}\1\w{0,20}"
          r"|[0-9]{1,6}\s{0,3}=\s{0,3}(?:[0-9]|\(\s{0,3}select\b))"),
    _form("sql", "=", "=", r"\b(?:or|and)\s{1,5}([0-9]{1,6})\s{0,3}=\s{0,3}\1(?![0-9=])"),
    _form("sql", "r", "or ", r"['\"]\){0,3}\s{0,5}or\s{1,5}(['\"])\1\s{0,3}[-&^*][^\w]"),
    _form("sql", "r", "true", r"\bor\s{1,5}true\s{0,3}(?:--|#|/\*)"),
    _form("sql", "-", "--", r"\w'\s{0,3}\){0,2}\s{0,3}--\s{0,3}$"),
    _form("sql", "*", "/*", r"\w['\"]\){0,2}\s{0,3}/\*\s{0,3}$"),
    _form("sql", "_", "xp_cmdshell", r"\bxp_cmdshell\b"),
    _form("sql", "_", "information_schema", r"\bfrom\s{1,5}information_schema\.\w{1,30}"),
    _form("sql", "f", "file", rf"\binto\s{{1,5}}(?:outfile|dumpfile)\s{{1,5}}{_QUOTE}"),
    _form("sql", "(", "sleep", r"['\"\s(;](?:pg_)?sleep\s?\(\s?\d{1,5}\s?\)\s{0,3}(?:--|[#;)])"),
    _form("sql", "(", "sleep",
          rf"(?:\b(?:or|and|by|select)[\s(]{{1,3}}|(?:{_QUOTE}|[)|&+])\s{{0,2}})"
          r"(?:pg_)?sleep\s?\(\s?[0-9]{1,5}\s?\)"),
    _form("sql", "(", "benchmark(", r"\bbenchmark\(\s?[0-9]{3,12}\s?,\s?\w{2,12}\("),
    _form("sql", "(", "randomblob(", r"\brandomblob\([0-9]{6,12}"),
    _form("sql", "w", "waitfor", rf"\bwaitfor\s{{1,5}}delay\s{{1,5}}{_QUOTE}"),
    _form("script", "<", "<script", r"<script\b[^>]{0,80}>?"),
    _form("script", ":", "javascript:", r"\bjavascript:[^\s]{1,80}"),
    _form("script", "<", "<iframe", r"<iframe\b[^>]{0,80}>?"),
    _form("script", "<", "<object", r"<object\b[^>]{0,80}>?"),
    _form("script", "<", "<embed", r"<embed\b[^>]{0,80}>?"),
    _form("script", "<", "on", rf"<[a-z][^>]{{0,60}}{_HANDLER}"),
    _form("script", ".", "document.cookie", r"\bdocument\.cookie\b"),
    _form("script", "=", "srcdoc", rf"\bsrcdoc\s{{0,3}}=\s{{0,3}}{_QUOTE}"),
    _form("path", "/", "../", r"(?:\.\./){2,20}[\w./-]{0,60}"),
    _form("path", "\\", "..\\", r"(?:\.\.\\){2,20}[\w.\\-]{0,60}"),
    _form("path", "%", "%2e%2e", r"(?:%2e%2e(?:%2f|/)){2,10}[\w./%-]{0,60}"),
    _form("path", "/", "/etc/", r"/etc/(?:passwd|shadow|sudoers)\b"),
    _form("template", "{", "jndi", r"\$\{jndi:[a-z]{2,6}:[^}\s]{1,80}\}?"),
    _form("template", "{", "__", rf"\{{\{{[^}}\n]{{0,60}}{_INSIDES}[^}}\n]{{0,60}}"),
    _form("template", "{", "{{", r"\{\{\s?\d{1,4}\s?\*\s?\d{1,4}\s?\}\}"),
    _form("template", "(", "__import__", rf"__import__\(\s?{_QUOTE}\w{{1,20}}{_QUOTE}\s?\)"),
)  # fmt: skip

KINDS = ("shell", "sql", "script", "path", "template")
_FENCE = re.compile(r"^[ \t]{0,3}(?:```|~~~)[ \t]{0,3}([\w+#.-]{0,20})[^\n`]{0,60}$", re.MULTILINE)
_SAME = {"sh": "shell", "bash": "shell", "zsh": "shell", "console": "shell", "py": "python",
         "js": "javascript", "ts": "typescript", "ps1": "powershell", "htm": "html"}  # fmt: skip


class CodeRail:
    """Finds code of some kinds, and the openings of fences of some languages."""

    kind = "code"
    reach = REACH

    def __init__(self, kinds: tuple[str, ...], fences: tuple[str, ...]) -> None:
        self._forms = tuple(form for form in FORMS if form.kind in kinds)
        self._fences = frozenset(_SAME.get(name.lower(), name.lower()) for name in fences)

    def find(self, text: str) -> list[Finding]:
        lower = text.lower()
        found = [
            Finding(*one.span(), f"CODE_{form.kind.upper()}")
            for form in self._forms
            if form.sign in text and form.needs in lower
            for one in form.form.finditer(text)
        ]
        if self._fences and ("```" in text or "~~~" in text):
            found += self._opened(text)
        return sorted(found, key=lambda one: one.start)

    def _opened(self, text: str) -> list[Finding]:
        found, inside = [], False
        for one in _FENCE.finditer(text):
            if inside and not one[1]:
                inside = False
                continue
            language = _SAME.get(one[1].lower(), one[1].lower())
            inside = True
            if "*" in self._fences or language in self._fences:
                found.append(Finding(*one.span(), "CODE_FENCE", 1.0, language or "no language"))
        return found


def build_code(rule: Rule, models: Mapping[str, bytes]) -> CodeRail:
    """Settings: `kinds` of code to find (all without it), `fences`: languages whose fenced blocks
    are a finding, `["*"]` for any."""
    told = Settings(rule, ("kinds", "fences"))
    return CodeRail(told.choices("kinds", KINDS, KINDS), told.texts("fences"))
