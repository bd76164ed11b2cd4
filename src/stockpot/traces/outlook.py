"""What a month will have cost at its end. Knows months and daily sums; how a sum is predicted is
told by `stockpot.stats`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

from stockpot.traces.models import CostForecast, SpendBy, Spending, TraceFilter

_CONFIDENCE = 0.9
_LOOKED_AT = 28
"""Whole days that are looked at: older ones say less of the next."""

_DAY = timedelta(days=1)
_DAY_MS = 86_400_000


class Spent(Protocol):
    """What was spent, by day."""

    def spending(
        self, where: TraceFilter, by: SpendBy, from_ms: float | None = ...,
        to_ms: float | None = ..., bucket_ms: float | None = ..., limit: int = ...,
    ) -> Spending: ...  # fmt: skip


def month_end(log: Spent, where: TraceFilter, now_ms: float) -> CostForecast:
    """The forecast for the month of `now_ms`."""
    from stockpot.stats import FEWEST_DAYS, sum_to_come  # scipy: a start need not wait for it

    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    today = now.replace(hour=0, minute=0, second=0, microsecond=0)
    month = today.replace(day=1)
    since = min(month, today - (_LOOKED_AT + 1) * _DAY)
    found = log.spending(where, "day", since.timestamp() * 1000, now_ms + 1, _DAY_MS, 100)
    totals = {group.key: group.totals for group in found.groups}
    in_month = [of for key, of in totals.items() if key >= month.date().isoformat()]
    spent = sum(of.cost_nano for of in in_month)
    days = _whole_days(today, {key: of.cost_nano for key, of in totals.items()})
    shares = _to_come(now, today)
    predicted = None
    if len(days) >= FEWEST_DAYS:
        first = (today - len(days) * _DAY).weekday()
        predicted = sum_to_come(days, first, shares, _CONFIDENCE)
    return CostForecast(
        month=f"{month:%Y-%m}", spent_nano=spent, unpriced=sum(of.unpriced for of in in_month),
        forecast_nano=None if predicted is None else spent + round(predicted.value),
        low_nano=None if predicted is None else spent + max(0, round(predicted.low)),
        high_nano=None if predicted is None else spent + round(predicted.high),
        confidence=_CONFIDENCE, days=len(days), days_needed=FEWEST_DAYS,
        method="" if predicted is None else predicted.method,
        note="" if predicted is not None else _too_few(len(days), FEWEST_DAYS),
    )  # fmt: skip


def _whole_days(today: datetime, costs: dict[str, int]) -> list[float]:
    """The cost of each whole day after the first one with a call, which began somewhere in it."""
    dates = [(today - back * _DAY).date().isoformat() for back in range(_LOOKED_AT + 1, 0, -1)]
    begun = next((at for at, date in enumerate(dates) if date in costs), len(dates))
    return [float(costs.get(date, 0)) for date in dates[begun + 1 :]]


def _to_come(now: datetime, today: datetime) -> dict[int, float]:
    """How much of each weekday is left of the month, the rest of today with it."""
    shares = dict.fromkeys(range(7), 0.0)
    shares[today.weekday()] += 1 - (now - today) / _DAY
    day = today + _DAY
    while day.month == today.month:
        shares[day.weekday()] += 1
        day += _DAY
    return shares


def _too_few(days: int, needed: int) -> str:
    return (
        f"not enough days: {needed} whole days after the first call are needed, "
        f"and there {'is' if days == 1 else 'are'} {days}"
    )
