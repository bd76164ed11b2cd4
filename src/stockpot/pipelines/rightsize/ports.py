"""What right-sizing needs of others, in their own words. The composition root gives it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol

from stockpot.access import Principal
from stockpot.catalog import Catalog
from stockpot.evals import PREFIX, Evals, Row
from stockpot.experiments import Experiment, NewExperiment
from stockpot.revisions import RevisionService
from stockpot.traces import Badge, SpanLog


class RowsOf(Protocol):
    """The rows of a data set's version, with its name and number."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def rows(self) -> tuple[Row, ...]: ...


class DataSets(Protocol):
    """Where data sets are kept."""

    async def rows(self, project: str, name: str, version: int | None, split: str) -> RowsOf:
        """The rows of a version, the latest without one. Raises NotFound."""
        ...


class Experiments(Protocol):
    """Where experiments are started."""

    async def create(self, project: str, new: NewExperiment, actor: Principal) -> Experiment: ...

    async def start(
        self, project: str, name: str, actor: Principal, reason: str = ""
    ) -> Experiment: ...


Certified = Callable[[str, str], Awaitable[Badge]]
"""The certificate of a judge (project, NAME or NAME@VERSION), as of now."""


class World(NamedTuple):
    """Everything that right-sizing asks of others."""

    catalog: Catalog
    spans: SpanLog
    evals: Evals
    datasets: DataSets
    revisions: RevisionService
    experiments: Experiments
    certificate: Certified


def certificates_of(evaluations: Evals) -> Certified:
    """What evaluations know of a judge."""

    async def certificate(project: str, judge: str) -> Badge:
        ref = judge if ":" in judge else f"{PREFIX}{judge}"  # `autoevals:Factuality` is one, too
        return (await evaluations.judges.badges(project, (ref,)))[ref]

    return certificate
