"""The tables of evaluations and all SQL on them. Functions work inside their caller's transaction.

Rows are kept once for each content (`eval_rowsets`), answers once for each call's content
(`eval_answers`), both compressed. A result stands at its place: row number x repeats + repeat.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
import zstandard

from stockpot.core.db import storable
from stockpot.evals.models import (
    OVER,
    GateResult,
    JudgeReport,
    Measured,
    Progress,
    Result,
    Row,
    Run,
    RunStep,
    Suite,
    SuiteSpec,
    Usage,
    Verdict,
)
from stockpot.evals.trusted import trusted

metadata = sa.MetaData()

suites = sa.Table(
    "eval_suites",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_ms", sa.BigInteger, nullable=False),
    sa.Column("updated_by", sa.String(400), nullable=False),
    sa.UniqueConstraint("project", "name"),
)
runs = sa.Table(
    "eval_runs",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("project", sa.String(63), nullable=False),
    sa.Column("suite", sa.String(100), nullable=False),
    sa.Column("spec", sa.JSON, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("runner", sa.String(16), nullable=False),
    sa.Column("dataset", sa.String(200), nullable=False),
    sa.Column("dataset_version", sa.Integer),
    sa.Column("dataset_hash", sa.String(64), nullable=False),
    sa.Column("arm", sa.JSON, nullable=False),
    sa.Column("prompt_name", sa.String(200), nullable=False),
    sa.Column("prompt_version", sa.String(40), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("error", sa.Text, nullable=False),
    sa.Column("progress", sa.JSON, nullable=False),
    sa.Column("estimate_nano", sa.BigInteger),
    sa.Column("prices", sa.JSON, nullable=False),
    sa.Column("repeat_calls", sa.Boolean, nullable=False),
    sa.Column("metrics", sa.JSON, nullable=False),
    sa.Column("judges", sa.JSON(none_as_null=True)),
    sa.Column("gate", sa.JSON(none_as_null=True)),
    sa.Column("gate_passed", sa.Boolean),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Column("started_ms", sa.BigInteger),
    sa.Column("finished_ms", sa.BigInteger),
    sa.Column("created_by", sa.String(400), nullable=False),
    sa.Index("eval_runs_by_project", "project", "id"),
    sa.Index("eval_runs_by_prompt", "project", "prompt_name", "prompt_version"),
)
results = sa.Table(
    "eval_results",
    metadata,
    sa.Column("run_id", sa.String(40), primary_key=True),
    sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("item", sa.String(200), nullable=False),
    sa.Column("repeat", sa.Integer, nullable=False),
    sa.Column("failed", sa.Boolean, nullable=False),
    sa.Column("result", sa.LargeBinary, nullable=False),
)
rowsets = sa.Table(
    "eval_rowsets",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True),
    sa.Column("project", sa.String(63), primary_key=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("rows", sa.Integer, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)
answers = sa.Table(
    "eval_answers",
    metadata,
    sa.Column("project", sa.String(63), primary_key=True),
    sa.Column("key", sa.LargeBinary(32), primary_key=True),
    sa.Column("answer", sa.LargeBinary, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
)

_AT_ONCE = 400
_FOLLOWED = 200
_NOT_SHOWN = ("prompt_name", "prompt_version", "prices", "repeat_calls", "gate_passed")
_SHOWN = [column for column in runs.c if column.name not in _NOT_SHOWN]
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class _Zstd(threading.local):
    """One context for each thread: to make one costs more than to pack a result."""

    def __init__(self) -> None:
        self.deflate = zstandard.ZstdCompressor(level=1).compress
        self.inflate = zstandard.ZstdDecompressor().decompress


_zstd = _Zstd()


def deflated(data: bytes) -> bytes:
    """Bytes, compressed."""
    return _zstd.deflate(data)


def inflated(data: bytes) -> bytes:
    """What `deflated` made."""
    return _zstd.inflate(data)


def packed(value: Any) -> bytes:
    """A value as compressed JSON."""
    return deflated(_encode(value))


def unpacked(data: bytes) -> Any:
    """What `packed` made."""
    return _decode(inflated(data))


# --- suites -----------------------------------------------------------------------------------


def list_suites(c: sa.Connection, project: str) -> tuple[Suite, ...]:
    """The suites of a project by name, each with its last run."""
    last = sa.select(runs.c.suite, sa.func.max(runs.c.id)).where(runs.c.project == project)
    newest = {row[0]: row[1] for row in c.execute(last.group_by(runs.c.suite))}
    query = sa.select(suites).where(suites.c.project == project).order_by(suites.c.name)
    return tuple(_suite(row, newest.get(row["name"])) for row in c.execute(query).mappings())


def suite_named(c: sa.Connection, project: str, name: str) -> Suite | None:
    """One suite."""
    return next((suite for suite in list_suites(c, project) if suite.spec.name == name), None)


def put_suite(c: sa.Connection, suite: Suite) -> None:
    """Write a suite, in the place of one of its name."""
    same = (suites.c.project == suite.project) & (suites.c.name == suite.spec.name)
    c.execute(sa.delete(suites).where(same))
    values = suite.model_dump(mode="json", exclude={"last_run"})
    times = {name: int(values[name]) for name in ("created_ms", "updated_ms")}
    c.execute(sa.insert(suites).values(**{**values, **times, "name": suite.spec.name}))


def remove_suite(c: sa.Connection, project: str, name: str) -> None:
    """Forget a suite; its runs stay."""
    same = (suites.c.project == project) & (suites.c.name == name)
    c.execute(sa.delete(suites).where(same))


def _suite(row: sa.RowMapping, last_run: str | None) -> Suite:
    values = {name: row[name] for name in ("id", "project", "created_ms", "updated_ms")}
    return Suite(
        **values, spec=SuiteSpec(**row["spec"]), updated_by=row["updated_by"], last_run=last_run
    )


# --- runs -------------------------------------------------------------------------------------


def add_run(c: sa.Connection, run: Run, prices: Mapping[str, Any], *, repeat_calls: bool) -> None:
    """A new run; `prices` are dollars per million tokens by model."""
    values = run.model_dump(mode="json")
    times = {name: _whole(values[name]) for name in ("created_ms", "started_ms", "finished_ms")}
    values |= {
        **times, "prices": dict(prices), "repeat_calls": repeat_calls, "gate_passed": None,
        "prompt_name": run.arm.get("prompt", ""),
        "prompt_version": str(run.arm.get("prompt_version", "")),
    }  # fmt: skip
    c.execute(sa.insert(runs).values(**values))


def run_by_id(c: sa.Connection, run_id: str) -> Run | None:
    """One run."""
    row = c.execute(sa.select(*_SHOWN).where(runs.c.id == run_id)).mappings().first()
    return _run(row) if row else None


def plan_of(c: sa.Connection, run_id: str) -> tuple[dict[str, Any], bool]:
    """Prices by model, and whether calls are asked again that the cache has."""
    row = c.execute(sa.select(runs.c.prices, runs.c.repeat_calls).where(runs.c.id == run_id)).one()
    return dict(row[0]), bool(row[1])


def list_runs(
    c: sa.Connection, project: str, suite: str | None, limit: int, before: str | None
) -> tuple[Run, ...]:
    """Runs of a project, newest first, older than `before`."""
    query = sa.select(*_SHOWN).where(runs.c.project == project).order_by(runs.c.id.desc())
    if suite is not None:
        query = query.where(runs.c.suite == suite)
    if before is not None:
        query = query.where(runs.c.id < before)
    return tuple(_run(row) for row in c.execute(query.limit(limit)).mappings())


def steps(
    c: sa.Connection, projects: frozenset[str] | None, watched: Sequence[str]
) -> tuple[RunStep, ...]:
    """Where the newest runs stand that go on, or are `watched`. Names no rows and no metrics."""
    newest = sa.select(runs.c.id).order_by(runs.c.id.desc()).limit(_FOLLOWED)
    if projects is not None:
        newest = newest.where(runs.c.project.in_(projects))
    told = [runs.c[name] for name in RunStep.model_fields]
    wanted = runs.c.state.not_in(OVER) | runs.c.id.in_(watched)
    query = sa.select(*told).where(runs.c.id.in_(newest), wanted).order_by(runs.c.id)
    return tuple(RunStep(**row) for row in c.execute(query).mappings())


def last_passed(c: sa.Connection, project: str, suite: str, before: str) -> str | None:
    """The newest run of a suite before another that passed its gate."""
    same = (runs.c.project == project) & (runs.c.suite == suite) & (runs.c.id < before)
    query = sa.select(sa.func.max(runs.c.id)).where(same, runs.c.gate_passed.is_(True))
    found: str | None = c.scalar(query)
    return found


def last_done(c: sa.Connection, project: str, suite: str, before: str | None = None) -> str | None:
    """The newest finished run of a suite, or the newest before another."""
    same = (runs.c.project == project) & (runs.c.suite == suite) & (runs.c.state == "done")
    earlier = sa.true() if before is None else runs.c.id < before
    found: str | None = c.scalar(sa.select(sa.func.max(runs.c.id)).where(same, earlier))
    return found


def proof_of(c: sa.Connection, project: str, prompt: str, version: str) -> str | None:
    """The newest run on a prompt's version, when it passed its gate."""
    same = (
        (runs.c.project == project)
        & (runs.c.prompt_name == prompt)
        & (runs.c.prompt_version == version)
        & runs.c.gate_passed.is_not(None)
    )
    query = sa.select(runs.c.id, runs.c.gate_passed).where(same).order_by(runs.c.id.desc()).limit(1)
    row = c.execute(query).first()
    return str(row[0]) if row is not None and row[1] else None


def set_run(c: sa.Connection, run_id: str, **values: Any) -> None:
    """Set columns of a run; records are written as JSON."""
    plain = {name: _plain(value) for name, value in values.items()}
    if isinstance(gate := values.get("gate"), GateResult):
        plain["gate_passed"] = gate.passed
    c.execute(sa.update(runs).where(runs.c.id == run_id).values(**plain))


def between(c: sa.Connection, project: str, from_ms: int, to_ms: int) -> list[tuple[str, Any]]:
    """Ids of runs made in a window, and whether their gate passed."""
    made = (runs.c.created_ms >= from_ms) & (runs.c.created_ms < to_ms)
    query = sa.select(runs.c.id, runs.c.gate_passed).where(runs.c.project == project, made)
    return [(row[0], row[1]) for row in c.execute(query)]


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, (GateResult, Progress)):
        return value.model_dump(mode="json")
    if isinstance(value, tuple):
        return [one.model_dump(mode="json") for one in value]
    return value


def _run(row: sa.RowMapping) -> Run:
    values = {name: row[name] for name in Run.model_fields}
    values["spec"] = SuiteSpec(**row["spec"])
    values["progress"] = Progress(**row["progress"])
    values["metrics"] = tuple(Measured(**one) for one in row["metrics"])
    values["judges"] = tuple(JudgeReport(**one) for one in row["judges"] or ())
    values["gate"] = GateResult(**row["gate"]) if row["gate"] else None
    return Run(**values)


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


# --- rows, results and answers ------------------------------------------------------------------


def put_rowset(c: sa.Connection, project: str, name: str, digest: str, rows: list[Any],
               now: int) -> None:  # fmt: skip
    """Keep rows under their hash, once."""
    same = (rowsets.c.hash == digest) & (rowsets.c.project == project)
    if c.execute(sa.select(rowsets.c.rows).where(same)).first() is None:
        c.execute(
            sa.insert(rowsets).values(
                hash=digest, project=project, name=name, rows=len(rows), content=packed(rows),
                created_ms=now,
            )
        )  # fmt: skip


def rowset(c: sa.Connection, project: str, digest: str) -> tuple[str, bytes] | None:
    """The name and the packed rows of a hash."""
    same = (rowsets.c.hash == digest) & (rowsets.c.project == project)
    row = c.execute(sa.select(rowsets.c.name, rowsets.c.content).where(same)).first()
    return (str(row[0]), bytes(row[1])) if row else None


def rows_in(content: bytes) -> list[Row]:
    """Packed rows as records. They were checked when they were packed."""
    return [trusted(Row, row) for row in unpacked(content)]


def rowsets_in(c: sa.Connection, project: str) -> list[tuple[str, int]]:
    """The hashes of a project's kept rows, and when they came."""
    query = sa.select(rowsets.c.hash, rowsets.c.created_ms).where(rowsets.c.project == project)
    return [(row[0], row[1]) for row in c.execute(query)]


def replace_rows(c: sa.Connection, project: str, digest: str, rows: list[Any]) -> None:
    """Keep other rows under a hash: what some of them said was erased."""
    same = (rowsets.c.hash == digest) & (rowsets.c.project == project)
    c.execute(sa.update(rowsets).where(same).values(content=packed(rows)))


def runs_on(c: sa.Connection, project: str, digest: str) -> list[str]:
    """The runs on rows with a hash."""
    same = (runs.c.project == project) & (runs.c.dataset_hash == digest)
    return list(c.scalars(sa.select(runs.c.id).where(same)))


def overwrite_what_goes(c: sa.Connection) -> None:
    """From now on pages keep no copy of what stood there."""
    if c.dialect.name == "sqlite":
        c.exec_driver_sql("PRAGMA secure_delete = ON")


def done_places(c: sa.Connection, run_id: str) -> set[int]:
    """The places of a run that have a result."""
    return set(c.scalars(sa.select(results.c.place).where(results.c.run_id == run_id)))


def put_results(c: sa.Connection, run_id: str, found: Sequence[tuple[int, Result]]) -> None:
    """Keep results, each in the place of an earlier one."""
    if not found:
        return
    places = [place for place, _ in found]
    for start in range(0, len(places), _AT_ONCE):
        part = results.c.place.in_(places[start : start + _AT_ONCE])
        c.execute(sa.delete(results).where(results.c.run_id == run_id, part))
    c.execute(
        sa.insert(results),
        [
            {"run_id": run_id, "place": place, "item": one.item, "repeat": one.repeat,
             "failed": bool(one.error), "result": _pack_result(one)}
            for place, one in found
        ],
    )  # fmt: skip


def results_of(
    c: sa.Connection, run_id: str, after: int = -1, limit: int | None = None,
    *, failed: bool | None = None,
) -> list[tuple[int, Result]]:  # fmt: skip
    """Results of a run in their order, after a place."""
    query = sa.select(results.c.place, results.c.result).where(
        results.c.run_id == run_id, results.c.place > after
    )
    if failed is not None:
        query = query.where(results.c.failed.is_(failed))
    query = query.order_by(results.c.place)
    if limit is not None:
        query = query.limit(limit)
    return [(place, _result(unpacked(data))) for place, data in c.execute(query)]


def drop_failed(c: sa.Connection, run_id: str) -> None:
    """Forget results that are failures, so that a resumed run tries them again."""
    failed = (results.c.run_id == run_id) & results.c.failed.is_(True)
    c.execute(sa.delete(results).where(failed))


def _pack_result(result: Result) -> bytes:
    left_out = {"input", "expected"}  # the rows have them
    return deflated(result.model_dump_json(exclude=left_out, exclude_defaults=True).encode())


def _result(told: dict[str, Any]) -> Result:
    """A result as it was packed. It was checked when it came."""
    scores = {name: _verdict(one) for name, one in told.get("scores", {}).items()}
    usage = trusted(Usage, told["usage"]) if "usage" in told else Usage()
    slices = tuple(told.get("slices", ()))
    return trusted(Result, {**told, "scores": scores, "usage": usage, "slices": slices})


def _verdict(told: dict[str, Any]) -> Verdict:
    if told.get("judgement") is not None:
        return Verdict.model_validate(told)
    return trusted(Verdict, told)


def known_answers(c: sa.Connection, project: str, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    """The packed answers that were kept for these calls."""
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), _AT_ONCE):
        part = answers.c.key.in_(keys[start : start + _AT_ONCE])
        query = sa.select(answers.c.key, answers.c.answer).where(answers.c.project == project, part)
        found.update((bytes(key), bytes(answer)) for key, answer in c.execute(query))
    return found


def put_answers(c: sa.Connection, project: str, found: Mapping[bytes, bytes], now: int) -> None:
    """Keep packed answers, each in the place of an earlier one."""
    if not found:
        return
    part = answers.c.key.in_(list(found))
    c.execute(sa.delete(answers).where(answers.c.project == project, part))
    c.execute(
        sa.insert(answers),
        [
            {"project": project, "key": key, "answer": answer, "created_ms": now}
            for key, answer in found.items()
        ],
    )


def forget_answers(c: sa.Connection, project: str, before_ms: int) -> int:
    """Remove answers that were kept before a time."""
    old = (answers.c.project == project) & (answers.c.created_ms < before_ms)
    return int(c.execute(sa.delete(answers).where(old)).rowcount)


def forget_answers_since(c: sa.Connection, project: str, since_ms: int) -> None:
    """Remove answers that were kept at a time or later."""
    late = (answers.c.project == project) & (answers.c.created_ms >= since_ms)
    c.execute(sa.delete(answers).where(late))
