"""Certificates beside figures: no figure of a judge leaves these services without one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from stockpot.evals.models import Compared, Run, SuiteSpec
from stockpot.evals.scorers import judge_of
from stockpot.traces import Badge, Certifying


class Measure(Protocol):
    """Anything that tells its metric."""

    @property
    def metric(self) -> str: ...


def judges_in(spec: SuiteSpec) -> dict[str, str]:
    """The judges of a suite by their metrics."""
    found = {scorer.metric: judge_of(scorer) for scorer in spec.scorers}
    return {metric: ref for metric, ref in found.items() if ref}


async def badges_in(certifying: Certifying, project: str, spec: SuiteSpec) -> dict[str, Badge]:
    """The certificates of a suite's judges as of now, by metric."""
    refs = judges_in(spec)
    if not refs:
        return {}
    told = await certifying.badges(project, sorted(set(refs.values())))
    return {metric: told[ref] for metric, ref in refs.items()}


async def shown(certifying: Certifying, run: Run) -> Run:
    """A run with a certificate beside every figure of a judge."""
    return (await all_shown(certifying, [run]))[0]


async def all_shown(certifying: Certifying, runs: Sequence[Run]) -> tuple[Run, ...]:
    """Runs of one project, the same way; judges that several have are looked up once."""
    refs = {ref for run in runs for ref in judges_in(run.spec).values()}
    if not refs:
        return tuple(runs)
    told = await certifying.badges(runs[0].project, sorted(refs))
    return tuple(_beside(run, told) for run in runs)


def compared_shown(
    metrics: Sequence[Compared], badges: Mapping[str, Badge]
) -> tuple[Compared, ...]:
    """Comparisons with the certificates of their judges."""
    return tuple(one.model_copy(update={"badge": badge_of(one, badges)}) for one in metrics)


def badge_of(one: Measure, badges: Mapping[str, Badge]) -> Badge | None:
    """The certificate of a metric, or of the metric that it is a part of (`NAME.f1`)."""
    found = badges.get(one.metric)
    if found is None:
        found = next((b for name, b in badges.items() if one.metric.startswith(f"{name}.")), None)
    return found


def _beside(run: Run, told: Mapping[str, Badge]) -> Run:
    badges = {metric: told[ref] for metric, ref in judges_in(run.spec).items()}
    metrics = tuple(m.model_copy(update={"badge": badge_of(m, badges)}) for m in run.metrics)
    judges = tuple(j.model_copy(update={"badge": badges.get(j.metric)}) for j in run.judges)
    return run.model_copy(update={"metrics": metrics, "judges": judges})
