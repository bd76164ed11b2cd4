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
from stockpot.rails import ELSEWHERE, CompiledPolicy, Outcome, Policy, Ran, Vault, presidio


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
    reaches = {step.rule.id: 1 if step.bounded else step.rail.reach for step in policy.steps}
    verdicts = tuple(
        _verdict(
            rule,
            by_rule.get(rule.id),
            outcome,
            skipped.get(rule.id, _why(rule, on)),
            _holds(rule, reaches.get(rule.id, 0)),
        )
        for rule in rules
    )
    return Tested(action=outcome.action, text=outcome.text, rules=verdicts, us=outcome.us)


def _holds(rule: PolicyRule, reach: int) -> str:
    """What of a streamed answer waits for a rule; `reach` is 0 for a rail that judges a whole."""
    if not {"output", "tool_call"} & set(rule.on):
        return ""
    if rule.rail in ELSEWHERE or (rule.action in ("reask", "route") and not rule.shadow):
        return "the whole answer"
    if rule.shadow or rule.action == "flag":
        return ""
    if reach == 0:
        return "the whole answer"
    return f"up to {reach} characters" if reach > 1 else "what a finding may still reach"


def _why(rule: PolicyRule, on: Where) -> str:
    return "" if on in rule.on else f"reads {', '.join(rule.on)}, not {on}"


def _verdict(
    rule: PolicyRule, ran: Ran | None, outcome: Outcome, why: str, holds: str
) -> RuleVerdict:
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
        holds=holds,
    )
