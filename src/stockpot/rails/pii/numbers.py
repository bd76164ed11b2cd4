"""Numbers made of digits with a check or a layout of their own: cards and national identities.

A number counts by itself where chance passes it less than about once in fifty times (its check, its
layout), else only beside a word that names it.
"""

from __future__ import annotations

from typing import NamedTuple

from stockpot.rails.pii import checks
from stockpot.rails.pii.contact import CALLING
from stockpot.rails.pii.seen import Run, Seen, says

_NEAR = 48
_LONGEST = 19

Layout = tuple[int, ...]


class Row(NamedTuple):
    """A kind of number: its sizes, its check, the layouts of groups in which it counts by itself,
    and the words beside which it counts in any layout."""

    type: str
    sizes: tuple[int, ...]
    check: checks.Check
    alone: frozenset[Layout]
    words: tuple[str, ...]


def _row(kind: str, sizes: tuple[int, ...], check: checks.Check, alone: str, words: str) -> Row:
    layouts = frozenset(tuple(int(n) for n in one.split("-")) for one in alone.split())
    return Row(kind, sizes, check, layouts, tuple(words.split("|")) if words else ())


def _any(digits: str) -> bool:
    return len(set(digits)) > 1


# In order: what is stricter comes first.
ROWS = (
    _row("FR_NIR", (15,), checks.nir, "15 13-2 1-2-2-2-3-3-2", ""),
    _row("CH_AHV", (13,), checks.ahv, "13 3-4-4-2", ""),
    _row("CN_RESIDENT_ID", (18,), checks.resident_cn, "18", ""),
    _row("BR_CNPJ", (14,), checks.cnpj, "14 2-3-3-4-2", ""),
    _row("BR_CPF", (11,), checks.cpf, "11 3-3-3-2", ""),
    _row("NO_FODSELSNUMMER", (11,), checks.fodselsnummer, "11 6-5", ""),
    _row("BE_NATIONAL_NUMBER", (11,), checks.rijksregister, "11 2-2-2-3-2 6-3-2", ""),
    _row("TR_TCKN", (11,), checks.tckn, "11", ""),
    _row("KR_RRN", (13,), checks.rrn, "6-7 13", ""),
    _row("ZA_ID", (13,), checks.za_id, "13 6-4-3 6-4-2-1", ""),
    _row("PL_PESEL", (11,), checks.pesel, "11", "pesel"),
    _row("DE_STEUER_ID", (11,), checks.steuer_id, "2-3-3-3",
         "steuer|idnr|tax|identifikationsnummer|tin"),
    _row("AU_ABN", (11,), checks.abn, "2-3-3-3 11", "abn|business number"),
    _row("SE_PERSONNUMMER", (10, 12), checks.personnummer, "6-4 8-4",
         "personnummer|personal id|personal number"),
    _row("IN_AADHAAR", (12,), checks.aadhaar, "4-4-4", "aadhaar|aadhar|uid"),
    _row("US_SSN", (9,), checks.ssn, "3-2-4", "ssn|social security|soc sec|social sec"),
    _row("US_ITIN", (9,), checks.itin, "3-2-4", "itin|taxpayer"),
    _row("CA_SIN", (9,), checks.sin, "", "social insurance|sin |sin:|sin#| nas "),
    _row("ABA_ROUTING_NUMBER", (9,), checks.aba, "", "routing|aba|rtn"),
    _row("NL_BSN", (9,), checks.bsn, "", "bsn|burgerservice|sofi|citizen service"),
    _row("PT_NIF", (9,), checks.nif_pt, "", "nif|contribuinte|fiscal"),
    _row("AU_TFN", (9,), checks.tfn, "", "tfn|tax file"),
    _row("AU_MEDICARE", (10, 11), checks.medicare, "", "medicare"),
    _row("UK_NHS", (10,), checks.nhs, "", "nhs|national health|patient n"),
    _row("IT_VAT_CODE", (11,), checks.partita_iva, "", "partita iva|p.iva|p. iva|vat|iva "),
    _row("IMEI", (15,), checks.luhn, "", "imei"),
    _row("US_EIN", (9,), _any, "", "ein |ein:|employer identification"),
    _row("US_PASSPORT", (9,), _any, "", "passport"),
    _row("DK_CPR", (10,), lambda d: checks.day_of(d, "dmy"), "", "cpr|personnummer"),
    _row("US_BANK_NUMBER", tuple(range(8, 18)), _any, "",
         "account number|account no|account #|account:|acct|bank account|kontonummer"
         "|numéro de compte|número de cuenta|account is|iban"),
)  # fmt: skip

_CARD_WORDS = (
    "card", " cc", "credit", "debit", "visa", "amex", "maestro", "karte", "carte", "tarjeta",
)  # fmt: skip
_ALONE: dict[Layout, tuple[Row, ...]] = {
    layout: tuple(row for row in ROWS if layout in row.alone)
    for layout in frozenset().union(*(row.alone for row in ROWS))
}
_CARD_SIZES = range(12, 20)
_MOST_GROUPS = 8


_NAMED: dict[int, tuple[Row, ...]] = {
    size: tuple(row for row in ROWS if row.words and size in row.sizes)
    for size in frozenset().union(*(row.sizes for row in ROWS))
}
_CARDS_ONLY = frozenset({"CREDIT_CARD"})


def numbers(seen: Seen, wanted: frozenset[str]) -> None:
    """Claim cards and national numbers, the longest that begins at each group of digits."""
    for run in seen.runs():
        if run.digits < 8:
            continue
        # What begins with a plus is a telephone number; a card may stand behind it.
        called = run.start > 0 and seen.text[run.start - 1] == "+"
        first = int(called)
        while first < len(run.groups):
            last = _from(seen, run, first, _CARDS_ONLY if called else wanted)
            first = first + 1 if last is None else last + 1


def _from(seen: Seen, run: Run, first: int, wanted: frozenset[str]) -> int | None:
    """The last group of the number that begins with a group, claimed; None when there is none."""
    text, groups = seen.text, run.groups
    begin = groups[first][0]
    if begin and (text[begin - 1].isalpha() or text[begin - 1] in "_$€£"):
        return None
    digits, found = "", None
    layout: Layout = ()
    for last in range(first, min(len(groups), first + _MOST_GROUPS)):
        start, end = groups[last]
        digits += text[start:end]
        layout = (*layout, end - start)
        if len(digits) > _LONGEST or (last > first and start - groups[last - 1][1] > 1):
            break
        if len(digits) >= 8 and not (end < len(text) and text[end].isalpha()):
            kind = _kind(seen, begin, digits, layout, wanted)
            if kind and seen.free(begin, end):
                found = (last, end, kind)
    if found is None:
        return None
    seen.claim(begin, found[1], found[2])
    return found[0]


def _kind(seen: Seen, begin: int, digits: str, layout: Layout, wanted: frozenset[str]) -> str:
    size = len(digits)
    if size in _CARD_SIZES and _is_card(seen, begin, digits, layout, wanted):
        return "CREDIT_CARD"
    for row in _ALONE.get(layout, ()):
        if row.type in wanted and row.check(digits):
            # Digits without a layout that chance lets pass, where a telephone number is announced.
            if len(layout) == 1 and says(seen.before(begin, 32), CALLING):
                continue
            return row.type
    near = seen.before(begin, _NEAR)
    for row in _NAMED.get(size, ()):
        if row.type in wanted and says(near, row.words) and row.check(digits):
            return row.type
    return ""


def _is_card(seen: Seen, begin: int, digits: str, layout: Layout, wanted: frozenset[str]) -> bool:
    """Groups of one or two digits are the columns of a table, not a card; the last may be short."""
    if "CREDIT_CARD" not in wanted:
        return False
    if min(layout[:-1], default=9) < 3 or max(layout[:-1], default=0) > 6:
        return False
    if checks.card(digits):
        return True
    return checks.luhn(digits) and _any(digits) and says(seen.before(begin, _NEAR), _CARD_WORDS)
