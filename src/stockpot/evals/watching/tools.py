"""What the doers of checks work with, given once by the process of jobs. Without behaviour."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import httpx

from stockpot.core.db import Database
from stockpot.evals.ports import DataSets
from stockpot.traces import ScoreService, SpanLog


class Bench(NamedTuple):
    """`own_keys` gives the ids of the keys that the instance itself uses in a project: their calls
    are no traffic. `client_of` gives a client of the gateway; whoever asked for it closes it."""

    db: Database
    spans: SpanLog
    scores: ScoreService
    datasets: DataSets
    client_of: Callable[[str], Awaitable[httpx.AsyncClient]]
    own_keys: Callable[[str], Awaitable[frozenset[str]]]
