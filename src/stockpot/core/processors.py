"""How many processors there are to use, and so how many workers. Knows settings; starts nothing."""

from __future__ import annotations

import os

from stockpot.core.config import Settings


def worker_count(settings: Settings) -> int:
    """Of this host: the setting, or one per core but one, as engines and control need theirs."""
    if settings.workers > 0:
        return int(settings.workers)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, (cores or 1) - 1)
