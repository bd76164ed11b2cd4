"""What readiness asks of others, in its own words. The composition root gives it."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from stockpot.catalog import Project
from stockpot.datasets import Dataset
from stockpot.evals import Run
from stockpot.monitors import Monitor
from stockpot.prompts import LabelMove, PromptSummary


class Said(NamedTuple):
    """How often users said something, and how many calls there were."""

    feedback: int
    calls: int


class Address(NamedTuple):
    """Where applications reach this instance, without paths, and a model that answers them."""

    gateway: str
    console: str
    model: str


class Certified(NamedTuple):
    """A judge whose agreement with people is known well enough; `kappa_low` is the lower bound of
    its interval, `labels` how many of them it rests on."""

    judge: str
    kappa: float
    kappa_low: float
    labels: int


class Enforced(NamedTuple):
    """A policy of rails; `rails` counts those that act, not those that only look on. A policy
    that is not `bound` meets no call."""

    policy: str
    rails: int
    bound: bool


class Evidence(Protocol):
    """Where evidence is kept. Everything is about one project."""

    async def address(self) -> Address:
        """This instance's."""
        ...

    async def project(self, name: str) -> Project | None:
        """Its record."""
        ...

    async def traffic(self, name: str, from_ms: float) -> Said:
        """What happened since a time."""
        ...

    async def prompts(self, name: str) -> tuple[PromptSummary, ...]:
        """Its prompts with their labels."""
        ...

    async def moves(self, name: str, prompt: str) -> tuple[LabelMove, ...]:
        """Every move of a prompt's labels, newest first."""
        ...

    async def datasets(self, name: str) -> tuple[Dataset, ...]:
        """Its data sets with their newest version."""
        ...

    async def suites(self, name: str) -> tuple[str, ...]:
        """The names of its suites."""
        ...

    async def runs(self, name: str) -> tuple[Run, ...]:
        """Its newest runs of suites."""
        ...

    async def monitors(self, name: str) -> tuple[Monitor, ...]:
        """Its monitors."""
        ...

    async def checks(self, name: str) -> tuple[str, ...]:
        """What scores or checks its answers on a schedule: `canary menu`."""
        ...

    async def judge(self, name: str) -> Certified | None:
        """The judge that agrees best with people, among those that are certified."""
        ...

    async def rails(self, name: str) -> Enforced | None:
        """The policy that its calls meet."""
        ...
