"""What a policy decides: order, precedence, failures, budgets and shadows."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from stockpot.rails import KINDS, CompiledPolicy, Finding, InvalidRule, Policy, Rule, build


class _Grumpy:
    kind, reach = "grumpy", 8

    def find(self, text: str) -> list[Finding]:
        raise RuntimeError("no mood")


class _Slow:
    kind, reach = "slow", 8

    def find(self, text: str) -> list[Finding]:
        sum(range(300_000))
        return []


def build_grumpy(rule: Rule, models: Mapping[str, bytes]) -> Any:
    return _Grumpy()


def build_slow(rule: Rule, models: Mapping[str, bytes]) -> Any:
    return _Slow()


@pytest.fixture(autouse=True)
def others(monkeypatch: pytest.MonkeyPatch) -> None:

    monkeypatch.setitem(sys.modules, "odd_rails", sys.modules[__name__])
    monkeypatch.setitem(KINDS, "grumpy", "odd_rails:build_grumpy")
    monkeypatch.setitem(KINDS, "slow", "odd_rails:build_slow")


def words(name: str, *words: str, **told: Any) -> Rule:
    return Rule(name, "words", settings={"words": list(words)}, **told)


def policy(*rules: Rule) -> CompiledPolicy:
    return CompiledPolicy(Policy("p", "kitchen", rules))


def test_the_strongest_action_wins_and_masks_are_still_written() -> None:
    made = policy(
        words("a", "soup", action="mask"), words("b", "stew", action="reask"),
        words("c", "broth", action="flag"),
    )  # fmt: skip
    outcome = made.check("input", "Soup, stew and broth")
    assert (outcome.action, outcome.rule) == ("reask", "b")
    assert outcome.text == "[WORD], stew and broth"
    assert [hit.rule for hit in outcome.hits] == ["a", "b", "c"]


def test_a_rule_that_blocks_ends_the_search() -> None:
    made = policy(words("a", "soup", action="block"), words("b", "stew", action="flag"))
    outcome = made.check("input", "soup and stew")
    assert outcome.action == "block"
    assert [hit.rule for hit in outcome.hits] == ["a"]


def test_a_rule_looks_only_where_it_is_told_to() -> None:
    made = policy(words("a", "soup", action="block", on=("output",)))
    assert made.check("input", "soup").action == "allow"
    assert made.check("output", "soup").action == "block"


def test_a_shadow_rule_is_counted_and_has_no_effect() -> None:
    made = policy(words("a", "soup", action="block", shadow=True), Rule("g", "grumpy", shadow=True,
                  on_error="closed"))  # fmt: skip
    outcome = made.check("input", "soup")
    assert (outcome.action, outcome.text, outcome.hits) == ("allow", "soup", ())
    assert [hit.rule for hit in outcome.shadowed] == ["a"]
    assert [failed.rule for failed in outcome.failed] == ["g"]


def test_what_an_earlier_rule_allows_does_not_count_later() -> None:
    made = policy(words("a", "hot soup", action="allow"), words("b", "soup", action="block"))
    assert made.check("input", "a hot soup").action == "allow"
    assert made.check("input", "a hot soup, a cold soup").action == "block"


def test_a_blocking_rule_that_found_only_what_is_allowed_does_not_end_the_search() -> None:
    made = policy(
        words("a", "hot soup", action="allow"), words("b", "soup", action="block"),
        words("c", "secret", action="mask"),
    )  # fmt: skip
    assert made.check("input", "a hot soup, secret").text == "a hot soup, [WORD]"


@pytest.mark.parametrize(("on_error", "action"), [("open", "allow"), ("closed", "block")])
@pytest.mark.parametrize(("rail", "why"), [("grumpy", "error"), ("slow", "budget")])
def test_a_rail_that_fails_or_is_late_follows_its_rule(
    rail: str, why: str, on_error: Any, action: str
) -> None:
    outcome = policy(Rule("r", rail, on_error=on_error, budget_ms=0.5)).check("input", "soup")
    assert outcome.action == action
    assert [failed.why for failed in outcome.failed] == [why]
    assert outcome.us > 0


def test_a_call_is_routed_elsewhere_where_the_rule_says() -> None:
    outcome = policy(words("a", "soup", action="route", route_to="chef")).check("input", "soup")
    assert (outcome.action, outcome.route_to) == ("route", "chef")


def test_two_rules_of_one_id_are_no_policy() -> None:
    with pytest.raises(InvalidRule, match="two rules of one id"):
        policy(words("a", "soup"), words("a", "stew"))


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        (Rule("a", "word"), "Did you mean 'words'"),
        (Rule("a", "words", settings={"word": ["x"]}), "Did you mean 'words'"),
        (Rule("a", "words", settings={"words": "x"}), "must be a list of texts"),
        (Rule("a", "words"), "has no words"),
    ],
)
def test_a_rule_that_cannot_be_run_is_refused_in_words(rule: Rule, says: str) -> None:
    with pytest.raises(InvalidRule, match=says):
        build(rule, {})
