"""What a stored rule no longer acts on is said beside it: nobody believes to be protected."""

from __future__ import annotations

from typing import Any

import pytest

from stockpot.guardrails.cli.policies import _actions, _say_only_flags
from stockpot.guardrails.models import Policy, PolicyRule
from stockpot.rails import presidio


def policy(*rules: PolicyRule) -> Policy:
    return Policy(
        id="pol_1", project="menu", name="old", description="", parallel=False, rules=rules,
        queue="", created_ms=1, created_by="ana", updated_ms=1,
    )  # fmt: skip


def rule(name: str, action: Any = "mask", **settings: Any) -> PolicyRule:
    return PolicyRule(id=name, rail="presidio", action=action, settings=settings)


def test_a_rule_that_was_stored_before_says_what_it_only_flags_now(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = policy(
        rule("all"), rule("cards", entities=["CREDIT_CARD"]),
        rule("names", entities=["CREDIT_CARD", "PERSON", "AGE"], act_on=["AGE"]),
        rule("seen", "flag"), PolicyRule(id="own", rail="pii", action="mask"),
    )  # fmt: skip
    assert told.only_flags == {"all": tuple(sorted(presidio.LOOSE)), "names": ("PERSON",)}
    shown = told.model_dump(mode="json")
    _say_only_flags(shown)
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[1].startswith("the rule names does not mask PERSON: ")
    assert "some only flagged" in _actions(shown)
    acting = policy(rule("all", act_on=sorted(presidio.LOOSE)))
    assert not acting.only_flags
    assert _actions(acting.model_dump(mode="json")) == "mask"
