"""Experiments as lead times count them: what was tried in production, what was taken back, what
won. Works inside its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from stockpot.evals import Trial
from stockpot.experiments.models import Decision, Experiment
from stockpot.experiments.store import experiments as store
from stockpot.experiments.subjects import prompt_of
from stockpot.prompts import PRODUCTION

_MOST_DECISIONS = 10_000


def trials_of(c: sa.Connection, project: str) -> list[Trial]:
    """Those of a project that ever started, but for what splits another label than production."""
    return [
        _trial(kept.shown, reversed(store.list_decisions(c, kept.shown.id, _MOST_DECISIONS)))
        for kept in store.list_experiments(c, frozenset({project}))
        if kept.shown.started_ms is not None and _in_production(kept.shown)
    ]


def _in_production(experiment: Experiment) -> bool:
    return experiment.kind != "label" or prompt_of(experiment.subject)[1] == PRODUCTION


def _trial(experiment: Experiment, decided: Iterable[Decision]) -> Trial:
    """`decided`, oldest first."""
    backs: list[tuple[float, float]] = []
    started = won_ms = None
    arms = {arm.name: arm.target or experiment.subject for arm in experiment.arms}
    arms.pop(experiment.compared_with)
    for decision in decided:
        if decision.kind == "started":
            started = decision.at_ms
        elif decision.kind == "rolled_back" and started is not None:
            backs.append((started, decision.at_ms))
            started = None
        elif decision.kind == "concluded" and won_ms is None and experiment.winner in arms:
            won_ms = decision.at_ms
    ref = arms.get(experiment.winner, "").rpartition("@")[2] if experiment.kind == "label" else ""
    return Trial(
        name=experiment.name, subject=experiment.subject,
        tried=", ".join(sorted(set(arms.values()))), made_ms=experiment.created_ms,
        backs=tuple(backs), won_ms=won_ms, version=int(ref) if ref.isdigit() else None,
    )  # fmt: skip
