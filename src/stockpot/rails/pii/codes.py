"""Codes of letters and digits: accounts, national identities, vehicles, wallets, licences.

As in `numbers`: a code counts by itself where its form and check are strict, else beside a word
that names it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stockpot.rails.pii import checks
from stockpot.rails.pii.seen import Seen, says, stands_alone
from stockpot.rails.shapes import has_digit

_NEAR = 48


class Code(NamedTuple):
    """A form, its check, and the words it needs beside it (none: it counts by itself)."""

    type: str
    sizes: range
    form: re.Pattern[str]
    check: checks.Check
    words: tuple[str, ...] = ()


def _code(
    kind: str, sizes: tuple[int, int], form: str, check: checks.Check = bool, words: str = ""
) -> Code:
    told = tuple(words.split("|")) if words else ()
    return Code(kind, range(sizes[0], sizes[1] + 1), re.compile(form, re.ASCII), check, told)


def _not_prefix(word: str) -> bool:
    return word[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


# Forms are of the word in capitals, but for wallets, where case counts.
CODES = (
    _code("IBAN_CODE", (15, 34), r"[A-Z]{2}\d\d[A-Z0-9]{11,30}", checks.iban),
    _code("IT_FISCAL_CODE", (16, 16), r"[A-Z]{6}[\dLMNP-V]{2}[A-EHLMPRST][\dLMNP-V]{2}[A-Z]"
          r"[\dLMNP-V]{3}[A-Z]", checks.codice_fiscale),
    _code("ES_NIF", (9, 9), r"\d{8}[A-Z]", checks.nif),
    _code("ES_NIE", (9, 9), r"[XYZ]\d{7}[A-Z]", checks.nif),
    _code("SG_NRIC_FIN", (9, 9), r"[STFGM]\d{7}[A-Z]", checks.nric),
    _code("UK_NINO", (9, 9), r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]", _not_prefix),
    _code("IN_PAN", (10, 10), r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]"),
    _code("CN_RESIDENT_ID", (18, 18), r"\d{17}X", checks.resident_cn),
    _code("MX_CURP", (18, 18), r"[A-Z][AEIOUX][A-Z]{2}\d\d(?:0[1-9]|1[0-2])[0-3]\d[HMX][A-Z]{2}"
          r"[B-DF-HJ-NP-TV-Z]{3}[A-Z\d]\d"),
    _code("UK_DRIVER_LICENSE", (16, 16), r"[A-Z]{1,5}9{0,4}\d[0156]\d[0-3]\d\d[A-Z9]{2}[A-Z\d]{3}"),
    _code("US_MBI", (11, 11), r"[1-9][AC-HJKMNP-RT-Y][AC-HJKMNP-RT-Y\d]\d[AC-HJKMNP-RT-Y]"
          r"[AC-HJKMNP-RT-Y\d]\d[AC-HJKMNP-RT-Y]{2}\d\d"),
    _code("VEHICLE_ID", (17, 17), r"[A-HJ-NPR-Z\d]{17}", checks.vin),
    _code("SWIFT_CODE", (8, 11), r"[A-Z]{6}[A-Z\d]{2}(?:[A-Z\d]{3})?", bool, "swift|bic"),
    _code("PASSPORT", (6, 9), r"(?=.*\d)[A-Z\d]{6,9}", bool,
          "passport|reisepass|passeport|pasaporte|passaporto|paspoort|passaporte"),
)  # fmt: skip

WALLETS = (
    _code("CRYPTO", (26, 35), r"[13LMD9A][1-9A-HJ-NP-Za-km-z]{25,34}", checks.base58check),
    _code("CRYPTO", (14, 90), r"(?:bc|tb|ltc)1[02-9ac-hj-np-z]{8,87}"
          r"|(?:BC|TB|LTC)1[02-9AC-HJ-NP-Z]{8,87}", checks.bech32),
    _code("CRYPTO", (42, 42), r"0x[\da-fA-F]{40}"),
)  # fmt: skip

_SPACED_IBAN = re.compile(
    r"[A-Za-z]{2}[0-9]{2}(?:[ -][A-Za-z0-9]{4}){2,7}(?:[ -][A-Za-z0-9]{1,3})?"
)
_SPACED_NINO = re.compile(r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?![A-Za-z0-9])")
_HETU = re.compile(r"[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y](?![A-Za-z0-9])")
_DOTTED_NIF = re.compile(r"[0-9]{1,2}\.?[0-9]{3}\.?[0-9]{3}-[A-Z](?![A-Za-z0-9])")
_SPELLED_MBI = re.compile(r"[1-9][A-Z][A-Z0-9][0-9]-[A-Z][A-Z0-9][0-9]-[A-Z]{2}[0-9]{2}(?!\w)")
_NINO_BEFORE = re.compile(r"[A-Z]{2} ?\Z")
_FORMS_APART = (("FI_PERSONAL_IDENTITY_CODE", _HETU), ("ES_NIF", _DOTTED_NIF))

_BARE_SWIFT = re.compile(r"(?:swift|bic)\W{0,3}(?:code\W{1,3})?(?:is\W{1,2})?([A-Z]{6}[A-Z0-9]{2}"
                         r"(?:[A-Z0-9]{3})?)(?![A-Za-z0-9])", re.IGNORECASE)  # fmt: skip
_LICENCE_WORDS = (
    "driver's licen", "drivers licen", "driver licen", "driver’s licen", "driving licen",
    "dl number", "license number", "licence number", "license no", "licence no", "führerschein",
    "permis de conduire", "carnet de conducir", "patente",
)  # fmt: skip
_LICENCE_STEMS = ("licen", "dl number", "führerschein", "condu", "patente")
"""One of them is in each of these words."""
_LETTERS_BEFORE = re.compile(r"[A-Z]{1,3}[- ]\Z")
_PART = re.compile(r"[A-Za-z0-9]+")


def codes(seen: Seen, wanted: frozenset[str]) -> None:
    """Claim what is a code by itself, then what a word beside it names."""
    for start, end in seen.words():
        if end - start == 4:
            _spaced_iban(seen, start, end, wanted)
            if "US_MBI" in wanted:
                _formed(seen, "US_MBI", _SPELLED_MBI, start)
        kind = _kind(seen, start, end, wanted)
        if kind and seen.free(start, end):
            seen.claim(start, end, kind)
    _apart(seen, wanted)
    if "SWIFT_CODE" in wanted and ("swift" in seen.lower or "bic" in seen.lower):
        for found in _BARE_SWIFT.finditer(seen.text):
            if found[1].isupper() and seen.free(*found.span(1)):
                seen.claim(*found.span(1), "SWIFT_CODE")


def _kind(seen: Seen, start: int, end: int, wanted: frozenset[str]) -> str:
    size = end - start
    if size < 4 or size > 90 or not stands_alone(seen.text, start, end):
        return ""
    told = seen.text[start:end]
    for row in WALLETS:
        if size in row.sizes and row.type in wanted and row.form.fullmatch(told):
            return row.type if row.check(told) else ""
    word, near = told.upper(), ""
    for row in CODES:
        if size not in row.sizes or row.type not in wanted:
            continue
        if row.words:
            near = near or seen.before(start, _NEAR)
            if not says(near, row.words):
                continue
        if row.form.fullmatch(word) and row.check(word):
            return row.type
    return ""


def _spaced_iban(seen: Seen, start: int, end: int, wanted: frozenset[str]) -> None:
    if "IBAN_CODE" not in wanted:
        return
    found = _SPACED_IBAN.match(seen.text, start)
    if found is None or (start and seen.text[start - 1].isalnum()):
        return
    end = found.end()
    while end - start >= 15:
        if checks.iban(seen.text[start:end].replace(" ", "").replace("-", "")):
            if seen.free(start, end) and stands_alone(seen.text, start, end):
                seen.claim(start, end, "IBAN_CODE")
            return
        end = max(seen.text.rfind(" ", start, end), seen.text.rfind("-", start, end))


def _apart(seen: Seen, wanted: frozenset[str]) -> None:
    """Codes whose parts stand apart, sought only from a group of digits on."""
    stem = "US_DRIVER_LICENSE" in wanted and says(seen.lower, _LICENCE_STEMS)
    licences = stem and says(seen.lower, _LICENCE_WORDS)
    for run in seen.runs():
        start = run.start
        if run.digits < 6 and not licences:
            continue
        before = _NINO_BEFORE.search(seen.text, max(0, start - 3), start)
        if before is not None and "UK_NINO" in wanted:
            _formed(seen, "UK_NINO", _SPACED_NINO, before.start())
        for kind, form in _FORMS_APART:
            if kind in wanted:
                _formed(seen, kind, form, start)
        if licences and says(seen.before(start, _NEAR), _LICENCE_WORDS):
            _licence(seen, start)


def _formed(seen: Seen, kind: str, form: re.Pattern[str], start: int) -> None:
    found = form.match(seen.text, start)
    if found is None or not stands_alone(seen.text, *found.span()) or not seen.free(*found.span()):
        return
    if _passes(kind, found[0]):
        seen.claim(*found.span(), kind)


def _passes(kind: str, told: str) -> bool:
    if kind == "FI_PERSONAL_IDENTITY_CODE":
        return checks.hetu(told)
    if kind == "ES_NIF":
        return checks.nif(told.replace(".", "").replace("-", ""))
    return kind != "UK_NINO" or _not_prefix(told)


def _licence(seen: Seen, start: int) -> None:
    """What a licence number is made of differs from place to place: the word beside it decides."""
    text, near = seen.text, seen.before(start, _NEAR)
    if has_digit(near[max(near.rfind(word) for word in _LICENCE_WORDS) :]):
        return  # the word was for the number before
    while start and text[start - 1].isalnum():
        start -= 1
    letters = _LETTERS_BEFORE.search(text, max(0, start - 4), start)
    if letters is not None and not text[letters.start() - 1].isalnum():
        start = letters.start()
    end = start
    for found in _PART.finditer(text[start : start + 28]):
        part, at = found[0], found.start()
        joined = at == 0 or (at == end - start + 1 and text[end] in "- ")
        numbered = any(c.isdigit() for c in part) or (at == 0 and letters is not None)
        if not joined or not numbered or (at and len(part) < 2):
            break
        end = start + found.end()
    if end - start >= 4 and seen.free(start, end):
        seen.claim(start, end, "US_DRIVER_LICENSE")
