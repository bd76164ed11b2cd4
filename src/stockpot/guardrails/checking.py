"""Whether a rule may stand in a policy: its rail is known, fits its settings and was measured."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.guardrails.models import Calibration, PolicyRule
from stockpot.guardrails.rates import is_measured
from stockpot.rails import Rule, build, kinds, presidio

BUDGET_MS = 50.0
BUDGETS_MS = {"presidio": 1000.0, "model": 10_000.0}
"""How long a rail may take of one text where a rule does not say."""


def check_rules(rules: Iterable[PolicyRule], calibrated: Collection[str]) -> None:
    """Raises InvalidInput in words. A rail without measured rates may flag or run in the shadow,
    unless the project calibrated it: an action needs to know how often it would be wrong."""
    for rule in rules:
        _examine(rule)
        if rule.action in ("flag", "allow") or rule.shadow:
            continue
        if not is_measured(rule.rail) and rule.rail not in calibrated:
            raise InvalidInput(
                f"the rule {rule.id!r} would {rule.action} by the rail {rule.rail!r}, which has no "
                "measured rates: nobody knows how often it is wrong. It may 'flag', or run in the "
                "shadow",
                hint=f"measure it on your texts: stockpot guardrails calibrate {rule.rail} "
                "FILE.jsonl",
            )


def rule_of(rule: PolicyRule, known: Calibration | None = None) -> Rule:
    """The rule as workers run it. What the project measured of the rail stands where the rule says
    nothing of its own: the threshold, and the model that was fitted with it."""
    settings = dict(rule.settings)
    threshold = rule.threshold
    budget = rule.budget_ms or BUDGETS_MS.get(rule.rail, BUDGET_MS)
    if known is not None:
        threshold = known.threshold if threshold is None else threshold
        if known.digest:
            settings.setdefault("model", known.digest)
    return Rule(
        rule.id, rule.rail, rule.on, rule.action, settings, threshold, rule.on_error, budget,
        rule.shadow, rule.reversible, rule.route_to,
    )  # fmt: skip


def _examine(rule: PolicyRule) -> None:
    if rule.rail not in kinds():
        raise InvalidInput(
            f"the rule {rule.id!r}: there is no rail {rule.rail!r}."
            f"{did_you_mean(rule.rail, kinds())}",
            hint="stockpot guardrails rails",
        )
    if rule.rail == "model":
        _examine_model(rule)
        return
    build(rule_of(rule), {})
    if rule.rail == "presidio":
        _examine_presidio(rule)


def _examine_presidio(rule: PolicyRule) -> None:
    """A rule that names entities which are only flagged is refused, so that nobody takes them for
    masked."""
    loose = presidio.PresidioRail(rule_of(rule)).only_flagged
    if loose and rule.action not in ("flag", "allow"):
        raise InvalidInput(
            f"the rule {rule.id!r} would {rule.action} {', '.join(loose)}, which have no checksum "
            "and no form of their own: harmless texts are full of them, so they are only flagged",
            hint=f'settings: {{"act_on": {json.dumps(loose)}}} acts on them all the same; or put '
            "them into a rule with the action flag",
        )
    if presidio.absent():
        raise InvalidInput(f"the rule {rule.id!r}: {presidio.absent()}")


def _examine_model(rule: PolicyRule) -> None:
    if not isinstance(rule.settings.get("model"), str):
        raise InvalidInput(
            f"the rule {rule.id!r} asks a chat model: name it in settings.model",
            hint="stockpot aliases list",
        )
    if rule.action == "mask":
        raise InvalidInput(
            f"the rule {rule.id!r}: a chat model says whether a text is safe, not where; it "
            "cannot mask"
        )
