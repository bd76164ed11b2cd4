"""What a client is told when a rule stops a call: which rule, and of what; never what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpot.gateway.call import Reply

if TYPE_CHECKING:
    from stockpot.gateway.guard.table import GuardEntry
    from stockpot.rails import Outcome

CODE = "guardrail_blocked"
STATUS = 400
"""As vendors answer what their own filters stop: the same request would be stopped again."""


def refusal(entry: GuardEntry, outcome: Outcome, what: str) -> Reply:
    """What the client is told: which rule, and of what; never what was found."""
    rule = entry.by_id.get(outcome.rule)
    types = sorted({f.type for hit in outcome.hits if hit.rule == outcome.rule
                    for f in hit.findings})  # fmt: skip
    found = f" ({', '.join(types)})" if types else ""
    rail = f", a rule of the kind {rule.rail!r}" if rule is not None else ""
    why = next((f" because {f.rail!r} {_failed(f.why)}" for f in outcome.failed if f.closed), "")
    return Reply(
        STATUS, CODE,
        f"the guardrail {outcome.rule!r} of the policy {entry.name!r}{rail}, stopped "
        f"{what}{found}{why}",
    )  # fmt: skip


def _failed(why: str) -> str:
    return "took too long" if why == "budget" else "failed"
