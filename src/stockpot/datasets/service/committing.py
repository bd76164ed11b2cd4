"""Making the next version of a data set, inside one transaction. Knows rows; knows no role."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import jsonschema
import sqlalchemy as sa

from stockpot.core.clock import now_ms
from stockpot.core.errors import InvalidInput
from stockpot.datasets.content import MOST_BYTES, body_of, hash_of, id_of, version_hash
from stockpot.datasets.models import Added, Dataset, DatasetRow, DatasetVersion, NewRow
from stockpot.datasets.store import datasets as store
from stockpot.datasets.store import rows as row_store

MOST_HELD = 200_000
"""Rows of one version."""


class Committing:
    """One data set in a transaction that changes it."""

    def __init__(self, c: sa.Connection, dataset: Dataset) -> None:
        self._c = c
        self._dataset = dataset

    def put(self, rows: Sequence[NewRow], message: str, author: str) -> Added:
        """Add rows, and replace those whose ids are there; the last of equal ids counts."""
        checked(rows, self._dataset.input_schema, self._dataset.expected_schema)
        before = self._members()
        given: dict[str, tuple[NewRow, str]] = {}
        bodies: dict[str, str] = {}
        for number, row in enumerate(rows, 1):
            body = _body(number, row)
            digest = hash_of(body)
            bodies[digest] = body
            ident = row.id or id_of(row)
            if row.id is None and ident in before:
                digest = before[ident].hash  # it is there, perhaps out of another trace
            given[ident] = (row, digest)
        added = [ident for ident in given if ident not in before]
        changed = [
            ident for ident, (_, digest) in given.items()
            if ident in before and before[ident].hash != digest
        ]  # fmt: skip
        unchanged = len(rows) - len(added) - len(changed)
        if not added and not changed:
            return Added(version=None, added=0, changed=0, unchanged=unchanged)
        if len(before) + len(added) > MOST_HELD:
            raise InvalidInput(f"a data set may have at most {MOST_HELD} rows")
        number = store.take_number(self._c, self._dataset.id)
        row_store.end(self._c, self._dataset.id, number, changed)
        fresh = self._placed([*changed, *added], given, before, number)
        row_store.begin(self._c, fresh, {row["hash"]: bodies[row["hash"]] for row in fresh})
        now = {ident: member.hash for ident, member in before.items()}
        now |= {row["row_id"]: row["hash"] for row in fresh}
        counts = {"added": len(added), "changed": len(changed), "removed": 0}
        version = self._write(number, now, counts, message, author)
        return Added(version=version, added=len(added), changed=len(changed), unchanged=unchanged)

    def _placed(
        self,
        idents: Sequence[str],
        given: dict[str, tuple[NewRow, str]],
        before: dict[str, row_store.Member],
        number: int,
    ) -> list[dict[str, Any]]:
        """Rows to begin: one that takes another's place stands where that stood, others at the
        end."""
        last = max((member.position for member in before.values()), default=-1)
        fresh = []
        for ident in idents:
            row, digest = given[ident]
            known = before.get(ident)
            last += known is None
            fresh.append(self._row(ident, row, digest, number, known.position if known else last))
        return fresh

    def take(self, ids: Iterable[str], message: str, author: str) -> DatasetVersion | None:
        """Take rows out; None when there are none of these."""
        before = self._members()
        gone = [ident for ident in dict.fromkeys(ids) if ident in before]
        if not gone:
            return None
        number = store.take_number(self._c, self._dataset.id)
        row_store.end(self._c, self._dataset.id, number, gone)
        out = set(gone)
        now = {ident: member.hash for ident, member in before.items() if ident not in out}
        counts = {"added": 0, "changed": 0, "removed": len(gone)}
        return self._write(number, now, counts, message, author)

    def _members(self) -> dict[str, row_store.Member]:
        """The rows that are there now, while nobody else writes; another may have been faster."""
        store.lock(self._c, self._dataset.id)
        fresh = store.dataset_with(self._c, self._dataset.id)
        if fresh is None or fresh.version is None:
            return {}
        return row_store.members(self._c, fresh.id, fresh.version.number)

    def _row(
        self, ident: str, row: NewRow, digest: str, number: int, position: int
    ) -> dict[str, Any]:
        return {
            "dataset_id": self._dataset.id, "row_id": ident, "valid_from": number,
            "valid_to": None, "hash": digest, "position": position, "split": row.split,
            "source_trace": row.source_trace, "source_span": row.source_span,
        }  # fmt: skip

    def _write(
        self, number: int, now: dict[str, str], counts: dict[str, int], message: str, author: str
    ) -> DatasetVersion:
        version = DatasetVersion(
            id=f"{self._dataset.id}@{number}",
            dataset_id=self._dataset.id,
            number=number,
            content_hash=version_hash(now.items()),
            rows=len(now),
            message=message,
            author=author,
            created_ms=now_ms(),
            **counts,
        )
        store.add_version(self._c, version)
        return version


def checked(
    rows: Iterable[NewRow | DatasetRow],
    input_schema: dict[str, Any] | None,
    expected_schema: dict[str, Any] | None,
) -> None:
    """Refuse rows that do not meet the schemas, and schemas that are none."""
    checks = []
    for field, schema in (("input", input_schema), ("expected", expected_schema)):
        if not schema:
            continue
        try:
            jsonschema.Draft202012Validator.check_schema(schema)
        except jsonschema.SchemaError as bad:
            raise InvalidInput(f"{field}_schema is no JSON Schema: {bad.message}") from None
        checks.append((field, jsonschema.Draft202012Validator(schema)))
    for number, row in enumerate(rows, 1):
        for field, validator in checks:
            if field == "expected" and row.expected is None:
                continue
            fault = next(iter(validator.iter_errors(getattr(row, field))), None)
            if fault is not None:
                where = ".".join(str(part) for part in (field, *fault.absolute_path))
                raise InvalidInput(f"row {number}: {where}: {fault.message[:300]}")


def _body(number: int, row: NewRow) -> str:
    body = body_of(row)
    if len(body) > MOST_BYTES:
        raise InvalidInput(f"row {number} has {len(body)} bytes; at most {MOST_BYTES} are kept")
    return body
