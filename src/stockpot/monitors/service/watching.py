"""Looking at every monitor, again and again, and writing down what follows.

A standing is written when it changes, and its figures at most twice a minute; what was seen last is
kept in memory for whoever looks. The state is always read from the store, so that a change made
anywhere holds from the next look on.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.core.db import Database
from stockpot.core.errors import StockpotError
from stockpot.monitors.models import (
    MINUTE_S,
    Monitor,
    Reading,
    Silence,
    Spark,
    Standing,
    ThresholdRule,
)
from stockpot.monitors.rules import Event, Memory, step
from stockpot.monitors.service.episodes import Episodes, silence_of
from stockpot.monitors.service.looking import Looking
from stockpot.monitors.store import monitors as store
from stockpot.monitors.store import telling
from stockpot.monitors.store.monitors import Stood

WRITTEN_EVERY_MS = 30_000
KEPT_MS = 90 * 86_400_000
_SPARK = 60

_log = logging.getLogger("stockpot.monitors")


class Looked(NamedTuple):
    """One monitor after one look."""

    stood: Stood
    reading: Reading
    memory: Memory
    event: Event | None
    silence: Silence | None


class Watching:
    """Evaluates. `live` and `spark` tell what was seen last."""

    def __init__(self, db: Database, looking: Looking, episodes: Episodes) -> None:
        self._db = db
        self._looking = looking
        self._episodes = episodes
        self._live: dict[str, Standing] = {}
        self._sparks: dict[str, deque[tuple[float, float | None]]] = {}
        self._versions: dict[str, float] = {}

    def live(self, monitor: Monitor) -> Standing:
        """How a monitor stands, by the last look of this process or of another."""
        seen = self._live.get(monitor.id)
        stored = monitor.standing
        if seen is None or self._versions.get(monitor.id) != monitor.updated_ms:
            return stored
        return seen if (seen.evaluated_ms or 0) >= (stored.evaluated_ms or 0) else stored

    def spark(self, monitor: Monitor) -> Spark | None:
        """The last hour, where this process watches."""
        points = self._sparks.get(monitor.id)
        if not points or self._versions.get(monitor.id) != monitor.updated_ms:
            return None
        return Spark(until_ms=points[-1][0], values=tuple(value for _, value in points))

    def firing(self) -> int:
        """How many monitors fired at the last look."""
        return sum(standing.state == "firing" for standing in self._live.values())

    async def look(self) -> int:
        """Evaluate every enabled monitor once; returns how many events followed."""
        now_ms = float(int(self._looking.clock() * 1000))
        rows = await self._db.read(lambda c: store.list_monitors(c, enabled=True))
        silences = await self._db.read(lambda c: telling.list_silences(c, now_ms))
        self._forget({row.monitor.id for row in rows})
        looked = [found for row in rows if (found := await self._one(row, silences, now_ms))]
        due = [one for one in looked if _worth_writing(one, now_ms)]
        if due:
            await self._db.write(lambda c: self._write_all(c, due, now_ms))
        return sum(one.event is not None for one in looked)

    async def prune(self) -> None:
        """Forget what ended long ago."""
        before = int(self._looking.clock() * 1000) - KEPT_MS

        def write(c: sa.Connection) -> None:
            store.prune_alerts(c, before)
            telling.prune_deliveries(c, before)

        await self._db.write(write)

    async def _one(self, row: Stood, silences: tuple[Silence, ...], now_ms: float) -> Looked | None:
        monitor = row.monitor
        try:
            if self._versions.get(monitor.id) != monitor.updated_ms:
                await self._begin(monitor)
            reading = await self._looking.reading(monitor.rule, monitor.slice, monitor.project)
        except StockpotError as fault:
            reading = Reading(None, 0, None, None, monitor.standing.severity, fault.message)
        except Exception:
            _log.exception("the monitor %r could not be evaluated", monitor.name)
            return None
        before = memory_of(row)
        memory, event = step(monitor.rule, monitor.no_data, before, reading, now_ms)
        silence = silence_of(monitor, silences, now_ms)
        looked = Looked(row, reading, memory, event, silence)
        self._remember(looked, now_ms)
        return looked

    async def _begin(self, monitor: Monitor) -> None:
        """The first look at a monitor, or at what it has become: its last hour."""
        points: deque[tuple[float, float | None]] = deque(maxlen=_SPARK)
        rule = monitor.rule
        short = isinstance(rule, ThresholdRule) and rule.window_s <= 3600
        if short or set(monitor.slice.where("")) <= {"environment"}:
            where = (monitor.rule, monitor.slice, monitor.project)
            points.extend(await self._looking.last_hour(*where))
        self._sparks[monitor.id] = points
        self._live.pop(monitor.id, None)
        self._versions[monitor.id] = monitor.updated_ms

    def _remember(self, looked: Looked, now_ms: float) -> None:
        monitor, memory, reading = looked.stood.monitor, looked.memory, looked.reading
        firing = memory.state == "firing"
        self._live[monitor.id] = Standing(
            state=memory.state, since_ms=memory.since_ms, value=reading.value,
            samples=reading.samples, severity=memory.severity if firing else reading.severity,
            reason=reading.reason, evaluated_ms=now_ms,
            alert_id=monitor.standing.alert_id if firing else None,
            silenced_until_ms=looked.silence.until_ms if looked.silence else None,
            badges=reading.badges,
        )  # fmt: skip
        points = self._sparks[monitor.id]
        minute = -int(-now_ms // (MINUTE_S * 1000)) * MINUTE_S * 1000.0
        if points and points[-1][0] >= minute:
            points.pop()
        points.append((minute, reading.value))

    def _forget(self, present: set[str]) -> None:
        for gone in self._versions.keys() - present:
            for kept in (self._live, self._sparks, self._versions):
                kept.pop(gone, None)

    def _write_all(self, c: sa.Connection, due: list[Looked], now_ms: float) -> None:
        for one in due:
            present = store.monitor_by_id(c, one.stood.monitor.id)
            # Who changed or evaluated it meanwhile knows more than this look.
            if present is not None and _same(present, one.stood):
                self._write(c, one, now_ms)

    def _write(self, c: sa.Connection, one: Looked, now_ms: float) -> None:
        monitor, reading, memory = one.stood.monitor, one.reading, one.memory
        silenced = one.silence is not None
        alert_id = monitor.standing.alert_id
        alert = store.alert_by_id(c, alert_id) if alert_id else None
        if one.event == "fired":
            severity = memory.severity
            alert = self._episodes.begin(c, monitor, reading, severity, now_ms, silenced=silenced)
        elif one.event == "resolved" and alert is not None:
            self._episodes.end(c, monitor, alert, reading.reason, now_ms)
            alert = None
        elif memory.state == "firing" and alert is not None:
            severity = memory.severity
            self._episodes.go_on(c, monitor, alert, reading, severity, now_ms, silenced=silenced)
        firing = memory.state == "firing" and alert is not None
        values: dict[str, Any] = {
            "value": reading.value, "samples": reading.samples, "reason": reading.reason,
            "alert_id": alert.id if alert is not None and firing else None,
            "evaluated_ms": int(now_ms),
        }  # fmt: skip
        store.put_standing(c, monitor.id, **_columns(memory), **values)


def memory_of(row: Stood) -> Memory:
    """What a monitor knew after the look before."""
    standing = row.monitor.standing
    return Memory(
        standing.state, standing.since_ms, row.beyond_since_ms, row.back_since_ms, standing.severity
    )


def _same(one: Stood, other: Stood) -> bool:
    unchanged = one.monitor.updated_ms == other.monitor.updated_ms
    return unchanged and memory_of(one) == memory_of(other)


def _columns(memory: Memory) -> dict[str, Any]:
    rounded = {
        name: None if value is None else int(value)
        for name, value in memory._asdict().items()
        if name.endswith("_ms")
    }
    return {"state": memory.state, "severity": memory.severity, **rounded}


def _worth_writing(one: Looked, now_ms: float) -> bool:
    standing = one.stood.monitor.standing
    if one.event is not None or one.memory.state == "firing":
        return True
    if _columns(one.memory) != _columns(memory_of(one.stood)):
        return True
    return now_ms - (standing.evaluated_ms or 0) >= WRITTEN_EVERY_MS
