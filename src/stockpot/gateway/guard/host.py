"""Who runs rails that take long: the rail process, and chat models. Knows both; decides nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from stockpot.gateway.guard.judge import asked_model
from stockpot.gateway.guard.process import RailProcess, RailsAway
from stockpot.gateway.guard.turns import Turns
from stockpot.rails import Ran

if TYPE_CHECKING:
    from stockpot.gateway.call import Call
    from stockpot.gateway.guard.table import GuardEntry, RailTable
    from stockpot.rails import Rule, Where

MOST_S = 2.0
"""The longest that the rail process works at one text, whatever a rule allows."""

WHOLE_S = 1.0
"""How long all rules of a policy may take of a large text, where they say nothing else."""


class RailHost:
    """One to a worker."""

    def __init__(self) -> None:
        self._process = RailProcess()
        self.turns = Turns()
        self._warming: asyncio.Task[None] | None = None

    def warm(self, table: RailTable) -> None:
        """Start the rail process now where a policy has a rail that takes seconds to load."""
        rules = (rule for entry in table.entries.values() for rule in entry.policy.elsewhere)
        if any(rule.rail == "presidio" for rule in rules):
            self._warming = asyncio.get_running_loop().create_task(self._process.warm(table.data))

    def asking(self, call: Call, table: RailTable) -> Asking:
        """Ask on behalf of a call."""
        return Asking(self._process, call, table)

    async def close(self) -> None:
        if self._warming is not None:
            self._warming.cancel()
        await self._process.close()


class Asking:
    """See `work.Elsewhere`."""

    __slots__ = ("_call", "_process", "_table")

    def __init__(self, process: RailProcess, call: Call, table: RailTable) -> None:
        self._process = process
        self._call = call
        self._table = table

    async def whole(self, entry: GuardEntry, where: Where, text: str) -> list[Ran]:
        rules = [step.rule for step in entry.policy.at(where)]
        budget = sum(rule.budget_ms for rule in rules) / 1000
        limit = min(MOST_S, budget or WHOLE_S)
        try:
            return await self._in_process(entry, "", where, text, limit)
        except RailsAway as away:
            return [Ran(rule.id, error=str(away)) for rule in rules]

    async def ask(self, entry: GuardEntry, rule: Rule, where: Where, text: str) -> Ran:
        if rule.rail == "model":
            return await asked_model(self._call, rule, where, text)
        try:
            limit = min(MOST_S, rule.budget_ms / 1000 or MOST_S)
            said = await self._in_process(entry, rule.id, where, text, limit)
        except RailsAway as away:
            return Ran(rule.id, error=str(away))
        return said[0]

    async def _in_process(
        self, entry: GuardEntry, rule: str, where: Where, text: str, limit_s: float
    ) -> list[Ran]:
        key = self._call.key
        assert key is not None
        return await self._process.run(
            key.spec.project, self._table.data, (entry.id, rule, where, text), limit_s
        )
