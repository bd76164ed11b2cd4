"""When something is due: cron expressions and intervals. Pure; times are Unix milliseconds, UTC.

A cron expression has the five fields of crontab(5): minute, hour, day of the month, month, day of
the week (0 or 7 is Sunday), each `*`, a number, a range, a list or any of them with `/step`. As
there, with both days restricted either of them is enough.
"""

from __future__ import annotations

import datetime
import functools
from typing import NamedTuple

_BOUNDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
_NAMES = ("minute", "hour", "day of the month", "month", "day of the week")
_FARTHEST_DAYS = 366 * 5
"""A February 29th lies at most so far ahead."""

_MINUTE_MS = 60_000


class Cron(NamedTuple):
    """The numbers that each field allows."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def on(self, day: datetime.date) -> bool:
        """Whether a day is one of them."""
        if day.month not in self.months:
            return False
        by_date, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        if self.any_day or self.any_weekday:
            return by_date and by_week
        return by_date or by_week


@functools.lru_cache(maxsize=256)
def read_cron(text: str) -> Cron:
    """The five fields. Raises ValueError in words."""
    fields = text.split()
    if len(fields) != len(_BOUNDS):
        raise ValueError(f"a cron expression has five fields, {text!r} has {len(fields)}")
    found = [
        _field(field, low, high, name)
        for field, (low, high), name in zip(fields, _BOUNDS, _NAMES, strict=True)
    ]
    weekdays = frozenset(day % 7 for day in found[4])
    minutes, hours, days, months = found[:4]
    any_day, any_weekday = fields[2].startswith("*"), fields[4].startswith("*")
    return Cron(minutes, hours, days, months, weekdays, any_day, any_weekday)


def checked_cron(text: str) -> str:
    """The expression as it is, when it names a time at all."""
    if next_cron(text, 0) is None:
        raise ValueError(f"{text!r} names no day that there is")
    return text


def next_cron(text: str, after_ms: float) -> int | None:
    """The first minute after a time that an expression names."""
    cron = read_cron(text)
    start = int(after_ms // _MINUTE_MS + 1) * _MINUTE_MS
    at = datetime.datetime.fromtimestamp(start / 1000, datetime.UTC)
    for ahead in range(_FARTHEST_DAYS):
        day = at.date() + datetime.timedelta(days=ahead)
        if not cron.on(day):
            continue
        begin = (at.hour, at.minute) if ahead == 0 else (0, 0)
        for hour in sorted(cron.hours):
            for minute in sorted(cron.minutes):
                if (hour, minute) >= begin:
                    found = datetime.datetime(
                        day.year, day.month, day.day, hour, minute, tzinfo=datetime.UTC
                    )
                    return int(found.timestamp() * 1000)
    return None


def next_due(every_s: int | None, cron: str, now_ms: float) -> int | None:
    """When something is due again that was looked at now; None where only by hand."""
    if cron:
        return next_cron(cron, now_ms)
    return None if every_s is None else int(now_ms + every_s * 1000)


def _field(text: str, low: int, high: int, name: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step_text = part.partition("/")
        step = _number(step_text or "1", 1, high, name)
        if span == "*":
            first, last = low, high
        else:
            one, _, other = span.partition("-")
            first = _number(one, low, high, name)
            last = _number(other, low, high, name) if other else (high if step_text else first)
        if last < first:
            raise ValueError(f"the {name} {part!r} ends before it begins")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _number(text: str, low: int, high: int, name: str) -> int:
    if not text.isdecimal() or not low <= int(text) <= high:
        raise ValueError(f"the {name} is a number from {low} to {high}, not {text!r}")
    return int(text)
