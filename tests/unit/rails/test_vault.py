"""Masking that is undone: whatever the text and however the answer is cut, it comes back whole."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from stockpot.rails import CompiledPolicy, Finding, Policy, Rule, Vault

TYPES = st.sampled_from(["EMAIL_ADDRESS", "PHONE_NUMBER", "X_1", "my type", "LITERAL"])
PIECES = st.text("[]_EMAIL1X 2ab", max_size=12) | st.sampled_from(
    ["[EMAIL_1]", "[EMAIL_2]", "[LITERAL_1]", "[X1_1]", "ann@example.com", "[EMAIL_", "[PHONE_1]"]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)


@st.composite
def texts_with_findings(draw: Any) -> tuple[str, list[Finding]]:
    text = draw(TEXTS)
    spots = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)), TYPES)
    return text, [Finding(min(a, b), max(a, b), t) for a, b, t in draw(st.lists(spots, max_size=5))]


def in_pieces(vault: Vault, text: str, sizes: list[int]) -> str:
    undo, at, out = vault.unmask_stream(), 0, ""
    for size in sizes:
        out += undo.feed(text[at : at + size])
        at += size
    return out + undo.feed(text[at:]) + undo.finish()


@given(st.lists(texts_with_findings(), max_size=4), st.lists(st.integers(0, 7), max_size=40))
def test_masked_texts_come_back_to_the_letter_however_the_answer_is_cut(
    told: list[tuple[str, list[Finding]]], sizes: list[int]
) -> None:
    vault = Vault()
    masked = [vault.mask(text, findings) for text, findings in told]
    for (text, _), hidden in zip(told, masked, strict=True):
        assert vault.unmask(hidden) == text
        assert in_pieces(vault, hidden, sizes) == text
        assert in_pieces(vault, hidden, [1] * len(hidden)) == text


def test_the_same_person_has_the_same_placeholder_in_a_call() -> None:
    rule = Rule("r", "pii", action="mask", reversible=True, settings={"types": ["EMAIL_ADDRESS"]})
    made, vault = CompiledPolicy(Policy("p", "p", (rule,))), Vault()
    one = made.check("input", "ann@example.com and bob@example.com", vault)
    two = made.check("input", "bob@example.com again", vault)
    assert (one.text, two.text) == ("[EMAIL_1] and [EMAIL_2]", "[EMAIL_2] again")
    assert vault.unmask("Dear [EMAIL_2], not [EMAIL_3]") == "Dear bob@example.com, not [EMAIL_3]"


def test_what_is_masked_for_good_stays_so() -> None:
    vault = Vault()
    text = "ann@example.com 12"
    hidden = vault.mask(text, [Finding(0, 15, "EMAIL_ADDRESS")], [Finding(10, 18, "PHONE_NUMBER")])
    assert hidden == "[EMAIL]"
    assert vault.unmask(hidden) == "[EMAIL]"


def test_inside_json_what_comes_back_is_escaped() -> None:
    vault = Vault()
    vault.mask('say "soup"', [Finding(4, 10, "QUOTE")])
    arguments = vault.unmask('{"text": "[QUOTE_1]"}', lambda told: json.dumps(told)[1:-1])
    assert json.loads(arguments) == {"text": '"soup"'}


def test_only_what_may_become_a_placeholder_waits() -> None:
    vault = Vault()
    vault.mask("ann@example.com", [Finding(0, 15, "EMAIL_ADDRESS")])
    undo = vault.unmask_stream()
    assert undo.feed("Dear [EMA") == "Dear "
    assert undo.held == 4
    assert undo.feed("IL_1], see [1] and [") == "ann@example.com, see [1] and "
    assert undo.feed("link](x)") == "[link](x)"
    assert undo.finish() == ""
