"""What rails said of one call, as its record keeps it: rules, types and counts, never a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from stockpot.gateway.models import Verdict
from stockpot.rails import STRENGTH, Hit, Outcome, Ran, Where


class Ledger:
    """Verdicts of one call, added up by rule and place."""

    __slots__ = ("_found", "_policy", "_us", "action", "us", "waited")

    def __init__(self, policy: str) -> None:
        self._policy = policy
        self._found: dict[tuple[str, str, str, str, bool, str], Counter[str]] = {}
        self._us: dict[str, float] = {}
        self.us = 0.0
        self.action = "allow"
        self.waited = 0
        """The most characters of an answer that were held back at once."""

    def note(self, where: Where, outcome: Outcome, said: Iterable[Ran] = ()) -> None:
        """Add what was decided on one text, and what each rail took."""
        for ran in said:
            self._us[ran.rule] = self._us.get(ran.rule, 0.0) + ran.us
        self.us += outcome.us
        self.raise_to(outcome.action)
        if outcome.hits:
            self._add(where, outcome.hits, shadow=False)
        if outcome.shadowed:
            self._add(where, outcome.shadowed, shadow=True)
        for failure in outcome.failed:
            action = "block" if failure.closed else "allow"
            why = failure.why
            self._found.setdefault(
                (failure.rule, failure.rail, where, action, False, why), Counter()
            )

    def took(self, said: Iterable[Ran]) -> None:
        """Add what rails took of a text in which they found nothing."""
        us = self._us
        for ran in said:
            us[ran.rule] = us.get(ran.rule, 0.0) + ran.us
            self.us += ran.us

    def raise_to(self, action: str) -> None:
        """Keep the strongest action of all."""
        if STRENGTH[action] > STRENGTH[self.action]:
            self.action = action

    def _add(self, where: Where, hits: Iterable[Hit], *, shadow: bool) -> None:
        for hit in hits:
            action = "mend" if hit.mended else hit.action
            counts = self._found.setdefault(
                (hit.rule, hit.rail, where, action, shadow, ""), Counter()
            )
            counts.update(finding.type for finding in hit.findings)

    def told(self) -> tuple[Verdict, ...]:
        """First the policy as a whole, then each rule that found something or failed."""
        whole = Verdict("", self._policy, "", self.action, False, (), int(self.us), "", self.waited)
        rows = (
            Verdict(
                rule,
                rail,
                where,
                action,
                shadow,
                tuple(sorted(counts.items())),
                int(self._us.get(rule, 0)),
                failed,
            )
            for (rule, rail, where, action, shadow, failed), counts in self._found.items()
        )
        return (whole, *rows)
