"""Structured personal data: what has the right form and check digits is found, the rest is not."""

from __future__ import annotations

import time

import pytest

from stockpot.rails import CompiledPolicy, InvalidRule, Policy, Rule, build

# Published examples: from the standards, the issuers' pages and test numbers of card schemes.
FOUND = {
    "EMAIL_ADDRESS": ["ann.lee@example.com", "jörg+soup@bücher.example", "o'neil@example.ie"],
    "CREDIT_CARD": ["4111 1111 1111 1111", "378282246310005", "5500-0000-0000-0004"],
    "IBAN_CODE": ["DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "no9386011117947"],
    "US_SSN": ["078-05-1120"],
    "US_ITIN": ["912-70-1234"],
    "IP_ADDRESS": ["192.0.2.17", "2001:db8::8a2e:370:7334"],
    "MAC_ADDRESS": ["00:1B:44:11:3A:B7"],
    "PHONE_NUMBER": [
        "+49 170 1234567", "(415) 555-2671", "415-555-2671", "0171 234 56 78",
        "+46 (0)8 928 571 38", "001-518-640-0854", "259.735.7502x459",
    ],
    "FR_NIR": ["255081416802538", "2 55 08 14 168 025 38"],
    "BR_CPF": ["111.444.777-35"],
    "BR_CNPJ": ["11.222.333/0001-81"],
    "CH_AHV": ["756.9217.0769.85"],
    "CN_RESIDENT_ID": ["11010519491231002X"],
    "NO_FODSELSNUMMER": ["15108695088"],
    "BE_NATIONAL_NUMBER": ["85.07.30-033.28"],
    "TR_TCKN": ["17291716060"],
    "ZA_ID": ["7503305044089"],
    "PL_PESEL": ["44051401359"],
    "SE_PERSONNUMMER": ["811228-9874"],
    "FI_PERSONAL_IDENTITY_CODE": ["131052-308T"],
    "DE_STEUER_ID": ["36 574 261 809"],
    "AU_ABN": ["83 914 571 673"],
    "IN_AADHAAR": ["2341 2341 2346"],
    "IN_PAN": ["ABCPE1234F"],
    "ES_NIF": ["54362315K", "54362315-K"],
    "ES_NIE": ["X2482300W"],
    "IT_FISCAL_CODE": ["RCCMNL83S18D969H"],
    "SG_NRIC_FIN": ["S1234567D"],
    "UK_NINO": ["AB123456C", "AB 12 34 56 C"],
    "MX_CURP": ["BOXW310820HNERXN09"],
    "VEHICLE_ID": ["1M8GDM9AXKP042788"],
    "US_MBI": ["1EG4-TE5-MK73"],
    "CRYPTO": [
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
        "0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe",
    ],
    "DATE_TIME": ["2/10/1985", "1971-09-07 22:49:16", "31.12.1999", "March 3rd, 2021", "friday"],
    "DOMAIN_NAME": ["https://www.example.com.cy/", "soup.example.org"],
}  # fmt: skip

BESIDE_A_WORD = {
    "NL_BSN": "My BSN is <111222333>",
    "UK_NHS": "NHS number: <943 476 5919>",
    "PT_NIF": "o meu NIF é <501964843>",
    "AU_TFN": "tax file number <123 456 782>",
    "CA_SIN": "social insurance number <123-456-782>",
    "IT_VAT_CODE": "Partita IVA <00743110157>",
    "ABA_ROUTING_NUMBER": "routing number <111000025>",
    "US_BANK_NUMBER": "account number <004512378901>",
    "US_DRIVER_LICENSE": "my driver's license number is <D290-6455-1520>",
    "US_PASSPORT": "passport <340020013>",
    "PASSPORT": "Reisepass Nr. <C01X00T47>",
    "SWIFT_CODE": "SWIFT: <DEUTDEFF500>",
    "PHONE_NUMBER": "call me at <451 5986> please",
    "ZIP_CODE": "the zip code is <90210>",
    "AGE": "I just turned <46>",
}

EVERYTHING = build(Rule("r", "pii", settings={"types": ["*"]}), {})
BY_ITSELF = build(Rule("r", "pii"), {})


def test_what_has_form_and_check_is_found_by_its_name() -> None:
    for kind, values in FOUND.items():
        for value in values:
            text = f"It says {value}, as told."
            found = [(f.type, text[f.start : f.end]) for f in EVERYTHING.find(text)]
            assert found == [(kind, value)]


def test_some_numbers_need_a_word_beside_them() -> None:
    for kind, told in BESIDE_A_WORD.items():
        text = told.replace("<", "").replace(">", "")
        value = told[told.index("<") + 1 : told.index(">")]
        found = [(f.type, text[f.start : f.end]) for f in EVERYTHING.find(text)]
        assert (kind, value) in found
        assert kind not in {f.type for f in EVERYTHING.find(f"Lot {value} was cooked")}


CHECKED = (
    "CREDIT_CARD", "IBAN_CODE", "FR_NIR", "BR_CPF", "BR_CNPJ", "CH_AHV", "CN_RESIDENT_ID",
    "NO_FODSELSNUMMER", "BE_NATIONAL_NUMBER", "TR_TCKN", "ZA_ID", "PL_PESEL", "SE_PERSONNUMMER",
    "FI_PERSONAL_IDENTITY_CODE", "DE_STEUER_ID", "AU_ABN", "IN_AADHAAR", "ES_NIF", "ES_NIE",
    "IT_FISCAL_CODE", "SG_NRIC_FIN",
)  # fmt: skip


@pytest.mark.parametrize("kind", CHECKED)
def test_a_wrong_digit_is_not_what_it_looks_like(kind: str) -> None:
    value = FOUND[kind][0]
    at = max(n for n, c in enumerate(value[:-1]) if c.isdigit())
    wrong = f"{value[:at]}{(int(value[at]) + 1) % 10}{value[at + 1 :]}"
    assert kind not in {f.type for f in EVERYTHING.find(f"It says {wrong}, as told.")}


@pytest.mark.parametrize(
    "text",
    [
        "created 1712345678901, id 550e8400-e29b-41d4-a716-446655440000",
        "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567 are no numbers of anybody",
        "At 12:30 on the 3rd, 1,234,567.89 in all, ISBN 978-3-16-148410-0, 3... 2... 1...",
        "release 1.2.3.4 of the kitchen, chapter 3.14.15, section 2.10",
        "3 5 7 9 1 1 1 3 1 5 1 7 1 9 2 1 2 3",
        "order 4451 5986 of 12 plates at $1299.00, 100 200 300 grams",
        "def cook(soup: Soup) -> Dish: return a[1:2:3] if b::c else 0xff",
    ],
)
def test_ordinary_numbers_are_left_alone(text: str) -> None:
    assert not BY_ITSELF.find(text)


def test_what_is_personal_only_beside_a_person_is_found_on_request() -> None:
    assert not BY_ITSELF.find("In 1984, on friday, somebody aged 46 read https://example.org")
    with pytest.raises(InvalidRule, match="Did you mean 'EMAIL_ADDRESS'"):
        build(Rule("r", "pii", settings={"types": ["EMAIL_ADRESS"]}), {})


def test_a_policy_masks_what_is_found() -> None:
    rule = Rule("r", "pii", action="mask", settings={"types": ["EMAIL_ADDRESS", "CREDIT_CARD"]})
    outcome = CompiledPolicy(Policy("p", "p", (rule,))).check(
        "input", "Charge 4111 1111 1111 1111, write to ann@example.com"
    )
    assert outcome.text == "Charge [CARD], write to [EMAIL]"


HOSTILE = (
    "1 " * 10_000, "12-" * 6_500, "a@" * 10_000, "1.1.1.1." * 2_500, "a:b:" * 5_000,
    "+1(" * 6_500, "://" * 6_500, "x1" * 10_000, "1a" * 10_000 + "@", "0" * 20_000,
    "4111 1111 1111 1111 " * 1_000, "call 123 " * 2_250, "licence 12-" * 1_800, "." * 20_000,
    "a." * 10_000, "www." * 5_000, "-0-0" * 5_000, "jan 1 " * 3_300, "ann@example.com " * 1_250,
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_no_text_of_20_kb_takes_long(text: str) -> None:
    begun = time.thread_time()
    EVERYTHING.find(text)
    assert time.thread_time() - begun < 1.5
