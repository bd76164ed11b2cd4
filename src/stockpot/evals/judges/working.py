"""Making certificates: a handler of durable jobs. Knows the store and the gateway.

A certificate's plan stands in the store; what was answered before is taken from what is kept, so
that a job which goes on after a crash asks only what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict
from stockpot.core.jobs import Work
from stockpot.core.transactions import StoreAway
from stockpot.evals import store as runs
from stockpot.evals.clients import run_header
from stockpot.evals.engine import slices_at
from stockpot.evals.judges import store
from stockpot.evals.judges.asking import Asking, ClientOf
from stockpot.evals.judges.certifying import People, compared, expires_ms, heard
from stockpot.evals.judges.counting import tallied
from stockpot.evals.judges.keeping import KeptAnswers
from stockpot.evals.judges.models import Certificate, HumanLabel, Judge
from stockpot.evals.judges.subjects import answer_in, subject_of
from stockpot.evals.models import Row
from stockpot.evals.records import Judgement

KIND = "evals.certify"
"""The kind of job that makes a certificate."""
_AT_ONCE = 500


class CertifyJobs:
    """Makes certificates."""

    def __init__(self, db: Database, client_of: ClientOf) -> None:
        self._db = db
        self._client_of = client_of

    async def handle(self, work: Work) -> None:
        """One certificate, from its plan to its figures."""
        ident = work.job.subject
        certificate = await self._db.read(lambda c: store.certificate_by_id(c, ident))
        if certificate is None or certificate.progress == "done":
            return
        running = certificate.model_copy(update={"progress": "running"})
        await self._db.write(lambda c: store.set_certificate(c, running))
        try:
            work.begin()
            await self._make(work, running)
        except StoreAway:
            raise
        except Exception as bad:
            said = {"progress": "failed", "error": f"{type(bad).__name__}: {bad}"[:2000]}
            failed = running.model_copy(update=said)
            await self._db.write(lambda c: store.set_certificate(c, failed))
            raise

    async def _make(self, work: Work, certificate: Certificate) -> None:
        plan = await self._db.read(lambda c: store.plan_of(c, certificate.id))
        judge = Judge.model_validate(plan["judge"])
        rows = await self._db.read(lambda c: _rows(c, certificate.project, plan["rowset"]))
        labels = [HumanLabel.model_validate(one) for one in plan["labels"]]
        people = heard(judge, labels, plan["words"])
        judgements = await self._asked(work, certificate.project, judge, rows, plan)
        if work.stop.is_set():
            return
        slices = {row.id: slices_at(row, plan["slices"]) for row in rows}
        await self._keep(certificate, judge, people, judgements, slices)

    async def _asked(
        self, work: Work, project: str, judge: Judge, rows: Sequence[Row], plan: Mapping[str, Any]
    ) -> list[Judgement]:
        client = await self._client_of(project)
        client.headers.update(run_header(work.job.subject))
        prices = {name: tuple(p) if p else None for name, p in plan["prices"].items()}
        asking = Asking(
            client, KeptAnswers(self._db, project), prices=prices,
            served=plan["served"],
        )  # fmt: skip
        found: list[Judgement] = []
        try:
            subjects = [subject_of(judge, row, answer_in(row, plan["answer"])) for row in rows]
            for start in range(0, len(subjects), _AT_ONCE):
                if work.stop.is_set():
                    break
                found += await asking.judge(judge, subjects[start : start + _AT_ONCE])
        finally:
            await client.aclose()
        return found

    async def _keep(
        self, certificate: Certificate, judge: Judge, people: People,
        judgements: Sequence[Judgement], slices: Mapping[str, Sequence[str]],
    ) -> None:  # fmt: skip
        beside = compared(judge, people, judgements, slices)
        now = now_ms()
        done = certificate.model_copy(
            update={
                "progress": "done", "issued_ms": now, "labels": people.labels,
                "raters": people.raters, "disputed": people.disputed, "n": beside.overall.n,
                "kappa": beside.overall.kappa, "accuracy": beside.overall.accuracy,
                "alpha": beside.overall.alpha, "slices": beside.slices,
                "ceiling": beside.ceiling, "corrected": beside.corrected,
                "tally": tallied(judgements), "labels_ms": people.median_ms,
                "expires_ms": expires_ms(people.median_ms, now, certificate.max_age_days),
            }
        )  # fmt: skip
        await self._db.write(lambda c: store.set_certificate(c, done, beside.rows))


def _rows(c: sa.Connection, project: str, digest: str) -> list[Row]:
    found = runs.rowset(c, project, digest)
    if found is None:
        raise Conflict("the rows of the certificate are not there any more")
    return runs.rows_in(found[1])
