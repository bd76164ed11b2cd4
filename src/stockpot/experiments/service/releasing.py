"""Making the winner of an experiment permanent, by one act of a person who saw the difference.

The subject of an alias or route becomes an alias that leads where the winner leads, by a plan over
the definitions that is released like any other; a label moves to the winner's version. Either says
why with the figures that decided. Knows revisions and prompts by their front doors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import Principal, allows
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, Forbidden
from stockpot.experiments.models import Arm, Experiment, Released, ReleasePlan
from stockpot.experiments.reasons import MOST_REASON, reason_of
from stockpot.experiments.service.experiments import existing, record
from stockpot.experiments.store import experiments as store
from stockpot.experiments.subjects import Subjects, leading, prompt_of
from stockpot.prompts import LabelTo, NewProposal
from stockpot.revisions import ApplyRequest, PlanRequest, RevisionService


class _Won(NamedTuple):
    """An experiment that somebody won, and the figures that decided it."""

    experiment: Experiment
    arm: Arm
    reason: str
    figures: dict[str, Any]


class Releasing:
    """Plans and releases of winners."""

    def __init__(self, db: Database, subjects: Subjects, revisions: RevisionService) -> None:
        self._db = db
        self._subjects = subjects
        self._revisions = revisions

    async def plan(self, project: str, name: str, actor: Principal) -> ReleasePlan:
        """What making the winner permanent would change. Changes nothing."""
        won = await self._won(project, name, actor)
        if won.experiment.kind == "label":
            return await self._label_plan(won, actor)
        definitions = await self._definitions(won)
        plan = await self._revisions.plan(
            PlanRequest(definitions=definitions, partial=True, calls=0)
        )
        return ReleasePlan(
            **_head(won), way="apply" if plan.changes else "nothing", text=plan.text,
            expect=plan.digest, changes=tuple(change.name for change in plan.changes),
            conflicts=tuple(conflict.message for conflict in plan.conflicts),
        )  # fmt: skip

    async def release(
        self, project: str, name: str, actor: Principal, *, expect: str, reason: str
    ) -> Released:
        """Do what the plan says. With `expect` nothing happens when it says something else by now.
        An alias changes on one worker first, watched, as every release."""
        won = await self._won(project, name, actor)
        why = f"{reason.strip()}; {won.reason}"[:MOST_REASON] if reason.strip() else won.reason
        plan = await self.plan(project, name, actor)
        if expect and expect != plan.expect:
            raise Conflict(
                "it changed since it was planned", hint=f"stockpot experiments release {name}"
            )
        if plan.way == "nothing":
            raise Conflict(f"{plan.subject!r} leads to the winner already")
        if won.experiment.kind == "label":
            done = await self._label(won, actor, why)
        else:
            done = await self._alias(won, actor, plan, why)

        def write(c: sa.Connection) -> None:
            kept = existing(c, actor, project, name, "editor")
            record(c, actor, kept, kept.shown, "released", f"{done.text}: {why}"[:2000],
                   {**won.figures, "arm": won.arm.name, "revision": done.revision})  # fmt: skip

        await self._db.write(write)
        return done

    # --- what won ---------------------------------------------------------------------------------

    async def _won(self, project: str, name: str, actor: Principal) -> _Won:
        def read(c: sa.Connection) -> tuple[Experiment, Any]:
            shown = existing(c, actor, project, name, "editor").shown
            return shown, store.list_decisions(c, shown.id)

        shown, decisions = await self._db.read(read)
        if shown.state != "concluded" or not shown.winner:
            raise Conflict(
                f"nobody has won the experiment {name!r}, it is {shown.state}",
                hint=f"stockpot experiments report {name}",
            )
        arm = next(arm for arm in shown.arms if arm.name == shown.winner)
        if arm.name == shown.compared_with or arm.target in ("", shown.subject):
            raise Conflict(f"{arm.name!r}, which won, is what is served already")
        figures: dict[str, Any] = next(
            (d.figures for d in decisions if d.kind == "concluded" and d.figures.get("metrics")), {}
        )
        return _Won(shown, arm, reason_of(shown, figures), figures)

    # --- aliases and routes -----------------------------------------------------------------------

    async def _definitions(self, won: _Won) -> dict[str, Any]:
        subject = await self._subjects.models.named(won.experiment.subject)
        target = await self._subjects.models.named(won.arm.target)
        content = leading(subject, target).model_dump(mode="json", exclude_defaults=True)
        return {"aliases": {won.experiment.subject: content}}

    async def _alias(self, won: _Won, actor: Principal, plan: ReleasePlan, why: str) -> Released:
        if not allows(actor, "editor"):
            raise Forbidden(
                "an alias belongs to the whole instance: its editors release a change of it",
                hint="ask an editor of the instance",
            )
        asked = ApplyRequest(
            definitions=await self._definitions(won), partial=True, expect=plan.expect, message=why
        )
        applied = await self._revisions.apply(actor, asked)
        number = applied.revision.number
        text = f"{won.experiment.subject} leads where {won.arm.target} leads (revision {number})"
        return Released(**_head(won), text=text, revision=number, state=applied.revision.state)

    # --- labels -----------------------------------------------------------------------------------

    async def _versions(self, won: _Won, actor: Principal) -> tuple[int, int]:
        name, label = prompt_of(won.experiment.subject)
        project, prompts = won.experiment.project, self._subjects.prompts
        before = (await prompts.get(project, name, label, actor)).number
        return before, (
            await prompts.get(project, name, prompt_of(won.arm.target)[1], actor)
        ).number

    async def _label_plan(self, won: _Won, actor: Principal) -> ReleasePlan:
        name, label = prompt_of(won.experiment.subject)
        before, after = await self._versions(won, actor)
        guards = await self._subjects.prompts.labels.protections(actor, won.experiment.project)
        guarded = any(one.prompt in ("", name) and one.label == label for one in guards)
        way = "nothing" if before == after else "propose" if guarded else "move"
        text = f"prompts.{name}.labels.{label}\n  - {before}\n  + {after}\n"
        return ReleasePlan(
            **_head(won), way=way, text=text, expect=f"{before}-{after}",
            changes=(f"{won.experiment.subject}: version {before} to {after}",), conflicts=(),
        )  # fmt: skip

    async def _label(self, won: _Won, actor: Principal, why: str) -> Released:
        """Moved, by approving the proposal that stockpot made where there is one; where others
        decide, the move is proposed."""
        name, label = prompt_of(won.experiment.subject)
        project, labels = won.experiment.project, self._subjects.prompts.labels
        version = (await self._versions(won, actor))[1]
        subject, to = won.experiment.subject, LabelTo(version=version, reason=why)
        found = await labels.proposals(actor, project, name, "open")
        same = [one for one in found if (one.label, one.version) == (label, version)]
        try:
            others = [one for one in same if one.asked_by != actor.user_id]
            if others:
                await labels.approve(actor, others[0].id, why)
            else:
                await labels.move_label(actor, project, name, label, to)
        except Forbidden as refused:
            if not same:
                asked = NewProposal(label=label, version=version, reason=why)
                await labels.propose(actor, project, name, asked)
            text = f"it is proposed that {subject} moves to version {version}: {refused.message}"
            return Released(**_head(won), text=text, state="proposed")
        text = f"{subject} was moved to version {version}"
        return Released(**_head(won), text=text, state="released")


def _head(won: _Won) -> dict[str, Any]:
    return {
        "experiment": won.experiment.name, "subject": won.experiment.subject,
        "winner": won.arm.name, "target": won.arm.target, "reason": won.reason,
    }  # fmt: skip
