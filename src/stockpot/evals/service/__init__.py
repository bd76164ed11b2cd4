"""The verbs of evaluations: suites, runs, comparisons, gates."""

from stockpot.evals.service.echoing import Echoing
from stockpot.evals.service.following import Following
from stockpot.evals.service.forgetting import Forgetting
from stockpot.evals.service.jobs import KIND, EvalJobs
from stockpot.evals.service.looking import Looking
from stockpot.evals.service.running import Running
from stockpot.evals.service.suites import SuiteService

__all__ = [
    "KIND",
    "Echoing",
    "EvalJobs",
    "Following",
    "Forgetting",
    "Looking",
    "Running",
    "SuiteService",
]
