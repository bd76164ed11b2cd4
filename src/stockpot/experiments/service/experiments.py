"""Creating, starting, ramping and ending experiments. Knows who may; computes nothing.

Every move of a share is a line in the journal of moved pointers, under
`experiments."PROJECT/NAME".share`, in the transaction of the move, and a decision with the figures
that justified it. A safety rollback leaves a hold there, which is lifted by name alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import sqlalchemy as sa

from stockpot.access import SYSTEM, Principal, Role, audit, demand, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.experiments.models import (
    WHOLE,
    Decision,
    DecisionKind,
    Experiment,
    ExperimentDetail,
    NewExperiment,
)
from stockpot.experiments.store import experiments as store
from stockpot.experiments.store.experiments import Kept
from stockpot.experiments.subjects import Subjects
from stockpot.revisions import moved

SECTION = "experiments"
Projects = Callable[[sa.Connection], tuple[str, ...]]
Changed = Callable[[str], Awaitable[object]]
CountAnew = Callable[[str, str], Awaitable[None]]
"""Forgets what the units of a project's experiment did so far."""


class HeldExperiment(Conflict):
    """An experiment that was rolled back for safety."""

    code, status = "safety_rollback", 409


class ExperimentService:
    """Experiments of projects."""

    def __init__(
        self, db: Database, projects: Projects, subjects: Subjects, changed: Changed,
        count_anew: CountAnew,
    ) -> None:  # fmt: skip
        self._count_anew = count_anew
        self._db = db
        self._projects = projects
        self._subjects = subjects
        self._changed = changed

    async def all(self, actor: Principal, project: str | None = None) -> tuple[Experiment, ...]:
        """Those of the caller's projects, by project and name."""
        seen = actor.projects("viewer")
        found = await self._db.read(lambda c: store.list_experiments(c, seen))
        return tuple(k.shown for k in found if project in (None, k.shown.project))

    async def shown(self, actor: Principal, project: str, name: str) -> ExperimentDetail:
        """One experiment with its decisions."""

        def read(c: sa.Connection) -> ExperimentDetail:
            kept = existing(c, actor, project, name)
            decided = store.list_decisions(c, kept.shown.id)
            return ExperimentDetail(experiment=kept.shown, decisions=decided)

        return await self._db.read(read)

    async def create(self, project: str, new: NewExperiment, actor: Principal) -> Experiment:
        """A draft; nothing is split until it is started."""
        await self._db.read(lambda c: demand_project(actor, "editor", project, self._projects(c)))
        await self._subjects.check(actor, project, new)
        now = now_ms()

        def write(c: sa.Connection) -> Experiment:
            demand_project(actor, "editor", project, self._projects(c))
            if store.experiment_named(c, project, new.name) is not None:
                raise Conflict(
                    f"there is an experiment {new.name!r} in {project!r} already",
                    hint=f"stockpot experiments show {new.name}",
                )
            given = {name: getattr(new, name) for name in NewExperiment.model_fields}
            given["owner"] = new.owner or actor.label
            made = Experiment(
                **given, id=record_id("exp"), project=project, first_share=new.share,
                created_ms=now, created_by=actor.label, changed_ms=now,
            )  # fmt: skip
            store.put_experiment(c, Kept(made, secrets.token_hex(16)))
            audit(c, actor, "experiment.create", made.id, after=made, name=new.name,
                  project=project)  # fmt: skip
            return made

        return await self._db.write(write)

    async def remove(self, project: str, name: str, actor: Principal) -> None:
        """An experiment that does not run is gone, with its decisions; what was measured stays in
        the span log."""

        def write(c: sa.Connection) -> None:
            kept = existing(c, actor, project, name, "editor")
            if kept.shown.state == "running":
                raise Conflict(
                    f"the experiment {name!r} runs", hint=f"stockpot experiments stop {name}"
                )
            store.remove_experiment(c, kept.shown.id)
            audit(c, actor, "experiment.remove", kept.shown.id, before=kept.shown, name=name,
                  project=project)  # fmt: skip

        await self._db.write(write)

    # --- moving -----------------------------------------------------------------------------------

    async def start(
        self, project: str, name: str, actor: Principal, reason: str = ""
    ) -> Experiment:
        """Split from now on, everywhere within a second. One that was stopped goes on where it was;
        one that was rolled back for safety, or has another's name from before, counts anew: the old
        figures would decide at the first look, and units that are known would count no more."""
        known = await self._db.read(lambda c: existing(c, actor, project, name, "editor"))
        await self._subjects.check(actor, project, known.shown)
        anew = await self._db.read(lambda c: _counts_anew(c, known.shown))
        if anew:
            await self._count_anew(project, name)

        def write(c: sa.Connection) -> Experiment:
            kept = existing(c, actor, project, name, "editor")
            shown, now = kept.shown, now_ms()
            _check_startable(c, shown)
            after = shown.model_copy(
                update={"state": "running", "share": shown.first_share, "stage": 0,
                        "stage_ms": now,
                        "started_ms": now if anew else shown.started_ms or now,
                        "ended_ms": None, "alarmed": False}
            )  # fmt: skip
            return record(c, actor, kept, after, "started", reason, {}, before=0)

        made = await self._db.write(write)
        await self._changed(f"experiment {name} started")
        return made

    async def ramp(
        self, project: str, name: str, share: int, reason: str, actor: Principal
    ) -> Experiment:
        """Let another share of the units take part. Raising it moves nobody between arms."""
        if not 1 <= share <= WHOLE:
            raise InvalidInput(f"a share lies between 1 and {WHOLE}")

        def write(c: sa.Connection) -> Experiment:
            kept = _running(c, actor, project, name)
            if kept.shown.share == share:
                raise Conflict(f"{name!r} has the share {share} already")
            reached = sum(stage.share <= share for stage in kept.shown.ramp)
            update = {"share": share, "stage": reached, "stage_ms": now_ms()}
            after = kept.shown.model_copy(update=update)
            return record(c, actor, kept, after, "ramped", reason, {})

        made = await self._db.write(write)
        await self._changed(f"experiment {name} ramped to {share}")
        return made

    async def stop(self, project: str, name: str, reason: str, actor: Principal) -> Experiment:
        """Serve everybody as if there were no experiment."""

        def write(c: sa.Connection) -> Experiment:
            kept = _running(c, actor, project, name)
            update = {"state": "stopped", "share": 0, "ended_ms": now_ms()}
            after = kept.shown.model_copy(update=update)
            return record(c, actor, kept, after, "stopped", reason, {})

        made = await self._db.write(write)
        await self._changed(f"experiment {name} stopped")
        return made

    async def lift(self, project: str, name: str, reason: str, actor: Principal) -> Experiment:
        """Let an experiment that was rolled back for safety be started again."""

        def write(c: sa.Connection) -> Experiment:
            kept = existing(c, actor, project, name, "editor")
            if not kept.shown.held:
                raise Conflict(f"nothing holds the experiment {name!r}")
            after = kept.shown.model_copy(update={"state": "stopped", "held": ""})
            moved(c, actor, (SECTION, entry(kept.shown), "hold"), "held", "lifted", reason)
            return record(c, actor, kept, after, "lifted", reason, {})

        return await self._db.write(write)


def existing(
    c: sa.Connection, actor: Principal, project: str, name: str, role: Role = "viewer"
) -> Kept:
    """The experiment of this name, where the caller has the role."""
    seen = store.list_experiments(c, actor.projects("viewer"))
    near = did_you_mean(name, [k.shown.name for k in seen if k.shown.project == project])
    absent = NotFound(
        f"no experiment {name!r} in {project!r}.{near}", hint="stockpot experiments list"
    )
    demand(actor, role, project, absent)
    kept = store.experiment_named(c, project, name)
    if kept is None:
        raise absent
    return kept


def entry(experiment: Experiment) -> str:
    """How the journal of moved pointers names it."""
    return f"{experiment.project}/{experiment.name}"


def record(
    c: sa.Connection,
    actor: Principal,
    kept: Kept,
    after: Experiment,
    kind: DecisionKind,
    reason: str,
    figures: dict[str, Any],
    *,
    before: int | None = None,
) -> Experiment:
    """Write down how an experiment stands from now on: itself, the decision, the journal, the audit
    log. `before` is the share that was in force."""
    now = max(now_ms(), int(kept.shown.changed_ms) + 1)
    after = after.model_copy(update={"changed_ms": now})
    was = kept.shown.share if before is None else before
    store.put_experiment(c, Kept(after, kept.salt))
    decision = Decision(
        id=record_id("xdc"), at_ms=now, kind=kind, actor=actor.label, reason=reason,
        share_before=was, share_after=after.share, figures=figures,
    )  # fmt: skip
    store.add_decision(c, after.id, decision)
    if was != after.share:
        moved(c, actor, (SECTION, entry(after), "share"), was, after.share, reason)
    audit(c, actor, f"experiment.{kind}", after.id, before=kept.shown, after=after,
          name=after.name, project=after.project, reason=reason)  # fmt: skip
    return after


def hold(c: sa.Connection, after: Experiment, reason: str) -> None:
    """A safety rollback stands until somebody lifts it by name."""
    moved(c, SYSTEM, (SECTION, entry(after), "hold"), None, "held", reason)


def _running(c: sa.Connection, actor: Principal, project: str, name: str) -> Kept:
    kept = existing(c, actor, project, name, "editor")
    if kept.shown.state != "running":
        raise Conflict(
            f"the experiment {name!r} does not run, it is {kept.shown.state}",
            hint=f"stockpot experiments start {name}",
        )
    return kept


def _counts_anew(c: sa.Connection, shown: Experiment) -> bool:
    """Whether what units did under this name so far is of no account."""
    newest = store.list_decisions(c, shown.id, 1)
    return shown.started_ms is None or any(one.kind == "lifted" for one in newest)


def _check_startable(c: sa.Connection, shown: Experiment) -> None:
    if shown.held:
        raise HeldExperiment(
            f"the experiment {shown.name!r} was rolled back for safety: {shown.held}",
            hint=f"stockpot experiments lift {shown.name} --reason '...'",
        )
    if shown.state in ("running", "concluded"):
        raise Conflict(
            f"the experiment {shown.name!r} is {shown.state}",
            hint=f"stockpot experiments report {shown.name}",
        )
    if not shown.first_share:
        raise InvalidInput(f"the experiment {shown.name!r} has the share 0: nobody would take part")
    other = store.running_on(c, shown.project, shown.kind, shown.subject)
    if other is not None:
        raise Conflict(
            f"the experiment {other!r} runs on {shown.subject!r} already",
            hint=f"stockpot experiments stop {other}",
        )
