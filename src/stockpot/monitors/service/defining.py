"""Making, changing and removing monitors, and silencing them. Knows who may; evaluates nothing."""

from __future__ import annotations

from functools import partial
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, Role, audit, demand, demand_project
from stockpot.catalog import project_names
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.monitors.checks import store as checks
from stockpot.monitors.figures import about_scores
from stockpot.monitors.models import (
    Alert,
    CheckRule,
    Monitor,
    MonitorHistory,
    MonitorSettings,
    MonitorSlice,
    MonitorTrial,
    NewMonitor,
    NewSilence,
    Rule,
    Silence,
    Standing,
)
from stockpot.monitors.scores import check_score_slice
from stockpot.monitors.service.episodes import Episodes, abandoned
from stockpot.monitors.service.looking import Looking
from stockpot.monitors.service.watching import Watching
from stockpot.monitors.store import monitors as store
from stockpot.monitors.store import telling

_ABOUT = ("slice", "rule", "no_data", "enabled")
"""Whoever changes one of these has another monitor: it begins anew."""


LISTED = {
    "online": "stockpot online list", "drift": "stockpot drift list",
    "canary": "stockpot canaries list", "pipeline": "stockpot pipelines list",
}  # fmt: skip
"""The command that lists checks of a kind."""


class MonitorService:
    """Monitors, their alerts and silences."""

    def __init__(
        self,
        db: Database,
        looking: Looking,
        watching: Watching,
        episodes: Episodes,
    ) -> None:
        self._db = db
        self._looking = looking
        self._watching = watching
        self._episodes = episodes

    async def all(self, actor: Principal, project: str | None = None) -> tuple[Monitor, ...]:
        """What the caller sees, by project and name, with how each stands."""
        rows = await self._db.read(store.list_monitors)
        return tuple(
            self._shown(row.monitor)
            for row in rows
            if actor.may("viewer", row.monitor.project) and project in (None, row.monitor.project)
        )

    async def one(self, actor: Principal, monitor_id: str) -> Monitor:
        """One monitor."""
        return self._shown(await self._db.read(lambda c: _monitor(c, actor, "viewer", monitor_id)))

    async def create(self, actor: Principal, new: NewMonitor) -> Monitor:
        """A new monitor. It is looked at within seconds."""
        now_ms = self._now()

        def write(c: sa.Connection) -> Monitor:
            _check_project(c, actor, new.project)
            _check_name(c, new.project, new.name)
            _check_channels(c, new.project, new.channels)
            check_rule(new.rule, new.slice, new.project, c)
            monitor = Monitor(
                **{name: getattr(new, name) for name in NewMonitor.model_fields},
                id=record_id("mon"), created_ms=now_ms, created_by=actor.label,
                updated_ms=now_ms,
            )  # fmt: skip
            store.put_monitor(c, monitor)
            told: dict[str, Any] = {"name": new.name, "project": new.project}
            audit(c, actor, "monitor.create", monitor.id, after=monitor, **told)
            return monitor

        return await self._db.write(write)

    async def change(self, actor: Principal, monitor_id: str, wanted: MonitorSettings) -> Monitor:
        """Replace a monitor's settings. With another rule, slice or meaning of silence it begins
        anew, and an alert that is open ends."""
        now_ms = self._now()

        def write(c: sa.Connection) -> Monitor:
            before = _monitor(c, actor, "editor", monitor_id)
            if wanted.name != before.name:
                _check_name(c, before.project, wanted.name)
            _check_channels(c, before.project, wanted.channels)
            check_rule(wanted.rule, wanted.slice, before.project, c)
            given = {name: getattr(wanted, name) for name in MonitorSettings.model_fields}
            after = before.model_copy(update={**given, "updated_ms": now_ms})
            if any(getattr(before, name) != getattr(after, name) for name in _ABOUT):
                abandoned(c, self._episodes, before, "the monitor was changed", now_ms)
                after = after.model_copy(update={"standing": Standing()})
            store.put_monitor(c, after)
            told: dict[str, Any] = {"name": after.name, "project": after.project}
            audit(c, actor, "monitor.change", monitor_id, before=before, after=after, **told)
            return after

        return self._shown(await self._db.write(write))

    async def remove(self, actor: Principal, monitor_id: str) -> None:
        """A monitor is gone; its alerts stay in the history."""
        now_ms = self._now()

        def write(c: sa.Connection) -> None:
            before = _monitor(c, actor, "editor", monitor_id)
            abandoned(c, self._episodes, before, "the monitor was removed", now_ms)
            store.remove_monitor(c, monitor_id)
            told: dict[str, Any] = {"name": before.name, "project": before.project}
            audit(c, actor, "monitor.remove", monitor_id, before=before, **told)

        await self._db.write(write)

    async def preview(self, actor: Principal, trial: MonitorTrial) -> MonitorHistory:
        """What a rule would have done."""

        def may(c: sa.Connection) -> None:
            _check_project(c, actor, trial.project, "viewer")
            check_rule(trial.rule, trial.slice, trial.project, c)

        await self._db.read(may)
        return await self._looking.history(trial)

    async def alerts(
        self,
        actor: Principal,
        *,
        project: str | None,
        monitor_id: str | None,
        state: str | None,
        before: str | None,
        limit: int,
    ) -> tuple[Alert, ...]:
        """Episodes of what the caller sees, newest first."""
        return await self._db.read(
            partial(
                store.list_alerts,
                seen=actor.projects("viewer"),
                project=project,
                monitor_id=monitor_id,
                state=state,
                before=before,
                limit=limit,
            )
        )

    # --- silences -------------------------------------------------------------------------------

    async def silences(self, actor: Principal, *, ended: bool) -> tuple[Silence, ...]:
        """Those in force, or all; newest first."""
        now_ms = None if ended else self._now()
        rows = await self._db.read(lambda c: telling.list_silences(c, now_ms))
        return tuple(row for row in rows if actor.may("viewer", row.project))

    async def silence(self, actor: Principal, new: NewSilence) -> Silence:
        """Nothing is sent until then, with who and why."""
        now_ms = self._now()
        if new.until_ms <= now_ms:
            raise InvalidInput("a silence ends in the future")

        def write(c: sa.Connection) -> Silence:
            _check_project(c, actor, new.project)
            if new.monitor_id is not None:
                monitor = _monitor(c, actor, "editor", new.monitor_id)
                if monitor.project != new.project:
                    raise InvalidInput(f"the monitor {new.monitor_id!r} is of another project")
            made = Silence(
                **new.model_dump(), id=record_id("sil"), created_ms=now_ms, created_by=actor.label
            )
            telling.add_silence(c, made)
            told: dict[str, Any] = {
                "project": new.project,
                "reason": new.reason,
                "monitor": new.monitor_id or "",
            }
            audit(c, actor, "monitor.silence", made.id, after=made, **told)
            return made

        return await self._db.write(write)

    async def end_silence(self, actor: Principal, silence_id: str) -> None:
        """The quiet is over now."""
        now_ms = self._now()

        def write(c: sa.Connection) -> None:
            before = telling.silence_by_id(c, silence_id)
            absent = NotFound(f"no silence {silence_id!r}", hint="stockpot monitors silences")
            if before is None:
                raise absent
            demand(actor, "editor", before.project, absent)
            if not before.holds(now_ms):
                raise Conflict(f"the silence {silence_id!r} is over already")
            telling.end_silence(c, silence_id, now_ms)
            told: dict[str, Any] = {"project": before.project, "monitor": before.monitor_id or ""}
            audit(c, actor, "monitor.unsilence", silence_id, before=before, **told)

        await self._db.write(write)

    def _shown(self, monitor: Monitor) -> Monitor:
        live = {"standing": self._watching.live(monitor), "spark": self._watching.spark(monitor)}
        return monitor.model_copy(update=live)

    def _now(self) -> int:
        return int(self._looking.clock() * 1000)


def check_rule(rule: Rule, cut: MonitorSlice, project: str, c: sa.Connection) -> None:
    """Refuse a slice that nothing is kept by, and a check that is not there."""
    if isinstance(rule, CheckRule):
        kind, name = rule.named
        if checks.check_named(c, project, kind, name) is None:
            known = [row.check.name for row in checks.list_checks(c, project, kind)]
            near = did_you_mean(name, known)
            raise NotFound(f"no {kind} {name!r} in {project!r}.{near}", hint=LISTED[kind])
    if about_scores(rule):
        check_score_slice(cut.where(project))


def _check_project(c: sa.Connection, actor: Principal, project: str, role: Role = "editor") -> None:
    """Refuse whoever has not the role in a project; '' is all of them."""
    demand_project(actor, role, project, ("", *project_names(c)))


def _check_name(c: sa.Connection, project: str, name: str) -> None:
    if store.monitor_named(c, project, name) is not None:
        raise Conflict(f"there is a monitor {name!r} already", hint="stockpot monitors list")


def _check_channels(c: sa.Connection, project: str, channels: tuple[str, ...]) -> None:
    for channel_id in channels:
        sealed = telling.channel_by_id(c, channel_id)
        if sealed is None or sealed.channel.project not in ("", project):
            raise NotFound(
                f"no channel {channel_id!r} in the project {project!r}",
                hint="stockpot monitors channels list",
            )


def _monitor(c: sa.Connection, actor: Principal, role: Role, monitor_id: str) -> Monitor:
    row = store.monitor_by_id(c, monitor_id)
    absent = NotFound(f"no monitor {monitor_id!r}", hint="stockpot monitors list")
    if row is None:
        raise absent
    demand(actor, role, row.monitor.project, absent)
    return row.monitor
