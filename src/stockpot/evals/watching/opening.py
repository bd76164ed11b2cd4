"""The doers of checks, wired. The composition root of jobs gives stores and other capabilities."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from stockpot.evals.watching.tools import Bench
from stockpot.monitors import CheckKind, Doer


def open_doers(bench: Bench, clock: Callable[[], float] = time.time) -> Mapping[CheckKind, Doer]:
    """What does online rules, drift checks and canaries. `clock` says whose day a budget is for."""
    # numpy and scipy: the control plane wires everything and runs none of it
    from stockpot.evals.watching.canary import CanaryDoer
    from stockpot.evals.watching.drift import DriftDoer
    from stockpot.evals.watching.online import OnlineDoer

    return {
        "online": OnlineDoer(bench, clock), "drift": DriftDoer(bench),
        "canary": CanaryDoer(bench, clock),
    }  # fmt: skip
