"""Evidence where this instance keeps it. Knows the services of other capabilities; judges nothing.

What is certified and which rails act is asked of functions that the composition root gives, since
an instance may run without either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from stockpot.access import SYSTEM
from stockpot.catalog import Catalog, Project
from stockpot.core.clock import now_ms
from stockpot.datasets import Dataset, Datasets
from stockpot.evals import Evals, Run
from stockpot.guardrails import Guardrails
from stockpot.monitors import Monitor, Monitors
from stockpot.prompts import LabelMove, PromptFilter, Prompts, PromptSummary
from stockpot.traces import ScoreFilter, ScoreService, SpanLog, TraceFilter
from stockpot.usecases.ports import Address, Certified, Enforced, Said

_RUNS, _MOVES = 200, 500

Judges = Callable[[str], Awaitable[Certified | None]]
Rails = Callable[[str], Awaitable[Enforced | None]]
Addresses = Callable[[], Awaitable[Address]]
Checks = Callable[[str], Awaitable[tuple[str, ...]]]


def judges_of(evals: Evals) -> Judges:
    """The certified judge that agrees best with people."""

    async def best(project: str) -> Certified | None:
        found = await evals.judges.all(project)
        badges = [one.badge for one in found if one.badge.may_gate]
        told = [
            Certified(badge.judge.removeprefix("judge:"), badge.kappa, badge.low, badge.n)
            for badge in badges
            if badge.kappa is not None and badge.low is not None
        ]
        return max(told, key=lambda one: one.kappa_low, default=None)

    return best


def rails_of(guardrails: Guardrails) -> Rails:
    """The bound policy with most rails that act; where none is bound, the unbound one."""

    async def most(project: str) -> Enforced | None:
        found = await guardrails.policies.policies(SYSTEM, project)
        told = [
            Enforced(
                policy.name,
                sum(_acts(rule.action, rule.shadow) for rule in policy.rules),
                bool(policy.bindings),
            )
            for policy in found
        ]
        return max(told, key=lambda one: (one.bound, one.rails), default=None)

    return most


async def nothing(_: str) -> None:
    """Nobody is there to ask."""
    return


async def none_of_them(_: str) -> tuple[str, ...]:
    """Nobody is there to ask."""
    return ()


def _acts(action: str, shadow: bool) -> bool:
    """Whether a rail does more than look on."""
    return not shadow and action not in ("allow", "flag")


class KeptEvidence:
    """See `Evidence`."""

    def __init__(
        self, catalog: Catalog, spans: SpanLog, scores: ScoreService, prompts: Prompts,
        datasets: Datasets, evals: Evals, monitors: Monitors, address: Addresses, *,
        judge: Judges = nothing, rails: Rails = nothing, checks: Checks = none_of_them,
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._spans = spans
        self._scores = scores
        self._prompts = prompts
        self._datasets = datasets
        self._evals = evals
        self._monitors = monitors
        self._address = address
        self._judge, self._rails, self._checks = judge, rails, checks

    async def address(self) -> Address:
        """This instance's."""
        return await self._address()

    async def project(self, name: str) -> Project | None:
        """Its record."""
        found = await self._catalog.projects.all()
        return next((project for project in found if project.name == name), None)

    async def traffic(self, name: str, from_ms: float) -> Said:
        """What happened since a time."""
        where = TraceFilter(project=name)
        seen = await asyncio.to_thread(self._spans.overview, where, from_ms, now_ms(), 0)
        people = ScoreFilter(project=name, by_people=True, from_ms=from_ms)
        rated = await self._scores.rated(people, "name")
        return Said(sum(rated.values()), seen.totals.calls)

    async def prompts(self, name: str) -> tuple[PromptSummary, ...]:
        """Its prompts with their labels."""
        return await self._prompts.prompts.all(SYSTEM, PromptFilter(project=name))

    async def moves(self, name: str, prompt: str) -> tuple[LabelMove, ...]:
        """Every move of a prompt's labels, newest first."""
        return await self._prompts.labels.history(SYSTEM, name, prompt, None, _MOVES)

    async def datasets(self, name: str) -> tuple[Dataset, ...]:
        """Its data sets with their newest version."""
        return await self._datasets.sets.all(SYSTEM, name)

    async def suites(self, name: str) -> tuple[str, ...]:
        """The names of its suites."""
        return tuple(suite.spec.name for suite in await self._evals.suites.all(SYSTEM, name))

    async def runs(self, name: str) -> tuple[Run, ...]:
        """Its newest runs of suites."""
        return await self._evals.looking.runs(SYSTEM, name, None, _RUNS, None)

    async def monitors(self, name: str) -> tuple[Monitor, ...]:
        """Its monitors."""
        return await self._monitors.monitors.all(SYSTEM, name)

    async def checks(self, name: str) -> tuple[str, ...]:
        """What scores or checks its answers on a schedule."""
        return await self._checks(name)

    async def judge(self, name: str) -> Certified | None:
        """The judge that agrees best with people, among those that are certified."""
        return await self._judge(name)

    async def rails(self, name: str) -> Enforced | None:
        """The policy that its calls meet."""
        return await self._rails(name)
