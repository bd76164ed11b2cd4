"""The tables of scores and all SQL on them. Functions work inside their caller's transaction.

`scores` only grows. What a score is about is learned from the span log, perhaps later, and stands
beside it: in `score_targets` once for each target, in `score_edits` for each correction.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from stockpot.traces.models import Sight
from stockpot.traces.scores.models import Score, ScoreBy, ScoreFilter

metadata = sa.MetaData()


def _text(name: str, length: int, *, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), primary_key=primary_key, nullable=False)


scores = sa.Table(
    "scores",
    metadata,
    _text("project", 63, primary_key=True),
    _text("id", 120, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    _text("slot", 32),
    _text("trace_id", 32),
    _text("span_id", 16),
    _text("session", 200),
    _text("item", 80),
    _text("name", 100),
    sa.Column("value", sa.Float),
    _text("label", 200),
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("correction", sa.Text),
    _text("source", 16),
    _text("author", 400),
    _text("evaluator", 200),
    _text("evaluator_trace", 32),
    _text("queue", 40),
    sa.Column("weight", sa.Float, nullable=False, server_default="1"),
    sa.Column("retracted", sa.Boolean, nullable=False),
    sa.Column("created_ms", sa.BigInteger, nullable=False),
    sa.Index("scores_by_number", "project", "number"),
    sa.Index("scores_by_slot", "slot", "number"),
    sa.Index("scores_by_trace", "trace_id"),
)
targets = sa.Table(
    "score_targets",
    metadata,
    _text("project", 63, primary_key=True),
    _text("trace_id", 32, primary_key=True),
    _text("span_id", 16, primary_key=True),
    _text("session", 200, primary_key=True),
    _text("environment", 200),
    _text("key_id", 40),
    _text("user", 400),
    _text("model", 400),
    _text("prompt_name", 200),
    _text("prompt_version", 40),
    _text("variant", 200),
    sa.Column("start_ms", sa.Float, nullable=False),
    sa.Index("score_targets_by_prompt", "prompt_name", "prompt_version"),
)
exposures = sa.Table(
    "score_exposures",
    metadata,
    _text("project", 63, primary_key=True),
    _text("trace_id", 32, primary_key=True),
    _text("span_id", 16, primary_key=True),
    _text("session", 200, primary_key=True),
    _text("experiment", 300, primary_key=True),
    _text("variant", 300),
    _text("unit", 300),
    sa.Index("score_exposures_by_unit", "project", "experiment", "unit"),
)
edits = sa.Table(
    "score_edits",
    metadata,
    _text("project", 63, primary_key=True),
    _text("id", 120, primary_key=True),
    sa.Column("distance", sa.Integer, nullable=False),
    sa.Column("share", sa.Float, nullable=False),
)

TARGET = ("project", "trace_id", "span_id", "session")
"""What tells targets apart."""

_LEARNED = (
    "environment", "user", "model", "prompt_name", "prompt_version", "variant", "start_ms",
)  # fmt: skip
_OPTIONAL = ("span_id", "session", "item")
"""Empty in the table where a score has none."""

_AT_ONCE = 500
"""Ids in one statement: stores bound their parameters."""

_WHAT = scores.c.trace_id + scores.c.session
"""What a score is about, for counting: one of the two is given."""

_newer = scores.alias("newer")
_SUPERSEDED = sa.exists().where(
    _newer.c.slot == scores.c.slot, _newer.c.number > scores.c.number
)  # fmt: skip
_JOINED = scores.outerjoin(
    targets, sa.and_(*(targets.c[name] == scores.c[name] for name in TARGET))
).outerjoin(edits, sa.and_(edits.c.project == scores.c.project, edits.c.id == scores.c.id))


class Page(NamedTuple):
    """Scores and the number to go on from, None at the end."""

    items: tuple[Score, ...]
    next: int | None


class Waiting(NamedTuple):
    """Something to be learned from the span log. `correction` waits for the output it corrects."""

    id: str
    number: int
    target: tuple[str, ...]
    known: bool
    correction: str | None


def add(c: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Append."""
    c.execute(sa.insert(scores), list(rows))


def with_ids(c: sa.Connection, project: str, ids: Iterable[str]) -> dict[str, Score]:
    """Those of these scores that are there."""
    found = _select(c, (scores.c.project == project) & scores.c.id.in_(list(ids)))
    return {score.id: score for score in found}


def page(
    c: sa.Connection, where: ScoreFilter, sight: Sight | None, before: int | None, limit: int
) -> Page:
    """Scores, newest first, written before the number `before`."""
    terms = _terms(where, sight)
    if before is not None:
        terms.append(scores.c.number < before)
    query = sa.select(scores.c.number).select_from(_JOINED).where(*terms)
    query = query.order_by(scores.c.number.desc()).limit(limit + 1)
    numbers = list(c.scalars(query))
    more = len(numbers) > limit
    shown = numbers[:limit]
    if not shown:
        return Page((), None)
    bounds = scores.c.number.between(shown[-1], shown[0])
    return Page(_select(c, sa.and_(bounds, *terms)), shown[-1] if more else None)


def of_traces(c: sa.Connection, project: str, trace_ids: Sequence[str]) -> tuple[Score, ...]:
    """The scores that hold of some traces, newest first."""
    about = scores.c.trace_id.in_(list(trace_ids))
    return _select(c, sa.and_(*_terms(ScoreFilter(project=project), None), about))


def summarised(
    c: sa.Connection, where: ScoreFilter, sight: Sight | None, by: ScoreBy, limit: int
) -> list[sa.RowMapping]:
    """One row for each name and group, the most numerous first."""
    keys = _keys(by)
    value = scores.c.value
    weight = sa.case((value.is_not(None), scores.c.weight), else_=None)
    query = sa.select(
        scores.c.name.label("name"),
        *keys,
        sa.func.count().label("n"),
        sa.func.count(value).label("numbers"),
        sa.func.sum(sa.case((value >= 0.5, 1), else_=0)).label("positive"),
        sa.func.count(sa.distinct(_WHAT)).label("traces"),
        sa.func.sum(weight).label("weight"),
        (sa.func.sum(weight * value) / sa.func.sum(weight)).label("mean"),
        sa.func.sum(weight * value * value).label("squares"),
        sa.func.min(value).label("least"),
        sa.func.max(value).label("most"),
        sa.func.count(scores.c.correction).label("corrections"),
        sa.func.sum(sa.case((scores.c.comment != "", 1), else_=0)).label("comments"),
        sa.func.count(edits.c.share).label("edits"),
        sa.func.avg(edits.c.share).label("mean_edit_share"),
        sa.func.sum(edits.c.share * edits.c.share).label("edit_squares"),
    )
    query = query.select_from(_JOINED).where(*_terms(where, sight))
    query = query.group_by(*_grouped(by)).order_by(sa.func.count().desc()).limit(limit)
    return list(c.execute(query).mappings())


def labelled(
    c: sa.Connection, where: ScoreFilter, sight: Sight | None, by: ScoreBy, limit: int
) -> list[sa.RowMapping]:
    """How often each label was given, by the same groups."""
    keys = _keys(by)
    query = sa.select(scores.c.name, *keys, scores.c.label, sa.func.count().label("n"))
    query = query.select_from(_JOINED).where(scores.c.label != "", *_terms(where, sight))
    query = query.group_by(*_grouped(by), scores.c.label).order_by(sa.func.count().desc())
    return list(c.execute(query.limit(limit)).mappings())


def judged(
    c: sa.Connection, where: ScoreFilter, sight: Sight | None, by: ScoreBy, limit: int
) -> list[sa.RowMapping]:
    """The judges behind the scores of each group."""
    mine = (scores.c.source == "judge") | scores.c.evaluator.like("judge:%")
    columns = (scores.c.name, *_keys(by), scores.c.project, scores.c.evaluator)
    query = sa.select(*columns).select_from(_JOINED).where(mine, *_terms(where, sight))
    groups = (*_grouped(by), scores.c.project, scores.c.evaluator)
    return list(c.execute(query.group_by(*groups).limit(limit)).mappings())


def rated(
    c: sa.Connection, where: ScoreFilter, sight: Sight | None, by: ScoreBy, limit: int
) -> list[sa.RowMapping]:
    """How many traces and sessions have any of these scores, group by group."""
    keys = _keys(by)
    query = sa.select(*keys, sa.func.count(sa.distinct(_WHAT)).label("n"))
    query = query.select_from(_JOINED).where(*_terms(where, sight))
    return list(c.execute(query.group_by(*(key.element for key in keys)).limit(limit)).mappings())


def waiting(
    c: sa.Connection, project: str | None, since_ms: int, limit: int, before: int | None = None
) -> list[Waiting]:
    """Scores whose target, or whose corrected output, the span log has not told yet; newest first,
    written before the number `before`."""
    unknown = targets.c.project.is_(None) & ((scores.c.trace_id != "") | (scores.c.session != ""))
    uncounted = scores.c.correction.is_not(None) & edits.c.id.is_(None) & (scores.c.trace_id != "")
    columns = [scores.c[name] for name in ("id", "number", *TARGET, "correction")]
    query = sa.select(*columns, targets.c.project.label("known")).select_from(_JOINED)
    query = query.where(scores.c.number >= since_ms * 1000, sa.or_(unknown, uncounted))
    if before is not None:
        query = query.where(scores.c.number < before)
    if project is not None:
        query = query.where(scores.c.project == project)
    rows = c.execute(query.order_by(scores.c.number.desc()).limit(limit)).mappings()
    return [
        Waiting(
            row["id"],
            row["number"],
            tuple(row[name] for name in TARGET),
            row["known"] is not None,
            row["correction"] if row["trace_id"] else None,
        )
        for row in rows
    ]


def learn(
    c: sa.Connection,
    known: Sequence[dict[str, Any]],
    counted: Sequence[dict[str, Any]],
    exposed: Sequence[dict[str, Any]] = (),
) -> None:
    """Put down what the span log told; what another process put down meanwhile stays."""
    for table, rows in ((targets, known), (edits, counted), (exposures, exposed)):
        keys = [column.name for column in table.primary_key]
        for row in rows:
            same = sa.and_(*(table.c[key] == row[key] for key in keys))
            if c.scalar(sa.select(sa.literal(1)).where(sa.exists().where(same))) is None:
                c.execute(sa.insert(table).values(**row))


def unit_means(
    c: sa.Connection, project: str, experiment: str, name: str, source: str | None, since_ms: float
) -> list[tuple[str, str, int, float]]:
    """Of each unit of an experiment that has scores of a name: the unit, its arm, how many scores
    there are, and their mean; of one source, or of all."""
    where = ScoreFilter(project=project, name=name)
    terms = [*_terms(where, None), exposures.c.experiment == experiment]
    terms += [scores.c.value.is_not(None), scores.c.created_ms >= since_ms]
    if source is not None:
        terms.append(scores.c.source == source)
    same = sa.and_(*(exposures.c[key] == scores.c[key] for key in TARGET))
    query = (
        sa.select(
            exposures.c.unit, exposures.c.variant, sa.func.count(), sa.func.avg(scores.c.value)
        )
        .select_from(scores.join(exposures, same))
        .where(*terms)
        .group_by(exposures.c.unit, exposures.c.variant)
    )
    return [(row[0], row[1], row[2], float(row[3])) for row in c.execute(query)]


def forget(c: sa.Connection, project: str, trace_ids: Sequence[str]) -> int:
    """Erase everything about some traces; returns how many scores there were."""
    gone = 0
    for start in range(0, len(trace_ids), _AT_ONCE):
        some = list(trace_ids[start : start + _AT_ONCE])
        about = (scores.c.project == project) & scores.c.trace_id.in_(some)
        mine = sa.select(scores.c.id).where(about)
        c.execute(sa.delete(edits).where(edits.c.project == project, edits.c.id.in_(mine)))
        for table in (targets, exposures):
            theirs = (table.c.project == project) & table.c.trace_id.in_(some)
            c.execute(sa.delete(table).where(theirs))
        gone += c.execute(sa.delete(scores).where(about)).rowcount
    return gone


def _select(c: sa.Connection, which: sa.ColumnElement[bool]) -> tuple[Score, ...]:
    learned = [targets.c[name].label(f"t_{name}") for name in _LEARNED]
    query = sa.select(
        scores, _SUPERSEDED.label("superseded"), *learned, edits.c.distance, edits.c.share
    )
    query = query.select_from(_JOINED).where(which).order_by(scores.c.number.desc())
    return tuple(_score(row) for row in c.execute(query).mappings())


def _score(row: sa.RowMapping) -> Score:
    kept = [name for name in Score.model_fields if name in scores.c and name not in _OPTIONAL]
    learned = {name: row[f"t_{name}"] for name in _LEARNED if row[f"t_{name}"] is not None}
    return Score(
        **{name: row[name] for name in kept},
        **{name: row[name] or None for name in _OPTIONAL},
        **learned,
        superseded=bool(row["superseded"]),
        edit_distance=row["distance"],
        edit_share=row["share"],
    )


_OF_SCORE = ("trace_id", "span_id", "session", "item", "name", "source", "author", "evaluator",
             "queue", "label", "project")  # fmt: skip
_OF_TARGET = ("prompt_name", "prompt_version", "model", "user", "variant", "environment")


def _terms(where: ScoreFilter, sight: Sight | None) -> list[sa.ColumnElement[bool]]:
    terms: list[sa.ColumnElement[bool]] = []
    for table, names in ((scores, _OF_SCORE), (targets, _OF_TARGET)):
        for name in names:
            if (value := getattr(where, name)) is not None:
                terms.append(table.c[name] == (value.lower() if name in _HEX else value))
    for value, column, holds in (
        (where.min_value, scores.c.value, operator.ge),
        (where.max_value, scores.c.value, operator.le),
        (where.from_ms, scores.c.created_ms, operator.ge),
        (where.to_ms, scores.c.created_ms, operator.lt),
    ):
        if value is not None:
            terms.append(holds(column, value))
    if where.by_people is not None:
        people = scores.c.source.in_(("human", "end_user"))
        terms.append(people if where.by_people else ~people)
    if where.annotated is not None:
        terms.append((scores.c.queue != "") == where.annotated)
    if where.commented is not None:
        terms.append((scores.c.comment != "") == where.commented)
    if where.corrected is not None:
        terms.append(scores.c.correction.is_not(None) == where.corrected)
    if not where.history:
        terms += [~_SUPERSEDED, ~scores.c.retracted]
    if sight is not None:
        own = targets.c.key_id.in_(sorted(sight.keys))
        terms.append(sa.or_(scores.c.project.in_(sorted(sight.projects)), own))
    return terms


_HEX = ("trace_id", "span_id")
_DAY_MS: sa.ColumnElement[int] = sa.literal_column("86400000")
_NOTHING: sa.ColumnElement[str] = sa.literal_column("''")
"""Written into the query: Postgres takes no parameter for part of what it groups by."""


def _keys(by: ScoreBy) -> list[sa.Label[Any]]:
    """The columns of a group, by the names that a summary tells."""
    match by:
        case "name":
            return []
        case "prompt":
            names = ("prompt_name", "prompt_version")
            return [sa.func.coalesce(targets.c[name], _NOTHING).label(name) for name in names]
        case "source" | "author":
            return [scores.c[by].label(by)]
        case "day":
            return [(scores.c.created_ms - scores.c.created_ms % _DAY_MS).label("day")]
        case _:
            return [sa.func.coalesce(targets.c[by], _NOTHING).label(by)]


def _grouped(by: ScoreBy) -> list[sa.ColumnElement[Any]]:
    return [scores.c.name, *(key.element for key in _keys(by))]
