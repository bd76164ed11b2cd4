"""The tables of judges and all SQL on them. Functions work inside their caller's transaction.

A version never changes. A certificate keeps the plan that it was asked by and, when it is done, its
labelled rows: from them later scores are corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from stockpot.evals.judges.models import Certificate, CertificateRow, Judge
from stockpot.evals.store import packed, unpacked

metadata = sa.MetaData()

judges = sa.Table(
    "judges",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("content_hash", sa.String(64), nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("project", "name", "version"),
)
certificates = sa.Table(
    "judge_certificates",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("judge", sa.String(100), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("progress", sa.String(16), nullable=False),
    sa.Column("record", sa.JSON, nullable=False),
    sa.Column("plan", sa.LargeBinary, nullable=False),
    sa.Column("rows", sa.LargeBinary, nullable=False),
    sa.Column("issued_ms", sa.BigInteger, nullable=False),
    sa.Index("judge_certificates_by_judge", "project", "judge", "version", "id"),
)


def versions(c: sa.Connection, project: str, name: str | None = None) -> list[Judge]:
    """The versions of a judge, or of all of a project, newest first by name."""
    query = sa.select(judges.c.record).where(judges.c.project == project)
    if name is not None:
        query = query.where(judges.c.name == name)
    query = query.order_by(judges.c.name, judges.c.version.desc())
    return [Judge.model_validate(record) for record in c.scalars(query)]


def add_judge(c: sa.Connection, ident: str, judge: Judge) -> None:
    """A new version."""
    c.execute(
        sa.insert(judges).values(
            id=ident, project=judge.project, name=judge.name, version=judge.version,
            content_hash=judge.content_hash, record=judge.model_dump(mode="json"),
            created_ms=int(judge.created_ms),
        )
    )  # fmt: skip


def add_certificate(c: sa.Connection, certificate: Certificate, plan: dict[str, Any]) -> None:
    """A certificate that is to be made by a plan."""
    c.execute(
        sa.insert(certificates).values(
            id=certificate.id, project=certificate.project, judge=certificate.judge,
            version=certificate.version, progress=certificate.progress,
            record=certificate.model_dump(mode="json"), plan=packed(plan), rows=packed([]),
            issued_ms=int(certificate.issued_ms),
        )
    )  # fmt: skip


def set_certificate(
    c: sa.Connection, certificate: Certificate, rows: Sequence[CertificateRow] = ()
) -> None:
    """How far a certificate is, or what it says, with its labelled rows."""
    values = {"progress": certificate.progress, "record": certificate.model_dump(mode="json")}
    kept = packed([list(row) for row in rows])
    same = certificates.c.id == certificate.id
    c.execute(sa.update(certificates).where(same).values(**values, rows=kept))


def certificate_by_id(c: sa.Connection, ident: str) -> Certificate | None:
    """One certificate."""
    record = c.scalar(sa.select(certificates.c.record).where(certificates.c.id == ident))
    return None if record is None else Certificate.model_validate(record)


def plan_of(c: sa.Connection, ident: str) -> dict[str, Any]:
    """What a certificate is made by."""
    found: dict[str, Any] = unpacked(
        c.execute(sa.select(certificates.c.plan).where(certificates.c.id == ident)).scalar_one()
    )
    return found


def certified_on(c: sa.Connection, project: str, digest: str) -> list[str]:
    """The certificates that are made on rows with a hash."""
    query = sa.select(certificates.c.id, certificates.c.plan)
    query = query.where(certificates.c.project == project)
    return [row[0] for row in c.execute(query) if unpacked(row[1]).get("rowset") == digest]


def rows_of(c: sa.Connection, ident: str) -> list[CertificateRow]:
    """The labelled rows of a certificate."""
    found = c.execute(sa.select(certificates.c.rows).where(certificates.c.id == ident)).scalar_one()
    return [CertificateRow(*row) for row in unpacked(found)]


def certificates_of(
    c: sa.Connection, project: str, judge: str | None = None, version: int | None = None
) -> list[Certificate]:
    """The certificates of a judge, or of all of a project, newest first."""
    query = sa.select(certificates.c.record).where(certificates.c.project == project)
    if judge is not None:
        query = query.where(certificates.c.judge == judge)
    if version is not None:
        query = query.where(certificates.c.version == version)
    query = query.order_by(certificates.c.id.desc())
    return [Certificate.model_validate(record) for record in c.scalars(query)]


def newest_done(c: sa.Connection, project: str, judges_named: Sequence[str]) -> list[Certificate]:
    """The newest finished certificate of every version of some judges."""
    newest = (
        sa.select(sa.func.max(certificates.c.id))
        .where(
            certificates.c.project == project,
            certificates.c.judge.in_(list(judges_named)),
            certificates.c.progress == "done",
        )
        .group_by(certificates.c.judge, certificates.c.version)
    )
    query = sa.select(certificates.c.record).where(certificates.c.id.in_(newest))
    return [Certificate.model_validate(record) for record in c.scalars(query)]
