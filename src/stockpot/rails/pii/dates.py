"""Dates, years, days of the week, ages and postal codes: what is personal only beside a person."""

from __future__ import annotations

import re

from stockpot.rails.pii.seen import Run, Seen, says

_CLOCK = (
    r"(?:[T ][0-2]?[0-9]:[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
    r"(?: ?[AaPp][Mm]|Z|[+-][01][0-9]:?[0-5][0-9])?)?"
)
_NUMERIC = re.compile(
    r"(?<![0-9./-])(?:"
    rf"(?:1[5-9]|20)[0-9]{{2}}([-/.])(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12][0-9]|3[01]){_CLOCK}"
    r"|(?:0?[1-9]|[12][0-9]|3[01])([-/.])(?:0?[1-9]|[12][0-9]|3[01])\2(?:1[5-9]|20)[0-9]{2}"
    rf"{_CLOCK}"
    r"|(?:0?[1-9]|[12][0-9]|3[01])/(?:0?[1-9]|[12][0-9]|3[01])/[0-9]{2}"
    r")(?![0-9]|[./-][0-9])"
)
_MONTHS = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
    r"|januar|februar|märz|mai|juni|juli|oktober|dezember"
    r"|janvier|février|mars|avril|juin|juillet|août|septembre|octobre|novembre|décembre"
    r"|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre)"
)
_WRITTEN = re.compile(
    rf"(?<!\w)(?:{_MONTHS}\.? [0-3]?[0-9](?:st|nd|rd|th)?(?:,? (?:1[5-9]|20)[0-9]{{2}})?(?![\w:])"
    rf"|[0-3]?[0-9](?:st|nd|rd|th|\.)?(?: (?:of|de))? {_MONTHS}(?:\.|,)?(?: (?:de )?(?:1[5-9]|20)"
    rf"[0-9]{{2}})?(?!\w)"
    rf"|{_MONTHS},? (?:1[5-9]|20)[0-9]{{2}}(?!\w))"
)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_DAYS = re.compile(r"(?<![^\W_])(?:mon|tues|wednes|thurs|fri|satur|sun)days?(?![^\W_])")


def dates(seen: Seen, wanted: frozenset[str]) -> None:
    text, lower = seen.text, seen.lower
    for run in seen.runs():
        if run.digits <= 22 and len(run.groups) >= 3:
            for found in _NUMERIC.finditer(text, run.start, min(len(text), run.end + 20)):
                if found.start() < run.end and seen.free(*found.span()):
                    seen.claim(*found.span(), "DATE_TIME")
        if "DATE_TIME" in wanted and len(run.groups) <= 2:
            _written(seen, run)
    if "DATE_TIME" in wanted and "day" in lower:
        for found in _DAYS.finditer(lower):
            if seen.free(*found.span()):
                seen.claim(*found.span(), "DATE_TIME")


def _written(seen: Seen, run: Run) -> None:
    """A date with the name of its month, and else a year by itself."""
    text = seen.text
    for found in _WRITTEN.finditer(
        seen.lower, max(0, run.start - 15), min(len(text), run.end + 24)
    ):
        if found.start() <= run.start <= found.end() and seen.free(*found.span()):
            seen.claim(*found.span(), "DATE_TIME")
    for start, end in run.groups:
        if end - start == 4 and _YEAR.match(text, start) and seen.free(start, end):
            before = text[start - 1 : start]
            after = text[end : end + 2]
            joined = before.isalnum() or before in ("$", "€", "£", ".", "#", "_", "-", "/", ",")
            number = after[:1].isalpha() or after[:1] in ("%", "_") or (
                after[:1] in (".", ",", ":", "-", "/") and after[1:].isdigit()
            )  # fmt: skip
            if not (before and joined) and not number and len(run.groups) == 1:
                seen.claim(start, end, "DATE_TIME")


_AGE_BEFORE = re.compile(
    r"(?:\bage[ds]?(?: of| is|:)?|\bturn(?:s|ed|ing)?|\bi'm|\bi am|\bi’m|\bwhen (?:he|she|i|they)"
    r" (?:was|were|is)|\b(?:he|she) (?:is|was)|\bhe's|\bshe's|\bold is)[ \t]{1,2}\Z"
)
_AGE_AFTER = re.compile(
    r"[ -]?(?:(?:years?|yrs?|months?)[ -](?:old|of age)|y[/.]?o\b|jahre? alt|ans\b)"
)
_AGE_ALONE = re.compile(r"[ \t]{0,2}(?:[.,;!?\n]|\Z|and\b|but\b|years?\b)")


def ages(seen: Seen, wanted: frozenset[str]) -> None:
    text = seen.text
    for run in seen.runs():
        for start, end in (run.groups[0], run.groups[-1]):
            if end - start > 3 or (end - start == 3 and text[start] != "1"):
                continue
            if start and (text[start - 1].isalnum() or text[start - 1] in ".$€£,-"):
                continue
            after = seen.after(end, 16)
            said = _AGE_AFTER.match(after) or (
                _AGE_ALONE.match(after) and _AGE_BEFORE.search(seen.before(start, 24))
            )
            if said and seen.free(start, end):
                seen.claim(start, end, "AGE")


_ZIP_WORDS = (
    "zip", "postal code", "post code", "postcode", "postleitzahl", "plz", "code postal",
    "código postal", "codice postale", "postnummer", "postnr", "cep", "pincode", "pin code",
)  # fmt: skip
_ZIP = re.compile(r"[0-9]{3,6}(?:[ -][0-9]{2,4})?(?![0-9])")
_ADDRESS = (
    "apt", "suite", "street", " st.", "road", " rd", "avenue", " ave", "box", "unit", "straße",
    "strasse", "rue ", "via ", "calle", "lane", "floor", "vej", "gata", "gatan", "weg ", "platz",
)  # fmt: skip
_INDOORS = ("apt", "apt.", "suite", "box", "unit", "psc", "no.", "nr.", "floor", "room", "flat")
_STATES = frozenset(
    """AL AK AZ AR CA CO CT DE FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM
    NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA WA WV WI WY DC PR VI GU AA AE AP""".split()  # noqa: SIM905
)
_PLACE = re.compile(r"(?:\b(?:in|from|near|to|at)) (?:[\w'’.-]+ ){0,3}[A-ZÀ-ÖØ-Þ][\w'’.-]* \Z")
_UK = re.compile(r"(?<!\w)(?:GIR ?0AA|[A-PR-UWYZ][A-HK-Y]?[0-9][0-9A-HJKPS-UW]? [0-9]"
                 r"[ABD-HJLNP-UW-Z]{2})(?!\w)")  # fmt: skip
_CANADA = re.compile(r"(?<!\w)[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z] ?[0-9][ABCEGHJ-NPRSTV-Z]"
                     r"[0-9](?!\w)")  # fmt: skip


def postal(seen: Seen, wanted: frozenset[str]) -> None:
    text = seen.text
    for run in seen.runs():
        low = max(0, run.start - 4)
        for form in (_UK, _CANADA):
            for found in form.finditer(text, low, min(len(text), run.end + 8)):
                if seen.free(*found.span()):
                    seen.claim(*found.span(), "ZIP_CODE")
        code = _ZIP.match(text, run.start)
        if code is None or run.digits > 9 or (run.start and text[run.start - 1] in "$€£.,-/"):
            continue
        end = code.end()
        if end - run.start > 6 and end != run.end:
            end = run.groups[0][1]
        if _is_postal(seen, run, end) and seen.free(run.start, end):
            seen.claim(run.start, end, "ZIP_CODE")


def _is_postal(seen: Seen, run: Run, end: int) -> bool:
    text, start = seen.text, run.start
    if text[end : end + 1].isalpha():
        return False
    if says(seen.before(start, 24), _ZIP_WORDS):
        return True
    size = run.groups[-1][1] - start if len(run.groups) == 2 else run.groups[0][1] - start
    before = text[max(0, start - 4) : start]
    if size == 5 and before[-3:-1] in _STATES and not before[:1].isalpha():
        return True
    ends_line = end == len(text) or text[end] == "\n"
    near = seen.before(start, 80)
    if ends_line and size >= 3 and "\n" in near and says(near, _ADDRESS):
        return not near.rstrip(" #:").endswith(_INDOORS)
    follows = text[end : end + 1] in ("", " ", ",", ".")
    return (
        size in (4, 5, 6)
        and follows
        and _PLACE.search(text[max(0, start - 48) : start]) is not None
    )
