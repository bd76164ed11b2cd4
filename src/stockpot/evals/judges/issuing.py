"""Asking for a certificate: which rows, which people, which labels. The job then makes it."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.access import Principal, audit
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.core.jobs import JobQueue
from stockpot.evals import store as runs
from stockpot.evals.content import hash_of
from stockpot.evals.judges import store
from stockpot.evals.judges.certifying import heard
from stockpot.evals.judges.models import Certificate, HumanLabel, Judge, NewCertificate
from stockpot.evals.judges.service import JudgeService, fingerprint_of
from stockpot.evals.judges.subjects import answer_in, lacking, subject_of
from stockpot.evals.judges.working import KIND
from stockpot.evals.models import Row
from stockpot.evals.ports import World


class _Material(NamedTuple):
    rows: list[Row]
    dataset: str
    version: int | None
    labels: list[HumanLabel]


class Issuing:
    """Starts the making of certificates."""

    def __init__(self, db: Database, world: World, queue: JobQueue, judges: JudgeService) -> None:
        self._db = db
        self._world = world
        self._queue = queue
        self._judges = judges

    async def certify(
        self, actor: Principal, project: str, name: str, new: NewCertificate
    ) -> Certificate:
        """Hold a judge against people on rows that they labelled. What does not fit is said now;
        the judge is asked by a job. Rows without a label are judged too: they are what makes the
        corrected score sharper than the labels alone."""
        judge = await self._judges.get(project, name, new.version)
        material = await self._material(project, new)
        _check(judge, material, new)
        await self._world.secret(project)
        facts = await self._judges.facts(judge)
        digest = hash_of(material.rows)
        plan: dict[str, Any] = {
            "judge": judge.model_dump(mode="json"), "rowset": digest, "words": new.words,
            "labels": [one.model_dump(mode="json") for one in material.labels],
            "slices": list(new.slices), "answer": new.answer,
            "prices": {model: one.prices for model, one in facts.items()},
            "served": {model: list(one.served) for model, one in facts.items()},
        }  # fmt: skip
        certificate = Certificate(
            id=record_id("crt"), project=project, judge=name, version=judge.version,
            content_hash=judge.content_hash, state="uncertified", reason="", progress="queued",
            dataset=material.dataset, dataset_version=material.version, question=new.question,
            labels=len(material.labels), raters=0, disputed=0, n=0,
            fingerprint=fingerprint_of(facts), max_age_days=new.max_age_days, issued_ms=now_ms(),
            issued_by=actor.label,
        )  # fmt: skip

        def write(c: sa.Connection) -> None:
            kept = [row.model_dump(mode="json", exclude_defaults=True) for row in material.rows]
            runs.put_rowset(c, project, material.dataset, digest, kept, now_ms())
            store.add_certificate(c, certificate, plan)
            self._queue.add(c, KIND, certificate.id, {"certificate": certificate.id})
            told: dict[str, Any] = {"project": project, "labels": len(material.labels)}
            audit(c, actor, "judge.certify", judge.ref, after=certificate, **told)

        await self._db.write(write)
        self._queue.wake()
        return certificate

    async def _material(self, project: str, new: NewCertificate) -> _Material:
        rows, name, version = await self._rows(project, new)
        labels = list(new.labels)
        if not labels:
            if not new.dataset:
                raise InvalidInput(
                    "a certificate needs labels of people: an annotated data set, or a file",
                    hint="stockpot eval judges certify NAME --dataset D",
                )
            said = await self._world.people.labels(project, name, new.question)
            labels = [HumanLabel(item=one.item, rater=one.rater, label=one.label, at_ms=one.at_ms)
                      for one in said]  # fmt: skip
        if not labels:
            raise InvalidInput(
                f"nobody has annotated {name!r} yet",
                hint=f"stockpot annotate create NAME --dataset {name}",
            )
        return _Material(rows, name, version, labels)

    async def _rows(self, project: str, new: NewCertificate) -> tuple[list[Row], str, int | None]:
        if new.rowset:
            found = await self._db.read(lambda c: runs.rowset(c, project, new.rowset))
            if found is None:
                raise NotFound(f"no rows with the hash {new.rowset!r}", hint="POST /evals/rowsets")
            return runs.rows_in(found[1]), found[0], None
        name, _, version = new.dataset.partition("@")
        if not name:
            raise InvalidInput("a certificate needs rows: name a data set, or bring rows")
        number = int(version) if version.isdigit() else None
        told = await self._world.datasets.rows(project, name, number, "")
        return list(told.rows), told.name, told.version


def _check(judge: Judge, material: _Material, new: NewCertificate) -> None:
    """Refuse what could give no certificate, before anything is paid for."""
    people = heard(judge, material.labels, new.words)
    known = {row.id: row for row in material.rows}
    shared = [known[item] for item in people.reference if item in known]
    if not shared:
        some = next(iter(people.ratings), "")
        raise InvalidInput(
            f"no label is about a row of {material.dataset!r}: the first is about {some!r}",
            hint="labels name rows by their id in 'item'",
        )
    for row in shared:
        subject = subject_of(judge, row, answer_in(row, new.answer))
        if not subject.output:
            raise InvalidInput(
                f"the row {row.id!r} holds no answer to judge",
                hint="--answer PATH, such as metadata.answer",
            )
        if why := lacking(judge, subject):
            raise InvalidInput(f"the row {row.id!r} cannot be judged: {why}")
