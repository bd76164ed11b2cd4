"""Live experiments: an alias, a route or a prompt's label split between arms, measured and decided.

Knows experiments, what each unit of theirs did, and when the figures justify a step: it raises the
share, rolls back, or ends one by itself. Knows nothing of requests: who is in which arm is decided
by `stockpot.assign` in the gateway and in applications; this publishes what it reads.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.experiments.api import router
    from stockpot.experiments.models import (
        Arm,
        Decision,
        Experiment,
        ExperimentDetail,
        ExperimentReport,
        Metric,
        NewExperiment,
        Stage,
    )
    from stockpot.experiments.service.experiments import ExperimentService
    from stockpot.experiments.wiring import Experiments, open_experiments
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "Arm Decision Experiment ExperimentDetail ExperimentReport Metric "
            "NewExperiment Stage",
            "service.experiments": "ExperimentService",
            "wiring": "Experiments open_experiments",
        },
    )

__all__ = [
    "Arm",
    "Decision",
    "Experiment",
    "ExperimentDetail",
    "ExperimentReport",
    "ExperimentService",
    "Experiments",
    "Metric",
    "NewExperiment",
    "Stage",
    "open_experiments",
    "router",
]
