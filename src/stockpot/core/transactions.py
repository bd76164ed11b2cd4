"""Running one transaction in a thread. Knows SQLAlchemy; knows neither SQLite nor Postgres."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import sqlalchemy as sa

from stockpot.core.errors import InvalidInput, Unavailable

T = TypeVar("T")

_log = logging.getLogger("stockpot.store")


class StoreAway(Unavailable):
    """The store did not do it, and may do it another time."""


class UnfitText(ValueError):
    """A text that not every store can hold."""


async def in_transaction(
    threads: ThreadPoolExecutor, engine: sa.Engine, fn: Callable[[sa.Connection], T]
) -> T:
    """Run `fn` in one of the threads. What the store itself refuses is told as StoreAway; a value
    that it cannot hold (a number too large, NUL or half of a surrogate pair in a text) as
    InvalidInput."""

    def work() -> T:
        with engine.begin() as connection:
            return fn(connection)

    try:
        return await asyncio.get_running_loop().run_in_executor(threads, work)
    except (sa.exc.OperationalError, sa.exc.ProgrammingError, sa.exc.InternalError) as refused:
        raise StoreAway(
            f"the control plane's store refused: {refused.orig}", hint="stockpot doctor"
        ) from refused
    except (sa.exc.DataError, OverflowError, UnicodeEncodeError, UnfitText) as unfit:
        told = str(unfit.orig if isinstance(unfit, sa.exc.DataError) else unfit).partition("\n")[0]
        # Models bound their fields, so that this is rare. Values are kept out of the log.
        _log.warning("a value does not fit the control plane's store: %s", told)
        raise InvalidInput(
            f"a value is one that the store cannot hold: {told}",
            hint="a smaller number, or a text without control characters",
        ) from unfit
