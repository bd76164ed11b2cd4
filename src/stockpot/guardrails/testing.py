"""What rules make of one text, said rule by rule. Runs rails here; asks no model."""

from __future__ import annotations

from collections.abc import Sequence

from stockpot.guardrails.checking import rule_of
from stockpot.guardrails.models import (
    Calibration,
    PolicyRule,
    RuleVerdict,
    Tested,
    TestFinding,
    Where,
)
from stockpot.rails import CompiledPolicy, Outcome, Policy, Ran, Vault, presidio


def tested(
    text: str, on: Where, rules: Sequence[PolicyRule], known: Sequence[Calibration]
) -> Tested:
    """The verdict of a policy of these rules, with what each found."""
    of_rail = {one.rail: one for one in known}
    made = tuple(rule_of(rule, of_rail.get(rule.rail)) for rule in rules)
    models = {one.digest: one.model for one in known if one.model is not None}
    policy = CompiledPolicy(Policy("test", "test", made), models)
    skipped: dict[str, str] = {}
    said = policy.run(on, text)
    for rule in policy.elsewhere:
        if on not in rule.on:
            continue
        if rule.rail == "model":
            skipped[rule.id] = "asks a chat model, which a test does not"
        elif absent := presidio.absent():
            skipped[rule.id] = absent
        else:
            said.append(presidio.ask(rule, text))
    outcome = policy.settle(on, text, said, Vault())
    by_rule = {ran.rule: ran for ran in said}
    verdicts = tuple(
        _verdict(rule, by_rule.get(rule.id), outcome, skipped.get(rule.id, _why(rule, on)))
        for rule in rules
    )
    return Tested(action=outcome.action, text=outcome.text, rules=verdicts, us=outcome.us)


def _why(rule: PolicyRule, on: Where) -> str:
    return "" if on in rule.on else f"reads {', '.join(rule.on)}, not {on}"


def _verdict(rule: PolicyRule, ran: Ran | None, outcome: Outcome, why: str) -> RuleVerdict:
    failed = next((one.detail or one.why for one in outcome.failed if one.rule == rule.id), "")
    hits = (*outcome.hits, *outcome.shadowed)
    found = next((hit.findings for hit in hits if hit.rule == rule.id), ())
    skipped = "" if ran is not None else why or "a rule before it had decided"
    return RuleVerdict(
        rule=rule.id,
        rail=rule.rail,
        action=rule.action,
        shadow=rule.shadow,
        findings=tuple(
            TestFinding(start=f.start, end=f.end, type=f.type, score=f.score) for f in found
        ),
        us=ran.us if ran is not None else 0.0,
        failed=failed,
        skipped=skipped,
    )
