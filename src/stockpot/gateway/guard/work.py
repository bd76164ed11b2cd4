"""Asking a policy about the texts of one body: here what is short, elsewhere what takes long.

Knows slots, policies and who runs a rail; knows no call's way. `look` asks what can be asked at
once; where that does not settle it, `look_longer` waits for the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from stockpot.gateway.guard import asked
from stockpot.gateway.guard.slots import Slot
from stockpot.rails import STRENGTH, Outcome, Ran, Rule, Vault, Where, may_collide

if TYPE_CHECKING:
    from stockpot.gateway.guard.ledger import Ledger
    from stockpot.gateway.guard.table import GuardEntry
    from stockpot.rails import CompiledPolicy

LARGE_TEXT = 32 * 1024
"""Characters from which a text is looked at in the rail process: about 1 ms of rails here."""


class Elsewhere(Protocol):
    """Whoever runs rails that take long. Answers what a rail said, or says that it failed."""

    async def whole(self, entry: GuardEntry, where: Where, text: str) -> list[Ran]:
        """Every rule of a policy, of a large text."""
        ...

    async def ask(self, entry: GuardEntry, rule: Rule, where: Where, text: str) -> Ran:
        """One rule that never runs here."""
        ...


class Job(NamedTuple):
    """A stretch of a slot's text that waits for rails elsewhere; `said` is what rails here said."""

    slot: Slot
    number: int
    where: Where
    text: str
    said: list[Ran]
    rules: tuple[Rule, ...]
    whole: bool


class Findings:
    """What a policy says of all texts of one body: the strongest action, and texts as edited."""

    __slots__ = ("_ledger", "_parts", "_vault", "changed", "entry", "jobs", "strongest")

    def __init__(self, entry: GuardEntry, vault: Vault | None, ledger: Ledger) -> None:
        self.entry = entry
        self.strongest: Outcome | None = None
        self.changed = False
        self.jobs: list[Job] = []
        self._vault = vault
        self._ledger = ledger
        self._parts: dict[int, list[str]] = {}

    @property
    def stops(self) -> bool:
        """Whether a rule wants more than to edit a text."""
        found = self.strongest
        return found is not None and STRENGTH[found.action] >= STRENGTH["route"]

    def look(self, slots: Sequence[Slot]) -> None:
        """Ask all that can be asked at once; the rest waits in `jobs`. Ends when a rule blocks."""
        judged: dict[Where, list[tuple[Slot, str]]] = {}
        models = self.entry.models
        for slot in slots:
            pieces = asked.pieces(slot)
            if len(pieces) > 1:
                self._parts[id(slot)] = [text for _, text in pieces]
            for number, (where, text) in enumerate(pieces):
                if where in models and not slot.history:
                    judged.setdefault(where, []).append((slot, text))
                self._look_at(slot, number, where, text)
                if self.strongest is not None and self.strongest.action == "block":
                    self.jobs.clear()
                    return
        for where, texts in judged.items():
            # One question about all texts of a place, not one about each.
            text = "\n\n".join(text for _, text in texts)
            self.jobs.append(Job(texts[0][0], -1, where, text, [], models[where], False))

    def _look_at(self, slot: Slot, number: int, where: Where, text: str) -> None:
        policy = self._policy_for(slot)
        asks = bool(policy.at(where))
        if asks and len(text) > LARGE_TEXT:
            self.jobs.append(Job(slot, number, where, text, [], (), True))
            return
        cleared = self.entry.cleared
        name = b""
        if asks and where != "output":  # no answer is worth remembering before it is history
            name = cleared.name("history" if slot.history else where, text)
        if name in cleared:
            return
        said = policy.run(where, text)
        rules = () if slot.history else self.entry.away.get(where, ())
        if rules:
            self.jobs.append(Job(slot, number, where, text, said, rules, False))
        elif policy.clean(said) and (self._vault is None or not may_collide(text)):
            self._ledger.took(said)
            if name:
                cleared.add(name)
        else:
            outcome = policy.settle(where, text, said, self._vault)
            self._settle(slot, number, outcome, where, said)

    def _policy_for(self, slot: Slot) -> CompiledPolicy:
        return self.entry.history if slot.history else self.entry.policy

    def _settle(
        self, slot: Slot, number: int, outcome: Outcome, where: Where, said: list[Ran]
    ) -> None:
        self._ledger.note(where, outcome, said)
        known = self.strongest
        if known is None or STRENGTH[outcome.action] > STRENGTH[known.action]:
            self.strongest = outcome
        if number < 0:
            return
        parts = self._parts.get(id(slot))
        before = slot.text if parts is None else parts[number]
        if outcome.text is before or outcome.text == before:
            return
        self.changed = True
        if parts is None:
            slot.text = outcome.text
        else:
            parts[number] = outcome.text
            slot.text = "".join(parts)

    async def look_longer(self, elsewhere: Elsewhere) -> None:
        """Wait for rails elsewhere, all at once, and decide."""
        jobs, self.jobs = self.jobs, []
        said = await asyncio.gather(*(self._said(job, elsewhere) for job in jobs))
        for job, rans in zip(jobs, said, strict=True):
            policy = self._policy_for(job.slot)
            outcome = policy.settle(job.where, job.text, rans, self._vault)
            self._settle(job.slot, job.number, outcome, job.where, rans)

    async def _said(self, job: Job, elsewhere: Elsewhere) -> list[Ran]:
        said = list(job.said)
        rules = job.rules
        if job.whole:
            said += await elsewhere.whole(self.entry, job.where, job.text)
            if not job.slot.history:
                rules = self.entry.away.get(job.where, ())
        text = self.entry.policy.goes_on(job.text, said)
        ask = (elsewhere.ask(self.entry, rule, job.where, text) for rule in rules)
        return [*said, *await asyncio.gather(*ask)]


_encode = msgspec.json.Encoder().encode


def written(body: object) -> bytes:
    """A decoded body as bytes again."""
    return _encode(body)
