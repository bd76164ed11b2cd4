"""Which is the cheapest model that still passes?

A run asks candidates and a baseline the same questions, out of logged traffic or a data set, within
a budget, scores the answers with a suite, and says of each candidate whether it is not worse than
the baseline by more than a margin. What passes becomes a plan for the alias, then an experiment,
then a report of what it saved. Knows evaluations, prices and experiments by their front doors.
"""

from typing import TYPE_CHECKING

from stockpot.core.lazy import lazily

if TYPE_CHECKING:
    from stockpot.pipelines.rightsize.api import router
    from stockpot.pipelines.rightsize.models import NewRightsize, RightsizeRun, Savings
    from stockpot.pipelines.rightsize.opening import Rightsizing, open_jobs, open_rightsizing
    from stockpot.pipelines.rightsize.ports import World, certificates_of
else:
    __getattr__ = lazily(
        __name__,
        {
            "api": "router",
            "models": "NewRightsize RightsizeRun Savings",
            "opening": "Rightsizing open_jobs open_rightsizing",
            "ports": "World certificates_of",
        },
    )

__all__ = [
    "NewRightsize",
    "RightsizeRun",
    "Rightsizing",
    "Savings",
    "World",
    "certificates_of",
    "open_jobs",
    "open_rightsizing",
    "router",
]
