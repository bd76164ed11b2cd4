"""Looking back: a rule slid over what was, step by step, through the same reading and standing as
live. Pure; the parts are given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import gcd
from typing import NamedTuple

from stockpot.monitors.figures import Part, Window
from stockpot.monitors.models import (
    AlertEpisode,
    CheckRule,
    FigureRule,
    MonitorHistory,
    Reading,
    Rule,
    ThresholdRule,
)
from stockpot.monitors.rules import (
    Memory,
    NoData,
    Ran,
    burning,
    length,
    read,
    read_runs,
    step,
    windows_of,
)

POINTS = 720
_STEPS_S = (60, 120, 300, 600, 900, 1800, 3600)


class Plan(NamedTuple):
    """Where a look back begins and ends, how wide its steps are, and the grain of its parts. All in
    seconds; `since` is where the first window begins."""

    since: int
    start: int
    end: int
    step: int
    grain: int


def plan_of(rule: FigureRule, hours: float, now_s: float) -> Plan:
    """How to look back: at most `POINTS` steps, and parts that every window is made of."""
    span = int(hours * 3600)
    wide = next((s for s in _STEPS_S if span <= s * POINTS), _STEPS_S[-1])
    windows = windows_of(rule)
    grain = gcd(wide, *windows)
    end = -int(-now_s // grain) * grain
    start = end - span // wide * wide
    return Plan(start - max(windows), start, end, wide, grain)


class Look(NamedTuple):
    """What was read at one instant, with each window's burn rate or the one value."""

    at_ms: float
    reading: Reading
    values: tuple[float | None, ...]


def looks(rule: FigureRule, plan: Plan, parts: Mapping[int, Part]) -> Iterator[Look]:
    """A reading at the end of each step. `parts` are by their start, in grains."""
    sliding = {seconds: Window() for seconds in windows_of(rule)}
    reach = dict.fromkeys(sliding, plan.since)
    gone = dict.fromkeys(sliding, plan.since)
    for now in range(plan.start + plan.step, plan.end + 1, plan.step):
        for seconds, window in sliding.items():
            for at in range(reach[seconds], now, plan.grain):
                if at in parts:
                    window.add(parts[at])
            for at in range(gone[seconds], now - seconds, plan.grain):
                if at in parts:
                    window.add(parts[at], -1)
            reach[seconds], gone[seconds] = now, now - seconds
        reading = read(rule, sliding)
        yield Look(now * 1000.0, reading, _values(rule, sliding, reading))


def _values(
    rule: FigureRule, windows: Mapping[int, Window], reading: Reading
) -> tuple[float | None, ...]:
    if isinstance(rule, ThresholdRule):
        return (reading.value,)
    rates = {b.window: b.long for b in burning(rule, windows)}
    return tuple(rates.get(window) for window in rule.watched)


def history(
    rule: FigureRule, no_data: NoData, plan: Plan, parts: Mapping[int, Part]
) -> MonitorHistory:
    """The metric as it was, and when the rule would have fired."""
    found = list(looks(rule, plan, parts))
    titles = titles_of(rule)
    columns = tuple(zip(*(look.values for look in found), strict=True)) or ((),) * len(titles)
    return MonitorHistory(
        from_ms=plan.start * 1000, to_ms=plan.end * 1000, step_ms=plan.step * 1000,
        series=columns, titles=titles, lines=lines_of(rule),
        samples=sum(part.number for at, part in parts.items() if at >= plan.start),
        episodes=episodes_of(rule, no_data, found),
    )  # fmt: skip


def episodes_of(rule: Rule, no_data: NoData, found: Sequence[Look]) -> tuple[AlertEpisode, ...]:
    """When a rule would have fired."""
    memory = Memory()
    episodes: list[AlertEpisode] = []
    for look in found:
        memory, event = step(rule, no_data, memory, look.reading, look.at_ms)
        if event == "fired":
            value = look.reading.value
            episodes.append(
                AlertEpisode(
                    from_ms=look.at_ms, until_ms=None, severity=memory.severity, worst=value
                )
            )
        elif event == "resolved":
            episodes[-1] = episodes[-1].model_copy(update={"until_ms": look.at_ms})
        if episodes and memory.state == "firing":
            last = episodes[-1]
            told = {"severity": memory.severity, "worst": worse(rule, last.worst, look.reading)}
            episodes[-1] = last.model_copy(update=told)
    return tuple(episodes)


def history_of_runs(
    rule: CheckRule, no_data: NoData, runs: Sequence[tuple[float, Ran]], hours: int, now_ms: float
) -> MonitorHistory:
    """What a check found, oldest run first, and when the rule would have fired: one point for each
    step of time, the newest value that was known by then."""
    start = now_ms - hours * 3_600_000
    wide = next((s for s in _STEPS_S if hours * 3600 <= s * POINTS), _STEPS_S[-1]) * 1000
    found, known = [], 0
    for n in range(int((now_ms - start) // wide)):
        at = start + (n + 1) * wide
        while known < len(runs) and runs[known][0] <= at:
            known += 1
        reading = read_runs(rule, [ran for _, ran in reversed(runs[:known])])
        found.append(Look(at, reading, (reading.value,)))
    return MonitorHistory(
        from_ms=start, to_ms=start + len(found) * wide, step_ms=wide, titles=("",), lines=(),
        series=(tuple(look.reading.value for look in found),),
        samples=sum(ran.samples for at, ran in runs if at >= start),
        episodes=episodes_of(rule, no_data, found),
    )  # fmt: skip


def titles_of(rule: FigureRule) -> tuple[str, ...]:
    """What each line of a chart is: a burn rate's windows, or the one metric."""
    if isinstance(rule, ThresholdRule):
        return ("",)
    return tuple(length(window.long_s) for window in rule.watched)


def lines_of(rule: FigureRule) -> tuple[float, ...]:
    """The values that a chart is compared with."""
    if isinstance(rule, ThresholdRule):
        back = () if rule.back_at in (None, rule.threshold) else (float(rule.back_at or 0),)
        return (rule.threshold, *back)
    return tuple(window.factor for window in rule.watched)


def worse(rule: Rule, before: float | None, reading: Reading) -> float | None:
    """The value that lies farther beyond; of a check the one that it began with."""
    if isinstance(rule, CheckRule):
        return reading.value if before is None else before
    known = [value for value in (before, reading.value) if value is not None]
    if not known:
        return None
    below = isinstance(rule, ThresholdRule) and rule.op == "below"
    return min(known) if below else max(known)
