"""What a rule says of the windows it looks at, and what a monitor becomes by it. Pure.

`read` turns windows into a reading, `step` a reading into the next standing. Knows neither where
figures come from nor who is told.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from stockpot.monitors.figures import Window, spoken
from stockpot.monitors.models import (
    DAY_S,
    SUMS,
    BurnRateRule,
    BurnWindow,
    CheckRule,
    FigureRule,
    Reading,
    Rule,
    Severity,
    State,
    ThresholdRule,
)

RESOLVED_SHOWN_MS = 3_600_000
"""So long a monitor that recovered is shown as resolved."""

_ROUNDING = 1 + 1e-9
"""A rate that equals its factor is not above it, whatever binary fractions make of 0.1."""

Event = Literal["fired", "escalated", "resolved"]
NoData = Literal["keep", "resolve", "alert"]


class Memory(NamedTuple):
    """What a monitor has to know from one look to the next."""

    state: State = "no_data"
    since_ms: float = 0
    beyond_since_ms: float | None = None
    back_since_ms: float | None = None
    severity: Severity = "page"


def windows_of(rule: FigureRule) -> tuple[int, ...]:
    """The lengths of the windows that a rule looks at, in seconds."""
    if isinstance(rule, ThresholdRule):
        return (rule.window_s,)
    return tuple(dict.fromkeys(s for w in rule.watched for s in (w.long_s, w.short_s)))


def read(rule: FigureRule, windows: Mapping[int, Window]) -> Reading:
    """What a rule says; `windows` by their length."""
    if isinstance(rule, ThresholdRule):
        return _threshold(rule, windows[rule.window_s])
    return _burn(rule, windows)


def _threshold(rule: ThresholdRule, window: Window) -> Reading:
    value = window.value(rule)
    samples = window.count
    enough = rule.metric in SUMS or samples >= rule.min_samples
    if value is None or not enough:
        about = "scores" if rule.score else "calls"
        least = 1 if rule.metric in SUMS else rule.min_samples
        why = f"{samples} {about} in {length(rule.window_s)}, {least} tell something"
        return Reading(value, samples, None, None, rule.severity, why)
    back_at = rule.threshold if rule.back_at is None else rule.back_at
    if rule.op == "above":
        beyond, back = value > rule.threshold, value <= back_at
    else:
        beyond, back = value < rule.threshold, value >= back_at
    said = (
        f"{title_of(rule)} is {spoken_value(rule, value)} over {length(rule.window_s)}, "
        f"{'more' if rule.op == 'above' else 'less'} than {spoken_value(rule, rule.threshold)} "
        "alerts"
    )
    return Reading(value, samples, beyond, back, rule.severity, said)


class Burning(NamedTuple):
    """One window of a burn rate: how fast its parts burn; None where nothing was seen."""

    window: BurnWindow
    long: float | None
    short: float | None
    samples: int

    @property
    def rate(self) -> float | None:
        """The slower of both: what has to exceed the factor."""
        if self.long is None or self.short is None:
            return None
        return min(self.long, self.short)


def burning(rule: BurnRateRule, windows: Mapping[int, Window]) -> tuple[Burning, ...]:
    """How fast the budget burns in each window that saw enough."""
    budget = 1 - rule.objective

    def rate(seconds: int) -> float | None:
        share = windows[seconds].share()
        return None if share is None else share / budget

    return tuple(
        Burning(w, rate(w.long_s), rate(w.short_s), windows[w.long_s].count)
        for w in rule.watched
        if windows[w.long_s].count >= rule.min_samples
    )


def _burn(rule: BurnRateRule, windows: Mapping[int, Window]) -> Reading:
    found = burning(rule, windows)
    if not found:
        most = max(windows[w.long_s].count for w in rule.watched)
        why = f"{most} calls in the longest window, {rule.min_samples} tell something"
        return Reading(None, most, None, None, rule.watched[0].severity, why)
    firing = [b for b in found if (b.rate or 0) > b.window.factor * _ROUNDING]
    paging = [b for b in firing if b.window.severity == "page"]
    nearest = max(paging or firing or found, key=lambda b: (b.rate or 0) / b.window.factor)
    window = nearest.window
    said = (
        f"the error budget burns {_times(nearest.long)} over {length(window.long_s)} and "
        f"{_times(nearest.short)} over {length(window.short_s)}, {spoken(window.factor)} alerts"
    )
    severity = nearest.window.severity
    return Reading(nearest.rate, nearest.samples, bool(firing), not firing, severity, said)


class Ran(NamedTuple):
    """One run of a check as a rule sees it."""

    alarm: bool | None
    value: float | None
    samples: int
    words: str


def read_runs(rule: CheckRule, runs: Sequence[Ran]) -> Reading:
    """What a rule says of a check's last runs, the newest first."""
    told = [run for run in runs if run.alarm is not None]
    if not told:
        return Reading(
            None, 0, None, None, rule.severity, f"{rule.check} has not told anything yet"
        )
    newest = told[0]
    enough = len(told) >= rule.runs
    beyond = enough and all(run.alarm for run in told[: rule.runs])
    return Reading(
        newest.value, newest.samples, beyond, not newest.alarm, rule.severity, newest.words
    )


def step(
    rule: Rule, no_data: NoData, memory: Memory, reading: Reading, now_ms: float
) -> tuple[Memory, Event | None]:
    """What a monitor becomes by a reading, and what happened by that."""
    beyond, back = reading.beyond, reading.back
    if beyond is None and no_data == "alert" and reading.samples == 0:
        beyond, back = True, False
    if beyond is None and memory.state == "firing" and no_data == "resolve":
        beyond, back = False, True
    if memory.state == "firing":
        return _while_firing(rule, memory, (beyond, back), reading.severity, now_ms)
    if beyond is None:
        return _became(memory, "no_data", now_ms), None
    if not beyond:
        shown = memory.state == "resolved" and now_ms - memory.since_ms < RESOLVED_SHOWN_MS
        return (memory if shown else _became(memory, "ok", now_ms)), None
    since = now_ms if memory.beyond_since_ms is None else memory.beyond_since_ms
    for_s = rule.for_s if isinstance(rule, ThresholdRule) else 0
    if now_ms - since < for_s * 1000:
        return _became(memory, "pending", now_ms)._replace(beyond_since_ms=since), None
    return Memory("firing", now_ms, since, None, reading.severity), "fired"


def _while_firing(
    rule: Rule,
    memory: Memory,
    found: tuple[bool | None, bool | None],
    severity: Severity,
    now_ms: float,
) -> tuple[Memory, Event | None]:
    beyond, back = found
    if beyond and severity == "page" and memory.severity == "ticket":
        return memory._replace(back_since_ms=None, severity="page"), "escalated"
    if not back:
        keeps = memory.back_since_ms if beyond is None else None
        return memory._replace(back_since_ms=keeps), None
    since = now_ms if memory.back_since_ms is None else memory.back_since_ms
    if now_ms - since < rule.back_for_s * 1000:
        return memory._replace(back_since_ms=since), None
    return Memory("resolved", now_ms, None, None, memory.severity), "resolved"


def _became(memory: Memory, state: State, now_ms: float) -> Memory:
    since = memory.since_ms if memory.state == state else now_ms
    return Memory(state, since, None, None, memory.severity)


# --- words ----------------------------------------------------------------------------------------

_TITLES = {
    "error_rate": "the error rate",
    "calls": "the number of calls",
    "cost": "the cost",
    "tokens": "the number of tokens",
}


def title_of(rule: ThresholdRule) -> str:
    """A metric's name in a sentence."""
    if rule.score:
        return f"the mean of the score {rule.score!r}"
    name, _, quantile = rule.metric.partition("_")
    named = {"latency": "latency", "ttft": "TTFT", "tpot": "TPOT"}.get(name, name)
    return _TITLES.get(rule.metric, f"{quantile} of {named}")


def spoken_value(rule: ThresholdRule, value: float) -> str:
    """A value with its unit."""
    match rule.metric:
        case "error_rate":
            return f"{spoken(value * 100)} %"
        case "cost":
            return f"${spoken(value / 1e9)}"
        case "calls" | "tokens" | "score_mean":
            return spoken(value)
        case _:
            return f"{spoken(value)} ms"


def length(seconds: int) -> str:
    """`5 min`, `6 h`, `3 d`."""
    for unit, name in ((DAY_S, "d"), (3600, "h"), (60, "min")):
        if seconds % unit == 0 and seconds >= unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} s"


def _times(rate: float | None) -> str:
    return "not at all" if rate is None else f"{spoken(rate)} times too fast"
