"""What evaluations need of others, in their own words. The composition root gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

from stockpot.access import Principal
from stockpot.evals.models import Row


class RowsOf(NamedTuple):
    """The rows of a data set's version."""

    name: str
    version: int
    rows: tuple[Row, ...]


class PromptOf(NamedTuple):
    """A prompt's version, resolved."""

    name: str
    version: int
    model: str
    content_hash: str


class DataSets(Protocol):
    """Where data sets are kept."""

    async def rows(self, project: str, name: str, version: int | None, split: str) -> RowsOf:
        """The rows of a version, the latest without one. Raises NotFound."""
        ...

    async def used(self, project: str, name: str, version: int, run: str, label: str) -> None:
        """Let a version know the run that used it."""
        ...

    async def made_from(self, project: str, traces: Sequence[str]) -> frozenset[str]:
        """The names of data sets with rows that were made from some traces, in any version."""
        ...


class Prompts(Protocol):
    """Where prompts are kept."""

    async def resolved(self, project: str, name: str, ref: str) -> PromptOf:
        """The version that a label or a number names. Raises NotFound."""
        ...

    async def moves(self, project: str) -> list[Move]:
        """Every move of the label `production`, oldest first."""
        ...


class Said(NamedTuple):
    """What a person said of a row, and when. The rater `adjudication` settled a difference."""

    item: str
    rater: str
    label: bool | float | str
    at_ms: float | None


class People(Protocol):
    """Where what people said of rows is kept."""

    async def labels(self, project: str, dataset: str, question: str) -> list[Said]:
        """What people said of a data set's rows, of one question; without its name of the only one
        that was asked."""
        ...


class Move(NamedTuple):
    """The label `production` went from one version of a prompt to another; `made_ms` is when the
    new version was written."""

    prompt: str
    before: int | None
    after: int
    at_ms: float
    made_ms: float


class Course(NamedTuple):
    """An alias leads to these targets (`provider/model`) and by these rules (a digest, "" for none)
    from a time on; without targets it went. With `tried_hours` one worker alone had it, for so
    long."""

    alias: str
    targets: frozenset[str]
    rules: str
    at_ms: float
    tried_hours: float | None = None


class Trial(NamedTuple):
    """An experiment on what production serves. `backs` are its starts that were rolled back, each
    with when; `won_ms` is when something else than what was there won, a prompt's `version` where
    the winner names one."""

    name: str
    subject: str
    tried: str
    made_ms: float
    backs: tuple[tuple[float, float], ...] = ()
    won_ms: float | None = None
    version: int | None = None


class Aliases(Protocol):
    """Where aliases are kept."""

    async def courses(self) -> list[Course]:
        """Every turn of every alias, oldest first; the first of each is where it begins."""
        ...

    async def called(self, project: str, from_ms: float, to_ms: float) -> frozenset[str]:
        """The names that a project's calls asked for."""
        ...


Trials = Callable[[str], Awaitable[Sequence[Trial]]]
"""Gives the experiments of a project on what production serves."""


class ModelFacts(NamedTuple):
    """What is known of a model's name: dollars per million input and output tokens, None where no
    price is known, and what serves it now."""

    prices: tuple[float, float] | None
    served: tuple[str, ...]


class World(NamedTuple):
    """Everything that evaluations ask of others."""

    datasets: DataSets
    prompts: Prompts
    model: Callable[[str], Awaitable[ModelFacts]]
    secret: Callable[[str], Awaitable[str]]
    """Makes sure that a project has a key for evaluations, and gives its secret."""
    check_project: Callable[[str, Principal | None], Awaitable[None]]
    people: People
    aliases: Aliases
