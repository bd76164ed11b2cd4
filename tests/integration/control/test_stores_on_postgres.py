"""What judges, their answers and rightsizing keep, on Postgres: the planes of their own tests keep
it in SQLite."""

from __future__ import annotations

import os
from typing import Any

import pytest
import sqlalchemy as sa

from stockpot.core.db import migrate, open_database
from stockpot.evals import Result, Verdict, store
from stockpot.evals.judges import store as judging
from stockpot.evals.judges.models import Certificate, CertificateRow
from stockpot.evals.records import Estimated
from stockpot.pipelines.rightsize import store as rightsizing
from stockpot.pipelines.rightsize.models import RightsizeRun
from tests.postgres import fresh_database
from tests.unit.evals.test_judges import judge
from tests.unit.pipelines.made import found

pytestmark = pytest.mark.integration
BIG_MS = 1_900_000_000_123
"""Beyond 32 bits, in which SQLite alone does not care."""


def certificate(ident: str, version: int, **told: Any) -> Certificate:
    kappa = Estimated(value=0.6, low=0.45, high=0.75, n=60)
    return Certificate.model_validate({
        "id": ident, "project": "p", "judge": "j", "version": version, "content_hash": "h",
        "state": "uncertified", "reason": "", "progress": "done", "dataset": "d",
        "dataset_version": None, "question": "", "labels": 120, "raters": 2, "disputed": 0,
        "n": 60, "kappa": kappa, "issued_ms": BIG_MS, "issued_by": "Ána", **told,
    })  # fmt: skip


def keep_judges(c: sa.Connection) -> None:
    versions = [judge().model_copy(update={"version": n, "project": "p"}) for n in (1, 2)]
    for one in versions:
        judging.add_judge(c, f"id{one.version}", one.model_copy(update={"created_ms": BIG_MS}))
    assert [one.version for one in judging.versions(c, "p", "j")] == [2, 1]
    for ident, version, progress in (("c1", 1, "done"), ("c2", 1, "done"), ("c3", 2, "queued")):
        made = certificate(ident, version, progress=progress)
        judging.add_certificate(c, made, {"rows": ["ü", 1.5], "cost": 10**14})
    rows = [CertificateRow("a", 1.0, 0.5, 0.0), CertificateRow("b", 0.0, 0.5, 1.0)]
    judging.set_certificate(c, certificate("c2", 1, reason="held"), rows)
    assert judging.rows_of(c, "c2") == rows
    assert judging.plan_of(c, "c1") == {"rows": ["ü", 1.5], "cost": 10**14}
    (newest,) = judging.newest_done(c, "p", ["j", "k"])
    assert (newest.id, newest.reason, newest.issued_ms) == ("c2", "held", BIG_MS)
    assert [one.id for one in judging.certificates_of(c, "p", "j")] == ["c3", "c2", "c1"]


def keep_results(c: sa.Connection) -> None:
    key, other = os.urandom(32), os.urandom(32)
    for text in (b"first", b"second"):
        store.put_answers(c, "p", {key: text, other: b"\x00\xff"}, BIG_MS)
    assert store.known_answers(c, "p", [key, other]) == {key: b"second", other: b"\x00\xff"}
    assert store.forget_answers(c, "p", BIG_MS + 1) == 2
    store.put_rowset(c, "p", "d@1", "hash", [{"id": "1", "input": "q"}], BIG_MS)
    store.put_rowset(c, "p", "d@1", "hash", [{"id": "1", "input": "q"}], BIG_MS)
    kept = store.rowset(c, "p", "hash")
    assert kept is not None
    assert [row.id for row in store.rows_in(kept[1])] == ["1"]
    good = Result(item="1", output="a\x00b", scores={"s": Verdict(value=0.5)}, cost_nano=10**12)
    for outcome in (good, good.model_copy(update={"error": "away"})):
        store.put_results(c, "run", [(0, outcome), (1, good)])
    assert [place for place, _ in store.results_of(c, "run", failed=True)] == [0]
    store.drop_failed(c, "run")
    assert store.done_places(c, "run") == {1}
    ((_, back),) = store.results_of(c, "run")
    assert (back.output, back.cost_nano) == ("a\x00b", 10**12)


def keep_rightsizing(c: sa.Connection) -> RightsizeRun:
    runs = [found("p", word) for word in ("first", "über")]
    runs = [one.model_copy(update={"id": f"size_{n}", "created_ms": BIG_MS})
            for n, one in enumerate(runs)]  # fmt: skip
    for one in runs:
        rightsizing.add(c, one)
    assert rightsizing.listed(c, "p", 5) == (runs[1], runs[0])
    assert rightsizing.applied(c, "p") == ()
    told = {"spent_nano": 10**13, "finished_ms": BIG_MS, "arms": runs[0].arms[:1], "report": None}
    rightsizing.change(c, "size_1", error="503: a\x00b \ud800")  # what a vendor may answer
    failed = rightsizing.by_id(c, "size_1")
    assert failed is not None
    assert failed.error == "503: a\ufffdb ?"
    rightsizing.change(c, "size_1", error="")
    rightsizing.change(c, "size_0", experiment="exp", notes=("a", "b"), **told)
    (applied,) = rightsizing.applied(c, "p")
    assert (applied.spent_nano, applied.notes, len(applied.arms)) == (10**13, ("a", "b"), 1)
    assert rightsizing.by_id(c, "size_1") == runs[1]
    return applied


async def test_judges_results_and_rightsizing_are_kept_on_postgres_as_they_are() -> None:
    db = open_database(fresh_database())
    try:
        await db.write(migrate)
        await db.write(keep_judges)
        await db.write(keep_results)
        assert (await db.write(keep_rightsizing)).report is None
    finally:
        await db.close()
