"""The verbs of judges: make a version, ask it, certify it, say what its certificate is worth now.

Takes stores and the world as arguments; the composition roots wire it. Who may see a project is
asked by the routes, so that other capabilities can use it for work of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from stockpot.access import Principal, audit
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound, did_you_mean
from stockpot.core.ids import record_id
from stockpot.evals.judges import store
from stockpot.evals.judges.asking import Asking, ClientOf
from stockpot.evals.judges.certifying import badge_of, corrected, judged_now
from stockpot.evals.judges.counting import tallied
from stockpot.evals.judges.instructing import (
    default_criteria,
    default_prompt,
    unknown_places,
)
from stockpot.evals.judges.keeping import KeptAnswers
from stockpot.evals.judges.models import (
    GROUNDED,
    JUDGED,
    OTHER,
    TIE,
    UNGROUNDED,
    Certificate,
    Judge,
    Judged,
    JudgeSpec,
    JudgeSummary,
    Scale,
    Subject,
)
from stockpot.evals.ports import ModelFacts, World
from stockpot.evals.records import Corrected
from stockpot.traces import Badge, unmeasured

_HASHED = ("kind", "model", "prompt", "criteria", "scale", "params", "both_orders", "abstain",
           "structured", "context", "other", "expected", "threshold", "combine")  # fmt: skip
_SCALES = {
    "pairwise": Scale(labels=(OTHER, TIE, JUDGED)),
    "groundedness": Scale(labels=(UNGROUNDED, GROUNDED)),
}
_PREFIX = "judge:"


class JudgeService:
    """Judges of every project. `client_of` gives a client of the gateway for a project."""

    def __init__(self, db: Database, world: World, client_of: ClientOf) -> None:
        self._db = db
        self._world = world
        self._client_of = client_of

    # --- versions ---------------------------------------------------------------------------------

    async def all(self, project: str) -> tuple[JudgeSummary, ...]:
        """The newest version of every judge of a project, each with its certificate in short."""
        found = await self._db.read(lambda c: store.versions(c, project))
        newest: dict[str, Judge] = {}
        counts: dict[str, int] = {}
        for judge in found:
            newest.setdefault(judge.name, judge)
            counts[judge.name] = counts.get(judge.name, 0) + 1
        badges = await self.badges(project, [judge.ref for judge in newest.values()])
        return tuple(
            JudgeSummary(judge=judge, versions=counts[name], badge=badges[judge.ref])
            for name, judge in newest.items()
        )

    async def versions(self, project: str, name: str) -> tuple[Judge, ...]:
        """The versions of a judge, newest first. Raises NotFound."""
        found = await self._db.read(lambda c: store.versions(c, project))
        mine = tuple(judge for judge in found if judge.name == name)
        if not mine:
            near = did_you_mean(name, sorted({judge.name for judge in found}))
            raise NotFound(f"no judge {name!r} in {project!r}.{near}",
                           hint="stockpot eval judges list")  # fmt: skip
        return mine

    async def latest(self, project: str, name: str) -> Judge:
        """The newest version of a judge. Raises NotFound."""
        return (await self.versions(project, name))[0]

    async def get(self, project: str, name: str, version: int | None = None) -> Judge:
        """A version of a judge, the newest without one. Raises NotFound."""
        found = await self.versions(project, name)
        if version is None:
            return found[0]
        for judge in found:
            if judge.version == version:
                return judge
        raise NotFound(
            f"the judge {name!r} has no version {version}; its newest is {found[0].version}",
            hint=f"stockpot eval judges show {name}",
        )

    async def named(self, project: str, ref: str) -> Judge:
        """A judge by `NAME@VERSION`, `judge:NAME@VERSION` or `NAME` alone. Raises NotFound."""
        name, version = split_ref(ref)
        return await self.get(project, name, version)

    async def create(self, actor: Principal, project: str, spec: JudgeSpec) -> Judge:
        """A new version of a judge; the same content again gives the version that has it."""
        await self._world.check_project(project, actor)
        members = [await self.named(project, ref) for ref in spec.members]
        judge = made_of(project, spec, members, actor.label)

        def write(c: sa.Connection) -> Judge:
            before = store.versions(c, project, spec.name)
            for one in before:
                if one.content_hash == judge.content_hash:
                    return one
            number = before[0].version + 1 if before else 1
            kept = judge.model_copy(update={"version": number})
            store.add_judge(c, record_id("jdg"), kept)
            audit(c, actor, "judge.create", kept.ref, after=kept, project=project)
            return kept

        return await self._db.write(write)

    # --- asking -----------------------------------------------------------------------------------

    async def score(self, project: str, judge: Judge, rows: Sequence[Subject]) -> Judged:
        """Ask a judge about rows now. Answers are kept, so that the same row costs once; the badge
        belongs beside every verdict that is shown or kept."""
        facts = await self.facts(judge)
        client = await self._client_of(project)
        try:
            asking = Asking(
                client, KeptAnswers(self._db, project),
                prices={model: one.prices for model, one in facts.items()},
                served={model: one.served for model, one in facts.items()},
            )  # fmt: skip
            judgements = tuple(await asking.judge(judge, rows))
        finally:
            await client.aclose()
        badge = (await self.badges(project, [judge.ref]))[judge.ref]
        return Judged(judge=judge.ref, badge=badge, judgements=judgements,
                      tally=tallied(judgements))  # fmt: skip

    async def ask(
        self, actor: Principal, project: str, judge: Judge, rows: Sequence[Subject]
    ) -> Judged:
        """The same for a person, with a row in the audit log: it costs the project money."""
        await self._world.check_project(project, actor)
        told: dict[str, Any] = {"project": project, "rows": len(rows)}
        await self._db.write(lambda c: audit(c, actor, "judge.ask", judge.ref, **told))
        return await self.score(project, judge, rows)

    async def facts(self, judge: Judge) -> dict[str, ModelFacts]:
        """Prices and servers of the models that a judge asks."""
        return {model: await self._world.model(model) for model in judge.models}

    async def fingerprint(self, judge: Judge) -> tuple[str, ...]:
        """What serves a judge's models now: a certificate holds for that alone. A model that is
        not there any more is served by nothing."""
        found = {}
        for model in judge.models:
            try:
                found[model] = await self._world.model(model)
            except NotFound:
                found[model] = ModelFacts(None, ())
        return fingerprint_of(found)

    # --- certificates -----------------------------------------------------------------------------

    async def certificate(
        self, project: str, name: str, version: int | None = None
    ) -> Certificate | None:
        """The newest finished certificate of a version, the newest one without a number, with its
        state as of now; None where it was never certified."""
        judge = await self.get(project, name, version)
        found = await self._db.read(lambda c: store.newest_done(c, project, [name]))
        mine = next((one for one in found if one.version == judge.version), None)
        return await self._now(mine, judge) if mine else None

    async def certificates(
        self, project: str, name: str, version: int | None = None
    ) -> tuple[Certificate, ...]:
        """Every certificate of a judge, newest first, also those that are still made."""
        versions = {judge.version: judge for judge in await self.versions(project, name)}
        found = await self._db.read(lambda c: store.certificates_of(c, project, name, version))
        return tuple([await self._now(one, versions[one.version]) for one in found])

    async def badges(self, project: str, evaluators: Collection[str]) -> Mapping[str, Badge]:
        """The certificate in short of evaluators such as `judge:NAME@VERSION`."""
        asked = {ref: split for ref in evaluators if (split := _split(ref)) is not None}
        names = sorted({name for name, _ in asked.values()})

        def read(c: sa.Connection) -> tuple[list[Judge], list[Certificate]]:
            kept = store.versions(c, project) if names else []
            done = store.newest_done(c, project, names) if names else []
            return [judge for judge in kept if judge.name in names], done

        judges, done = await self._db.read(read)
        known = {(judge.name, judge.version): judge for judge in judges}
        certified = {(one.judge, one.version): one for one in done}
        found = {}
        for ref in evaluators:
            about = asked.get(ref)
            judge = known.get(about) if about else None
            found[ref] = unmeasured(ref) if judge is None else await self._badge(judge, certified)
        return found

    async def corrected(self, project: str, ref: str, values: Sequence[float]) -> Corrected | None:
        """What people would have said of rows that a judge gave these values, out of its newest
        certificate's labels; None without one."""
        split = _split(ref)
        if split is None or not values:
            return None
        certificate = await self.certificate(project, *split)
        if certificate is None or certificate.n < 2:
            return None
        judge = await self.get(project, *split)
        rows = await self._db.read(lambda c: store.rows_of(c, certificate.id))
        return corrected(judge.scale.numeric, rows, values)

    async def _badge(self, judge: Judge, certified: Mapping[tuple[str, int], Certificate]) -> Badge:
        mine = certified.get((judge.name, judge.version))
        if mine is not None:
            return badge_of(judge.ref, await self._now(mine, judge))
        older = [one for (name, _), one in certified.items() if name == judge.name]
        return badge_of(judge.ref, None, max(older, key=lambda one: one.version, default=None))

    async def _now(self, certificate: Certificate, judge: Judge) -> Certificate:
        return judged_now(certificate, now_ms(), await self.fingerprint(judge))


def made_of(project: str, spec: JudgeSpec, members: Sequence[Judge], who: str) -> Judge:
    """A judge out of what was asked for; what is left out is its kind's own."""
    values = spec.model_dump(exclude={"members", "scale"})
    values["scale"] = _scale_of(spec, members)
    values["criteria"] = spec.criteria or default_criteria(spec.kind)
    values["params"] = {"temperature": 0, **spec.params} if spec.kind != "jury" else {}
    if spec.kind != "jury":
        values["prompt"] = spec.prompt or default_prompt(spec.kind)
        if strange := unknown_places(values["prompt"]):
            raise InvalidInput(
                f"the prompt names {strange[0]!r}, and a row has no such part",
                hint="{{input}} {{output}} {{expected}} {{context}} {{first}} {{second}}",
            )
    judge = Judge(
        project=project, version=0, members=tuple(members), content_hash="", created_ms=now_ms(),
        created_by=who, **values,
    )  # fmt: skip
    return judge.model_copy(update={"content_hash": content_hash(judge)})


def content_hash(judge: Judge) -> str:
    """The SHA-256 of what a judge asks and how, of a jury with the hashes of its members."""
    said = judge.model_dump(mode="json", include=set(_HASHED))
    said["members"] = [one.content_hash for one in judge.members]
    return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()


def fingerprint_of(facts: Mapping[str, ModelFacts]) -> tuple[str, ...]:
    """The models that are asked, each with what serves it."""
    return tuple(f"{model}={'|'.join(one.served)}" for model, one in sorted(facts.items()))


def split_ref(ref: str) -> tuple[str, int | None]:
    """`judge:NAME@VERSION` or shorter as its name and version. Raises InvalidInput."""
    name, at, version = ref.removeprefix(_PREFIX).partition("@")
    if at and not version.isdigit():
        raise InvalidInput(f"{ref!r} names no version of a judge", hint="judge:NAME@VERSION")
    return name, int(version) if version else None


def _split(ref: str) -> tuple[str, int] | None:
    name, at, version = ref.removeprefix(_PREFIX).partition("@")
    return (name, int(version)) if at and version.isdigit() and ref.startswith(_PREFIX) else None


def _scale_of(spec: JudgeSpec, members: Sequence[Judge]) -> Scale:
    if spec.kind == "jury":
        scales = {one.scale.model_dump_json() for one in members}
        if len(scales) > 1 or any(one.members for one in members):
            raise InvalidInput(
                "the members of a jury are judges on one scale, and no juries themselves"
            )
        return members[0].scale
    fixed = _SCALES.get(spec.kind)
    given: Any = spec.scale
    if fixed is not None and (given.labels or given.numeric) and given != fixed:
        raise InvalidInput(f"a {spec.kind} judge says {', '.join(fixed.labels)}: give no scale")
    if fixed is not None:
        return fixed
    return spec.scale if spec.scale.labels or spec.scale.numeric else Scale(labels=("fail", "pass"))
