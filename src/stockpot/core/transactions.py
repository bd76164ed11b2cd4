"""Running one transaction in a thread. Knows SQLAlchemy; knows neither SQLite nor Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from stockpot.core.errors import Unavailable

T = TypeVar("T")


async def in_transaction(
    threads: ThreadPoolExecutor, engine: sa.Engine, fn: Callable[[sa.Connection], T]
) -> T:
    """Run `fn` in one of the threads. What the store itself refuses is told as Unavailable."""

    def work() -> T:
        with engine.begin() as connection:
            return fn(connection)

    try:
        return await asyncio.get_running_loop().run_in_executor(threads, work)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.InternalError) as refused:
        raise Unavailable(
            f"the control plane's store refused: {refused.orig}", hint="stockpot doctor"
        ) from refused
