"""A text in pieces: nothing leaves uncleared, and how it was cut makes no difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.rails import CompiledPolicy, Policy, Rule, StreamScanner

SECRETS = {
    "[EMAIL]": "ann.lee@example.com", "[CARD]": "4111 1111 1111 1111",
    "[IBAN]": "GB29 NWBK 6016 1331 9268 19", "[PHONE]": "+46 (0)8 928 571 38",
    "[SSN]": "078-05-1120", "[WORD]": "secret sauce", "[GITHUB_TOKEN]": "ghp_" + "ab12" * 9,
    "[PRIVATE_KEY]": "-----BEGIN PRIVATE KEY-----\nMII a b\n-----END PRIVATE KEY-----",
    "[URL_DENIED]": "https://evil.example/soup?with=everything", "[CODE_SHELL]": "x; rm -rf /home",
}  # fmt: skip
WORDS = st.sampled_from([
    "the soup", "is", "ready.", "Call me\n", "on 12 plates", "secret", "sauce", "1 2 3", "a@",
    "4111", "![see this", "](https://x.test/a)", "-----BEGIN", "PRIVATE KEY-----", "rm -rf",
    "password =", "![look](https://elsewhere.test/p.png?q=1)",
    "ünïcödé", "汤很好喝", "-", "2024-01-02", "GB29", "NWBK", "at 7", "(0)8", "[EMAIL_1]",
])  # fmt: skip
TEXTS = st.lists(WORDS | st.sampled_from(list(SECRETS.values())), max_size=24).map(" ".join)
MASK = (
    Rule("pii", "pii", action="mask"),
    Rule("words", "words", action="mask", settings={"words": ["secret sauce", "喝"]}),
    Rule("secrets", "secrets", action="mask"),
    Rule("urls", "urls", action="mask", settings={"deny": ["evil.example"]}),
)
CODE = (*MASK, Rule("code", "code", action="mask"))
BLOCK = (*MASK, Rule("stop", "words", action="block", settings={"words": ["ready", "12 plates"]}))
FLAG = (*MASK, Rule("f", "words", settings={"words": ["soup"]}),
        Rule("s", "words", action="block", shadow=True, settings={"words": ["soup"]}))  # fmt: skip


def policy(rules: Sequence[Rule]) -> CompiledPolicy:
    return CompiledPolicy(Policy("p", "p", tuple(rules)))


POLICIES = [policy(rules) for rules in (MASK, BLOCK, FLAG, CODE)]


def streamed(made: CompiledPolicy, pieces: Sequence[str]) -> tuple[str, StreamScanner]:
    scanner = StreamScanner(made, "output")
    return "".join([scanner.feed(piece) for piece in pieces]) + scanner.finish(), scanner


def cut(text: str, sizes: Sequence[int]) -> list[str]:
    pieces, at = [], 0
    for size in sizes:
        pieces.append(text[at : at + size])
        at += size
    return [*pieces, text[at:]]


def summary(scanner: StreamScanner) -> Any:
    verdict = scanner.verdict
    assert verdict is not None
    found = [(hit.rule, hit.findings) for hit in (*verdict.hits, *verdict.shadowed)]
    return verdict.action, verdict.rule, verdict.text, found


@given(TEXTS, st.lists(st.integers(0, 30), max_size=40), st.sampled_from(POLICIES))
def test_any_chunking_releases_the_same_text_with_the_same_verdict(
    text: str, sizes: list[int], made: CompiledPolicy
) -> None:
    whole, at_once = streamed(made, [text])
    for pieces in (cut(text, sizes), list(text)):
        released, scanner = streamed(made, pieces)
        assert released == whole
        assert summary(scanner) == summary(at_once)


@given(TEXTS, st.sampled_from([POLICIES[0], POLICIES[3]]))
def test_a_stream_comes_out_as_the_whole_text_does(text: str, made: CompiledPolicy) -> None:
    released, scanner = streamed(made, list(text))
    outcome = made.check("output", text)
    assert released == outcome.text
    assert scanner.verdict is not None
    assert scanner.verdict.action == outcome.action


@given(TEXTS, st.sampled_from(sorted(SECRETS)), TEXTS)
def test_nothing_of_what_is_found_ever_leaves(before: str, label: str, after: str) -> None:
    scanner = StreamScanner(POLICIES[3], "output")
    released = ""
    for piece in f"{before} . {SECRETS[label]} . {after}":
        released += scanner.feed(piece)
        assert SECRETS[label][:-1] not in released
    whole = released + scanner.finish()
    assert SECRETS[label] not in whole
    assert label in whole or "[PRIVATE_KEY]" in whole  # one without an end hides what follows


def test_plain_text_waits_for_a_few_words_only() -> None:
    text = "The soup of the day is made of leeks and potatoes, and of what was left. " * 20
    _, scanner = streamed(POLICIES[1], list(text))
    assert scanner.most_held <= 40


def test_what_stands_before_a_finding_that_blocks_is_released_and_nothing_after() -> None:
    released, scanner = streamed(
        POLICIES[1], list("Here is a first long sentence. It is ready now.")
    )
    assert released == "Here is a first long sentence. It is "
    assert scanner.stopped
    assert scanner.feed("more") == ""


def test_an_endless_word_is_released_when_no_finding_can_be_so_long() -> None:
    text = "x" * 9000 + " ann@example.com"
    released, scanner = streamed(policy(MASK[:2]), cut(text, [100] * 90))
    assert released == "x" * 9000 + " [EMAIL]"
    assert scanner.most_held < 3000


class _Ahead:
    """A rail that cannot tell what is open."""

    kind, reach = "ahead", 9

    def find(self, text: str) -> Any:
        from stockpot.rails import Finding

        at, found = text.find("hot soup!"), []
        while at >= 0:
            found.append(Finding(at, at + 9, "SOUP"))
            at = text.find("hot soup!", at + 9)
        return found


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> CompiledPolicy:
    monkeypatch.setattr("stockpot.rails.policy.build", lambda rule, models: _Ahead())
    return policy([Rule("a", "ahead", action="mask")])


def test_a_rail_that_knows_only_its_reach_is_given_it(ahead: CompiledPolicy) -> None:
    text = "hot soup! and more hot soup! for everybody who likes hot soup! or hot soup"
    for pieces in ([text], list(text), cut(text, [5] * 20)):
        assert streamed(ahead, pieces)[0] == text.replace("hot soup!", "[SOUP]")
