"""Where a budget's period begins and ends. Pure; calendar periods are UTC, a week begins Monday."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

PeriodName = Literal["day", "week", "month", "total"]


class Period(NamedTuple):
    """Milliseconds; `end_ms` 0 is never."""

    start_ms: int
    end_ms: int


def period_at(name: PeriodName, at_ms: int) -> Period:
    """The period that holds a moment."""
    if name == "total":
        return Period(0, 0)
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    start = at.replace(hour=0, minute=0, second=0, microsecond=0)
    if name == "day":
        end = start + timedelta(days=1)
    elif name == "week":
        start -= timedelta(days=start.weekday())
        end = start + timedelta(days=7)
    else:
        start = start.replace(day=1)
        end = (start + timedelta(days=32)).replace(day=1)
    return Period(_ms(start), _ms(end))


def _ms(at: datetime) -> int:
    return int(at.timestamp()) * 1000
