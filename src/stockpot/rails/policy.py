"""Running a policy over a text: what each rail finds, and what is to be done about it.

Knows the order of rules, their budgets and what a failure means. Knows no HTTP and no message: a
text comes in, and an outcome goes out. Rules whose rail runs in another process are not run here:
whoever runs them gives what they said (`Ran`) to `settle`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import NamedTuple, cast

import msgspec

from stockpot.rails.models import (
    STRENGTH,
    Action,
    Bounded,
    Failure,
    Finding,
    Hit,
    InvalidRule,
    Mending,
    Outcome,
    Policy,
    Rail,
    Ran,
    Rule,
    Where,
)
from stockpot.rails.registry import ELSEWHERE, build
from stockpot.rails.vault import Vault, masked

_wall = time.perf_counter_ns
_cpu = time.thread_time_ns
"""What others took of the processor meanwhile does not count against a budget; but to ask for it
costs a microsecond and more, so that it is asked where the wall clock is beyond the budget."""
"""Processor time of this thread: a machine that is busy elsewhere is no fault of a rail."""


class Step(NamedTuple):
    """A rule and its rail; `least` is the score that counts. `bounded` and `mends` say which of the
    two protocols the rail keeps besides."""

    rule: Rule
    rail: Rail
    least: float
    bounded: bool
    mends: bool


class CompiledPolicy:
    """A policy whose rails are built. Threads may share it."""

    def __init__(self, policy: Policy, models: Mapping[str, bytes] | None = None) -> None:
        self.policy = policy
        steps = [_step(rule, models or {}) for rule in policy.rules if rule.rail not in ELSEWHERE]
        # What mends comes first: the others then look at the text that goes on.
        self.steps = tuple(sorted(steps, key=lambda step: not step.mends))
        self.elsewhere = tuple(rule for rule in policy.rules if rule.rail in ELSEWHERE)
        self._rules = {rule.id: rule for rule in policy.rules}
        if len(self._rules) < len(policy.rules):
            raise InvalidRule(f"the policy {policy.name!r} has two rules of one id")
        self._most_us = {rule.id: rule.budget_ms * 1000 or inf for rule in policy.rules}
        self._timed = any(rule.budget_ms for rule in policy.rules)
        self._by_place: dict[Where, tuple[Step, ...]] = {}
        for step in self.steps:
            for where in step.rule.on:
                self._by_place[where] = (*self._by_place.get(where, ()), step)

    def at(self, where: Where) -> tuple[Step, ...]:
        """The rules in this process that look at a place, in order."""
        return self._by_place.get(where, ())

    def check(self, where: Where, text: str, vault: Vault | None = None) -> Outcome:
        """What the policy says of a whole text. Reversible rules need the call's vault; without
        one they mask for good."""
        return self.settle(where, text, self.run(where, text), vault)

    def run(self, where: Where, text: str) -> list[Ran]:
        """What each rail says, in order; ends after a rule that blocks. After a rail that mended
        the text the others look at what it made of it (`goes_on`)."""
        said: list[Ran] = []
        cleared: list[Finding] = []
        begun = _cpu() if self._timed else 0
        most_us = self._most_us
        for step in self._by_place.get(where, ()):
            ran = ask(step, text)
            late = ran.us > most_us[ran.rule]
            if late:
                us = min(ran.us, (_cpu() - begun) / 1000)
                ran = msgspec.structs.replace(ran, us=us)
            said.append(ran)
            if not (ran.findings or ran.error or late) or step.rule.shadow:
                continue
            if ran.mended is not None:
                text = ran.mended
            elif ran.findings and step.rule.action == "allow":
                cleared += ran.findings
            elif _blocks(step.rule, ran, cleared):
                break
        return said

    def goes_on(self, text: str, said: Iterable[Ran]) -> str:
        """The text that rails in other processes are to be asked about."""
        for ran in said:
            if ran.mended is not None and not self._rules[ran.rule].shadow:
                text = ran.mended
        return text

    def clean(self, said: Iterable[Ran]) -> bool:
        """Whether no rail found anything, and none failed."""
        most_us = self._most_us
        for ran in said:  # noqa: SIM110  # a generator would double what this costs each text
            if ran.findings or ran.error or ran.us > most_us[ran.rule]:
                return False
        return True

    def settle(
        self, where: Where, text: str, said: Iterable[Ran], vault: Vault | None = None
    ) -> Outcome:
        """Decide on what rails said, wherever they ran."""
        said = list(said)
        if self.clean(said):
            us = sum([ran.us for ran in said])
            return Outcome("allow", text if vault is None else vault.mask(text, ()), us=us)
        by_rule = {ran.rule: ran for ran in said}
        verdict = _Verdict(self.goes_on(text, said))
        for rule in self.policy.rules:
            of_rule = by_rule.get(rule.id)
            if of_rule is not None and where in rule.on:
                verdict.weigh(rule, of_rule)
        return verdict.outcome(vault)


def _step(rule: Rule, models: Mapping[str, bytes]) -> Step:
    rail = build(rule, models)
    own = getattr(rail, "threshold", 0.0)
    least = rule.threshold if rule.threshold is not None else own
    return Step(rule, rail, least, isinstance(rail, Bounded), isinstance(rail, Mending))


def ask(step: Step, text: str, clock: Callable[[], int] = _wall) -> Ran:
    """One rail on one text, measured; what it raises becomes part of what it said."""
    rule, rail, least = step.rule, step.rail, step.least
    begun = clock()
    mended = None
    try:
        found = rail.find(text)
        if not found:
            return Ran(rule.id, (), (clock() - begun) / 1000)
        found = [finding for finding in found if finding.score >= least]
        if found and step.mends:
            mended = cast("Mending", rail).rewrite(text)
    except Exception as fault:  # a rail is others' code: whatever it raises, the call goes on
        took = (clock() - begun) / 1000
        return Ran(rule.id, (), took, f"{type(fault).__name__}: {fault}"[:200] or "failed")
    return Ran(rule.id, tuple(found), (clock() - begun) / 1000, "", mended)


def failure_of(rule: Rule, ran: Ran) -> Failure | None:
    closed = rule.on_error == "closed"
    if ran.error:
        return Failure(rule.id, rule.rail, "error", closed, ran.error)
    if rule.budget_ms and ran.us > rule.budget_ms * 1000:
        took = f"{ran.us / 1000:.1f} ms of {rule.budget_ms:g}"
        return Failure(rule.id, rule.rail, "budget", closed, took)
    return None


def _blocks(rule: Rule, ran: Ran, cleared: list[Finding]) -> bool:
    if rule.action == "block" and not all(one.flag_only for one in _counted(ran.findings, cleared)):
        return True
    failed = failure_of(rule, ran)
    return failed is not None and failed.closed


def _counted(found: tuple[Finding, ...], cleared: list[Finding]) -> tuple[Finding, ...]:
    """What lies in a stretch that an earlier `allow` rule found does not count."""
    if not cleared or not found:
        return found
    return tuple(
        one
        for one in found
        if not any(free.start <= one.start and one.end <= free.end for free in cleared)
    )


class _Verdict:
    """One text on its way through the rules of a policy."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.action: Action = "allow"
        self.rule = self.route_to = self.message = ""
        self.hits: list[Hit] = []
        self.shadowed: list[Hit] = []
        self.failed: list[Failure] = []
        self.us = 0.0
        self.for_good: list[Finding] = []
        self.reversibly: list[Finding] = []
        self.cleared: list[Finding] = []

    def weigh(self, rule: Rule, ran: Ran) -> None:
        self.us += ran.us
        failed = failure_of(rule, ran)
        if failed is not None:
            self.failed.append(failed)
            if failed.closed and not rule.shadow:
                self._take("block", rule, f"the rail {rule.rail!r} could not tell in time")
        found = _counted(ran.findings, self.cleared)
        if not found:
            return
        mended = ran.mended is not None
        loose = () if rule.action in ("flag", "allow") else tuple(f for f in found if f.flag_only)
        if loose:
            found = tuple(one for one in found if not one.flag_only)
            self._note(Hit(rule.id, rule.rail, "flag", loose, rule.shadow))
            if not rule.shadow:
                self._take("flag", rule, loose[0].note)
        if not found:
            return
        self._note(Hit(rule.id, rule.rail, rule.action, found, rule.shadow, mended))
        if rule.shadow:
            return
        if mended:
            self._take("mask", rule, "")
        elif rule.action == "allow":
            self.cleared += found
        else:
            self._act(rule, found)

    def _note(self, hit: Hit) -> None:
        (self.shadowed if hit.shadow else self.hits).append(hit)

    def _act(self, rule: Rule, found: tuple[Finding, ...]) -> None:
        if rule.action == "mask":
            (self.reversibly if rule.reversible else self.for_good).extend(found)
        self._take(rule.action, rule, found[0].note)

    def _take(self, action: Action, rule: Rule, message: str) -> None:
        if STRENGTH[action] > STRENGTH[self.action]:
            self.action, self.rule, self.message = action, rule.id, message
            self.route_to = rule.route_to if action == "route" else ""

    def outcome(self, vault: Vault | None) -> Outcome:
        return Outcome(
            self.action,
            self._written(vault),
            self.rule,
            tuple(self.hits),
            tuple(self.shadowed),
            tuple(self.failed),
            self.us,
            self.route_to,
            self.message,
        )

    def _written(self, vault: Vault | None) -> str:
        if vault is not None:
            return vault.mask(self.text, self.reversibly, self.for_good)
        return masked(self.text, [*self.reversibly, *self.for_good])
