"""What the workers say of themselves: who lives, what they count, how targets do.

Knows heartbeats; keeps them in memory, since they are told again every few seconds. A worker that
is silent for `DEAD_AFTER_S` is dead; what it counted stays in the sums, which never go back.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

from stockpot.gateway import Heartbeat, TargetState
from stockpot.revisions import Seen, tally_of

DEAD_AFTER_S = 30.0
RECENT_S = 8.0
"""A worker that a release is tried on has reported within so long."""

REMEMBERED_BEATS = 90
_REMEMBERED = 20
"""So many of the dead may still come back without being counted twice."""

Health = Literal["healthy", "failing", "cooling", "unknown"]
Breaker = Literal["closed", "open", "half_open"]


class TargetView(NamedTuple):
    """One target over all workers."""

    state: Health = "unknown"
    last_error: str = ""
    last_ok_ms: float | None = None
    in_flight: int = 0
    breaker: Breaker = "closed"
    limited_until_ms: float | None = None
    first_byte_ms: float | None = None


class Fleet:
    """The workers that report here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun = clock()
        self._seen: dict[str, float] = {}
        self._beats: dict[str, Heartbeat] = {}
        self._dead: dict[str, Heartbeat] = {}
        self._of_the_forgotten: dict[str, float] = {}
        self._history: dict[str, deque[Seen]] = {}

    def heard(self, beat: Heartbeat) -> None:
        """Take a heartbeat."""
        now = self._seen[beat.worker] = self._clock()
        self._beats[beat.worker] = beat
        history = self._history.setdefault(beat.worker, deque(maxlen=REMEMBERED_BEATS))
        history.append(Seen(now, beat.revision, tally_of(beat.counters)))
        self._dead.pop(beat.worker, None)  # it was only held up; its counters go on

    def heard_of(self, worker: str) -> None:
        """A worker did something else than a heartbeat; it lives."""
        self._seen[worker] = self._clock()

    def is_dead(self, worker: str) -> bool:
        """Silent for long. After a start everybody gets that long to speak."""
        last = self._seen.get(worker, self._begun)
        return self._clock() - last > DEAD_AFTER_S

    def bury(self) -> tuple[str, ...]:
        """Drop dead workers, keep what they counted; returns their names."""
        dead = tuple(worker for worker in self._seen if self.is_dead(worker))
        for worker in dead:
            del self._seen[worker]
            self._history.pop(worker, None)
            if (beat := self._beats.pop(worker, None)) is not None:
                self._dead[worker] = beat
        while len(self._dead) > _REMEMBERED:
            _add(self._of_the_forgotten, self._dead.pop(next(iter(self._dead))))
        return dead

    def living(self) -> tuple[Heartbeat, ...]:
        """The last heartbeat of each living worker."""
        return tuple(b for name, b in self._beats.items() if not self.is_dead(name))

    def seen(self) -> dict[str, tuple[Seen, ...]]:
        """What the living workers reported in the last minutes, oldest first."""
        return {
            name: tuple(beats) for name, beats in self._history.items() if not self.is_dead(name)
        }

    def busiest(self) -> str | None:
        """The living worker with the most calls in the last minutes; the first by name of several.
        None when none lives."""

        def calls(beats: tuple[Seen, ...]) -> int:
            return beats[-1].tally.calls - beats[0].tally.calls

        recent = {
            name: beats
            for name, beats in self.seen().items()
            if self._clock() - beats[-1].at_s < RECENT_S
        }
        return min(recent, key=lambda name: (-calls(recent[name]), name), default=None)

    def counters(self) -> dict[str, float]:
        """Sums over all workers since the control plane's start, the dead included."""
        total = dict(self._of_the_forgotten)
        for beat in (*self._dead.values(), *self._beats.values()):
            _add(total, beat)
        return total

    def target(self, target_id: str) -> TargetView:
        """How a target does, as the living workers see it."""
        seen = [b.targets[target_id] for b in self.living() if target_id in b.targets]
        if not seen:
            return TargetView()
        last_ok = max(state.last_ok_ms for state in seen)
        worst = max(seen, key=lambda state: state.last_error_ms)
        failing = worst.last_error_ms > last_ok
        return TargetView(
            state=_health(seen, failing, last_ok),
            last_error=worst.last_error if failing else "",
            last_ok_ms=float(last_ok) or None,
            in_flight=sum(state.in_flight for state in seen),
            breaker=_breaker(seen),
            limited_until_ms=float(max(state.limited_until_ms for state in seen)) or None,
            first_byte_ms=max(state.first_byte_ms for state in seen) or None,
        )


def _add(total: dict[str, float], beat: Heartbeat) -> None:
    for name, value in beat.counters.items():
        total[name] = total.get(name, 0.0) + value


def _breaker(seen: list[TargetState]) -> Breaker:
    """The least that any worker lets through."""
    said = {state.breaker for state in seen}
    if "open" in said:
        return "open"
    return "half_open" if "half_open" in said else "closed"


def _health(seen: list[TargetState], failing: bool, last_ok_ms: int) -> Health:
    if any(state.cooling_until_ms > time.time() * 1000 for state in seen):
        return "cooling"
    if failing:
        return "failing"
    return "healthy" if last_ok_ms else "unknown"
