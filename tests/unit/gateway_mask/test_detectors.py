"""What is found in a text, what is left alone, and that no text is slow."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.secret_examples import examples
from stockpot.gateway.mask import DETECTORS, mask_text
from stockpot.gateway.mask.detectors import is_card

FOUND = {
    "[EMAIL]": (
        "ann.lee@example.com",
        "x_y-z+soup@mail.example.co.uk",
        "o'neil@example.ie",
        "jörg@bücher.example",
        "root@[192.168.0.1]",
    ),
    "[CARD]": (
        "4111111111111111",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "3782 822463 10005",
        "4222222222222",
        "6304 0000 0000 0000 00",
        "4111\u00a01111\u00a01111\u00a01111",
    ),
    "[IBAN]": (
        "DE89370400440532013000",
        "GB29 NWBK 6016 1331 9268 19",
        "fr1420041010050500013m02606",
        "NO93 8601 1117 947",
    ),
    "[PHONE]": (
        "+49 170 1234567",
        "+1 (415) 555-2671",
        "+442071838750",
        "(415) 555-2671",
        "415-555-2671",
        "1 415.555.2671",
    ),
    "[SSN]": ("078-05-1120", "219 09 9999"),
    "[SECRET]": (
        "sk-proj-Ab12Cd34Ef56Gh78Ij90",
        "sk-ant-api03-AAAABBBBCCCCDDDD",
        "sk-sp-0123456789abcdefghij",
        "sk_live_abcdefghijklmnop1234",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0123456789_abcdef",
        "glpat-abcdefghij0123456789",
        "xoxb-123456789012-abcdefGHIJ",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
    ),
    "[JWT]": (
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0.",
    ),
    "Bearer [TOKEN]": ("Bearer abc123.def456~ghi789",),
    "[PRIVATE_KEY]": (
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk cut off",
    ),
}

LEFT_ALONE = (
    "created 1712345678901 and 1712345678901234567",
    "4111111111111112 has a wrong check digit",
    "DE89370400440532013001 has a wrong check sum",
    "at 12:30 on 2024-01-15, 1,234,567.89 in all, ISBN 978-3-16-148410-0",
    "task-abcdefghijklmnopqrstuvwxyz and risk-averse-people-everywhere",
    "the bearer certificates, the basic understanding of things",
    "@mentions, a@b, x @ y.z",
    "000-12-3456, 666-12-3456, 912-12-3456, 123-00-4567",
    "3 5 7 9 1 1 1 3 1 5 1 7 1 9 2 1 2 3",
    "192.168.0.1",
    "eyJ.not.atoken",
)

KINDS = [(label, example) for label, examples in FOUND.items() for example in examples]


@pytest.mark.parametrize(("label", "example"), KINDS)
def test_it_is_found_alone_and_between_words(label, example):
    assert mask_text(example) == label
    if "PRIVATE KEY" not in example:
        assert mask_text(f"see ({example}), please") == f"see ({label}), please"
        assert mask_text(f"x\n{example}\ny: ok") == f"x\n{label}\ny: ok"


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_it_is_left_alone(text):
    assert mask_text(text) == text


@pytest.mark.parametrize(
    ("label", "example"), [kind for kind in KINDS if "\n" not in kind[1] and "\\" not in kind[1]]
)
def test_escapes_of_text_inside_text_stay_whole(label, example):
    assert mask_text(rf"{{\"a\":\"x\n{example}\"") == rf"{{\"a\":\"x\n{label}\""


def test_several_kinds_in_one_text_are_all_replaced():
    text = "ann@example.com paid with 4111 1111 1111 1111, call +49 170 1234567 or ann@example.com"
    assert mask_text(text) == "[EMAIL] paid with [CARD], call [PHONE] or [EMAIL]"


def test_addresses_of_networks_are_masked_where_that_is_asked_for():
    text = "from 192.168.0.1 and 300.1.1.1 with version 1.2.3"
    assert mask_text(text, DETECTORS) == "from [IP] and 300.1.1.1 with version 1.2.3"


prose = st.text(
    alphabet=st.characters(exclude_categories=("Cs", "Nd", "Nl", "No")), max_size=60
).map(lambda text: text.replace("@", " ") + " ")


@given(before=prose, address=st.emails(), after=prose)
def test_no_email_address_survives(before, address, after):
    assert address not in mask_text(f"{before}{address} {after}")


@st.composite
def cards(draw: st.DrawFn) -> str:
    length = draw(st.sampled_from([13, 15, 16, 19]))
    first = draw(st.sampled_from("23456"))
    number = first + "".join(draw(st.lists(st.sampled_from("0123456789"), min_size=18)))
    number = number[: length - 1]
    number += next(digit for digit in "0123456789" if is_card(number + digit))
    separator = draw(st.sampled_from(["", " ", "-"]))
    groups = [number[i : i + 4] for i in range(0, length, 4)]
    if len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return separator.join(groups)


@given(before=prose, card=cards(), after=prose)
def test_no_card_number_survives(before, card, after):
    masked = mask_text(f"{before}{card} {after}")
    assert card not in masked
    assert "[CARD]" in masked


@given(st.text(max_size=300))
def test_masking_twice_is_masking_once(text):
    once = mask_text(text)
    assert mask_text(once) == once


@pytest.mark.parametrize(
    "piece",
    ["-eyJ", "12 ", "4111 ", "a@", "sk-", "-----BEGIN ", "DE89 ", "+1", "555-", "Bearer ", "QUJD",
     "(1", "eyJ.", "a.", "0", "AAAA1"],
)  # fmt: skip
def test_no_text_takes_long_however_contrived(piece):
    text = piece * (200_000 // len(piece))
    begun = time.process_time()
    mask_text(text)
    long = time.process_time() - begun
    assert long < 10  # ordinary is 0.1; what grows with the square takes a minute


def test_keys_of_every_known_vendor_are_kept_out_and_what_looks_like_one_stays():
    kept, left = [], []
    for text, label, kind in examples(each=4):
        masked = mask_text(text)
        if label and kind != "password" and masked == text:
            kept.append((kind, text))
        if not label and "SECRET" in masked:
            left.append((kind, masked))
    assert (kept, left) == ([], [])
