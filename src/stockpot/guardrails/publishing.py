"""The snapshot's part `guardrails`: what workers look at texts with, without asking anybody."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from stockpot.guardrails import store
from stockpot.guardrails.checking import rule_of
from stockpot.guardrails.models import Policy as Defined
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, Policy, RailsPart


class RailsSource:
    """Gives the publisher this part; see `stockpot.catalog.PartSource`."""

    name = RAILS_PART
    version = RAILS_PART_VERSION

    def part(self, c: sa.Connection) -> bytes:
        """b"" while no policy holds anywhere, so that workers have nothing to look at."""
        bound = [policy for policy in store.list_policies(c) if policy.bindings]
        if not bound:
            return b""
        known = {(one.project, one.rail): one for one in store.list_calibrations(c)}
        models: dict[str, bytes] = {}
        made = []
        where: dict[str, dict[str, str]] = {"key": {}, "route": {}, "project": {}}
        for policy in bound:
            rules = []
            for rule in policy.rules:
                measured = known.get((policy.project, rule.rail))
                if measured is not None and measured.model is not None:
                    models[measured.digest] = measured.model
                rules.append(rule_of(rule, measured))
            made.append(Policy(policy.id, policy.name, tuple(rules), policy.parallel))
            for kind, subject in _held(policy):
                where[kind][subject] = policy.id
        part = RailsPart(tuple(made), where["key"], where["route"], where["project"], models)
        return msgspec.msgpack.encode(part)


def _held(policy: Defined) -> list[tuple[str, str]]:
    """Where a policy holds. A route's name is the same in every project, so that its project is
    part of what it is looked up by."""
    found: list[tuple[str, str]] = []
    for binding in policy.bindings:
        subject = binding.subject
        if binding.kind == "route":
            subject = f"{policy.project}/{binding.subject}"
        found.append((binding.kind, subject or policy.project))
    return found
