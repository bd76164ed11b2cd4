"""The verbs of scores: write, ask, sum up. Knows the span log, to learn what a score is about.

What a score is about may arrive after it: then the score is there at once, and its prompt, model
and edit distance follow as soon as the span does.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand_project
from stockpot.core.clock import now_ms
from stockpot.core.db import Database
from stockpot.core.errors import Conflict, InvalidInput, StockpotError
from stockpot.core.ids import record_id
from stockpot.traces.badges import Badge, Certifying, is_judge, unmeasured
from stockpot.traces.models import Sight, Span, TraceFilter
from stockpot.traces.scores import store
from stockpot.traces.scores.distance import edit_distance, edit_share
from stockpot.traces.scores.models import (
    NewScore,
    Score,
    ScoreBy,
    ScoreFilter,
    ScorePage,
    ScoreSummary,
    Written,
)
from stockpot.traces.scores.output import output_text
from stockpot.traces.service import SpanLog

_log = logging.getLogger("stockpot.scores")

Projects = Callable[[sa.Connection], tuple[str, ...]]
"""The names of all projects; the composition root knows who tells them."""

_LEARN_FOR_MS = 2 * 86_400_000
"""How long a score waits for its span."""

_LEARN_AT_ONCE = 500
_RETRIES = 50_000
"""Targets of which it is remembered when they are asked for again."""
_WATCH_EVERY_S = 20.0
_GROUPS = 2000
_LABELS = 20
_IN_SLOT = ("project", "trace_id", "span_id", "session", "item", "name", "source", "author",
            "evaluator", "queue")  # fmt: skip


class ScoreService:
    """Scores of every project, in the control plane's store."""

    def __init__(self, db: Database, spans: SpanLog, projects: Projects) -> None:
        self._db = db
        self._spans = spans
        self._projects = projects
        self._certifying: Certifying | None = None
        self._last = 0
        self._retry: dict[tuple[str, ...], tuple[float, float]] = {}

    def certify_with(self, certifying: Certifying) -> None:
        """Who knows the certificates of judges; the composition root tells."""
        self._certifying = certifying

    async def write(self, new: Sequence[NewScore], actor: Principal | None = None) -> Written:
        """Write all or none. A score whose id is there with the same content is a repetition and
        changes nothing; with other content it is refused. With an `actor`, who must be an editor of
        the projects, the write is audited."""
        return await self._db.write(lambda c: self.write_within(c, new, actor))

    def write_within(
        self, c: sa.Connection, new: Sequence[NewScore], actor: Principal | None = None
    ) -> Written:
        """The same inside a transaction of the caller's: for what must not stand without its
        scores."""
        given = [_whole(score) for score in new]
        repeated: list[str] = []
        _check_projects(actor, {score.project for score in given}, self._projects(c))
        fresh = self._fresh(c, given, repeated)
        if fresh:
            store.add(c, [self._row(score) for score in fresh])
        for project in sorted({score.project for score in fresh} if actor else ()):
            mine = [score for score in fresh if score.project == project]
            told: dict[str, Any] = {"project": project, "count": len(mine)}
            told["names"] = _names(mine)
            assert actor is not None
            audit(c, actor, "score.write", mine[0].id or "", after=mine[0], **told)
        return Written(ids=tuple(score.id or "" for score in given), repeated=tuple(repeated))

    async def query(
        self,
        where: ScoreFilter,
        cursor: str | None = None,
        limit: int = 100,
        sight: Sight | None = None,
    ) -> ScorePage:
        """One page, newest first."""
        await self.learn(where.project)
        before = _position(cursor)
        found = await self._db.read(lambda c: store.page(c, where, sight, before, limit))
        items = await self._with_badges(found.items)
        return ScorePage(items=items, next_cursor=_cursor(found.next))

    async def summary(
        self,
        where: ScoreFilter,
        by: ScoreBy = "prompt",
        sight: Sight | None = None,
    ) -> tuple[ScoreSummary, ...]:
        """The scores of each name, told apart by prompt version or something else."""
        await self.learn(where.project)

        judges = await self._judges(where, by, sight)

        def work(c: sa.Connection) -> tuple[ScoreSummary, ...]:
            labels: dict[tuple[str, ...], dict[str, int]] = {}
            for row in store.labelled(c, where, sight, by, _GROUPS):
                of_group = labels.setdefault(_key(row, by), {})
                if len(of_group) < _LABELS:
                    of_group[row["label"]] = row["n"]
            rows = store.summarised(c, where, sight, by, _GROUPS)
            return tuple(
                _summary(row, by, labels.get(_key(row, by), {})).model_copy(
                    update={"badges": judges.get(_key(row, by), ())}
                )
                for row in rows
            )

        return await self._db.read(work)

    async def rated(
        self, where: ScoreFilter, by: ScoreBy = "prompt", sight: Sight | None = None
    ) -> dict[tuple[str, ...], int]:
        """How many traces and sessions have any of these scores, by the values of a summary's
        key."""
        names = _KEYS.get(by, (by,))
        rows = await self._db.read(lambda c: store.rated(c, where, sight, by, _GROUPS))
        return {tuple(str(row[name]) for name in names): row["n"] for row in rows}

    async def of_traces(self, project: str, trace_ids: Sequence[str]) -> dict[str, list[Score]]:
        """The scores that hold of each of some traces, newest first."""
        await self.learn(project)
        found: dict[str, list[Score]] = {}
        for start in range(0, len(trace_ids), _LEARN_AT_ONCE):
            some = trace_ids[start : start + _LEARN_AT_ONCE]
            for score in await self._db.read(
                partial(store.of_traces, project=project, trace_ids=some)
            ):
                found.setdefault(score.trace_id, []).append(score)
        return found

    async def unit_means(
        self, project: str, experiment: str, name: str, source: str | None, since_ms: float
    ) -> list[tuple[str, str, int, float]]:
        """The scores of a name (of one source, or of all) by the units of an experiment: unit, arm,
        how many, their mean."""
        await self.learn(project)
        return await self._db.read(
            lambda c: store.unit_means(c, project, experiment, name, source, since_ms)
        )

    async def judges_behind(
        self, where: ScoreFilter, sight: Sight | None = None
    ) -> tuple[Badge, ...]:
        """The certificates of the judges among those who gave some scores."""
        found = await self._judges(where, "name", sight)
        return tuple(dict.fromkeys(badge for badges in found.values() for badge in badges))

    async def _with_badges(self, some: Sequence[Score]) -> tuple[Score, ...]:
        """Scores, those of judges with their certificates beside them."""
        asked: dict[str, set[str]] = {}
        for one in some:
            if is_judge(one.source, one.evaluator):
                asked.setdefault(one.project, set()).add(one.evaluator)
        told = {project: await self._badges(project, refs) for project, refs in asked.items()}
        return tuple(
            one.model_copy(update={"badge": told[one.project][one.evaluator]})
            if is_judge(one.source, one.evaluator)
            else one
            for one in some
        )

    async def _badges(self, project: str, refs: Collection[str]) -> Mapping[str, Badge]:
        if self._certifying is None:
            return {ref: unmeasured(ref) for ref in refs}
        return await self._certifying.badges(project, refs)

    async def _judges(
        self, where: ScoreFilter, by: ScoreBy, sight: Sight | None
    ) -> dict[tuple[str, ...], tuple[Badge, ...]]:
        """The certificates of the judges in each group of a summary."""
        rows = await self._db.read(lambda c: store.judged(c, where, sight, by, _GROUPS))
        asked: dict[str, set[str]] = {}
        for row in rows:
            asked.setdefault(row["project"], set()).add(row["evaluator"])
        told = {project: await self._badges(project, refs) for project, refs in asked.items()}
        found: dict[tuple[str, ...], tuple[Badge, ...]] = {}
        for row in rows:
            badge = told[row["project"]][row["evaluator"]]
            there = found.get(_key(row, by), ())
            found[_key(row, by)] = there if badge in there else (*there, badge)
        return found

    async def watch(self) -> None:
        """Learn what scores are about, for ever, also while nobody asks."""
        while True:
            await asyncio.sleep(_WATCH_EVERY_S)
            try:
                await self.learn_all()
            except Exception:
                _log.exception("learning what scores are about failed; trying again")

    async def forget(self, project: str, trace_ids: Sequence[str]) -> int:
        """Erase all scores of some traces, as their erasure demands; returns how many."""
        return await self._db.write(lambda c: store.forget(c, project, trace_ids))

    async def learn(self, project: str | None = None) -> int:
        """Ask the span log about the targets of the newest scores that wait for them; returns how
        many were found. A target that is not there is asked for again, ever more rarely."""
        since = now_ms() - _LEARN_FOR_MS
        found = await self._db.read(lambda c: store.waiting(c, project, since, _LEARN_AT_ONCE))
        return await self._learn(found)

    async def learn_all(self) -> int:
        """The same for every score that waits, however many newer ones wait for what never
        comes."""
        since, before, learned = now_ms() - _LEARN_FOR_MS, None, 0
        while True:
            read = partial(store.waiting, project=None, since_ms=since, limit=_LEARN_AT_ONCE,
                           before=before)  # fmt: skip
            found = await self._db.read(read)
            learned += await self._learn(found)
            if len(found) < _LEARN_AT_ONCE:
                return learned
            before = found[-1].number

    async def _learn(self, found: Sequence[store.Waiting]) -> int:
        now = time.monotonic()
        due = [one for one in found if self._retry.get(one.target, (0.0, 0.0))[0] <= now]
        if not due:
            return 0
        known, counted, exposed = await asyncio.to_thread(self._ask, due)
        self._remember(due, {_target_of(row) for row in known}, now)
        if known or counted:
            await self._db.write(lambda c: store.learn(c, known, counted, exposed))
        return len(known)

    def _fresh(
        self, c: sa.Connection, given: Sequence[NewScore], repeated: list[str]
    ) -> list[NewScore]:
        """Those that are not there yet, each once."""
        fresh: dict[tuple[str, str], NewScore] = {}
        for project in {score.project for score in given}:
            mine = {score.id or "": score for score in given if score.project == project}
            there = store.with_ids(c, project, mine)
            for score in (score for score in given if score.project == project):
                ident = score.id or ""
                before = there.get(ident) or fresh.get((project, ident))
                if before is None:
                    fresh[project, ident] = score
                elif _content(before) == _content(score):
                    repeated.append(ident)
                else:
                    raise Conflict(
                        f"there is a score {ident!r} with another content",
                        hint="leave the id out: a newer score takes the place of the older one",
                    )
        return list(fresh.values())

    def _row(self, score: NewScore) -> dict[str, Any]:
        now_us = time.time_ns() // 1000
        self._last = max(now_us, self._last + 1)  # what was written later is newer
        row = score.model_dump()
        for name in ("span_id", "session", "item"):
            row[name] = row[name] or ""
        told = "\0".join(row[name] for name in _IN_SLOT)
        slot = hashlib.blake2b(told.encode(), digest_size=16).hexdigest()
        return {**row, "number": self._last, "slot": slot, "created_ms": now_us // 1000}

    # --- what the span log knows ------------------------------------------------------------------

    def _ask(
        self, due: Iterable[store.Waiting]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
        known: dict[tuple[str, ...], dict[str, Any]] = {}
        counted: list[dict[str, Any]] = []
        exposed: list[dict[str, Any]] = []
        for one in due:
            project, trace_id, span_id, session = one.target
            spans = self._spans_of(project, trace_id, session)
            about = _about(spans, span_id)
            if about is None:
                continue
            if not one.known and one.target not in known:
                known[one.target] = _learned(one.target, about, spans)
                exposed += _exposed(one.target, about, spans)
            if one.correction is not None:
                counted += self._counted(one.id, about, one.correction)
        return list(known.values()), counted, exposed

    def _spans_of(self, project: str, trace_id: str, session: str) -> tuple[Span, ...]:
        try:
            if trace_id:
                return self._spans.trace(trace_id, project).spans
            where = TraceFilter(project=project, session=session)
            return tuple(row.root for row in self._spans.traces(where, limit=50).items)
        except StockpotError:
            return ()

    def _counted(self, ident: str, about: Span, correction: str) -> list[dict[str, Any]]:
        if about.payload not in ("full", "masked"):
            return []
        body = self._spans.payload(about.trace_id, about.span_id, about.project).response
        output = output_text(body)
        share = edit_share(output, correction)
        distance = edit_distance(output, correction)
        return [{"project": about.project, "id": ident, "distance": distance, "share": share}]

    def _remember(
        self, asked: Iterable[store.Waiting], found: set[tuple[str, ...]], now: float
    ) -> None:
        if len(self._retry) > _RETRIES:
            self._retry.clear()
        for one in asked:
            if one.target in found and one.correction is None:
                self._retry.pop(one.target, None)
                continue
            pause = min(600.0, 2 * self._retry.get(one.target, (0.0, 0.25))[1])
            self._retry[one.target] = (now + pause, pause)


def _whole(score: NewScore) -> NewScore:
    """With an id, and ids of traces as the span log spells them."""
    return score.model_copy(
        update={
            "id": score.id or record_id("scr"),
            "trace_id": score.trace_id.lower(),
            "span_id": score.span_id.lower() if score.span_id else None,
            "evaluator_trace": score.evaluator_trace.lower(),
        }
    )


def _check_projects(actor: Principal | None, asked: Iterable[str], known: Sequence[str]) -> None:
    for project in sorted(asked):
        demand_project(actor, "editor", project, known)


def _content(score: NewScore) -> dict[str, Any]:
    return {name: getattr(score, name) for name in NewScore.model_fields if name != "id"}


def _names(some: Iterable[NewScore]) -> list[str]:
    return sorted({score.name for score in some})[:20]


def _about(spans: Sequence[Span], span_id: str) -> Span | None:
    """The span that a score is about: the one it names, else the root of its trace."""
    if span_id:
        return next((span for span in spans if span.span_id == span_id), None)
    return next((span for span in spans if span.is_root), spans[0] if spans else None)


def _learned(target: tuple[str, ...], about: Span, spans: Sequence[Span]) -> dict[str, Any]:
    """A row of `score_targets`. A trace's prompt is its root's, else the one that its spans agree
    on; a session's is the one that all of its traces agree on."""
    of_session = not target[1]
    prompts = {_prompt(span) for span in spans if _prompt(span)[0]}
    name, version = _prompt(about)
    if of_session or not name:
        whole = not target[2] and len(prompts) == 1
        name, version = next(iter(prompts)) if whole else ("", "")
    values = {"environment": about.environment, "key_id": about.key_id, "user": about.user,
              "model": about.model, "variant": _of_span(about, "variant")}  # fmt: skip
    values |= {"prompt_name": name, "prompt_version": version}
    cut = {column: text[: _longest(column)] for column, text in values.items()}
    return {**dict(zip(store.TARGET, target, strict=True)), **cut, "start_ms": about.start_ms}


def _exposed(target: tuple[str, ...], about: Span, spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Rows of `score_exposures`: in which unit of each experiment the span is counted, or else all
    the spans beside it that are counted at all."""
    found: dict[str, set[tuple[str, str]]] = {}
    for span in [about] if about.exposures else spans:
        for experiment, variant, unit in span.exposures:
            if unit:
                found.setdefault(experiment, set()).add((variant, unit))
    key = dict(zip(store.TARGET, target, strict=True))
    return [
        {**key, "experiment": experiment, "variant": variant, "unit": unit}
        for experiment, where in found.items()
        if len(where) == 1
        for variant, unit in where
    ]


def _prompt(span: Span) -> tuple[str, str]:
    return _of_span(span, "prompt_name"), _of_span(span, "prompt_version")


def _of_span(span: Span, name: str) -> str:
    return str(getattr(span, name, "") or "")


def _longest(column: str) -> int:
    return int(getattr(store.targets.c[column].type, "length", 0) or 0)


def _target_of(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(row[name] for name in store.TARGET)


def _key(row: sa.RowMapping, by: ScoreBy) -> tuple[str, ...]:
    return (row["name"], *(str(row[name]) for name in _KEYS.get(by, (by,))))


_KEYS: dict[str, tuple[str, ...]] = {"name": (), "prompt": ("prompt_name", "prompt_version")}
"""The fields of a group's key, where they are not the word itself."""


def _summary(row: sa.RowMapping, by: ScoreBy, labels: dict[str, int]) -> ScoreSummary:
    mean, share = row["mean"], row["mean_edit_share"]
    return ScoreSummary(
        name=row["name"],
        key={name: str(row[name]) for name in _KEYS.get(by, (by,))},
        n=row["n"],
        numbers=row["numbers"],
        positive=row["positive"] or 0,
        traces=row["traces"],
        weight=row["weight"] or 0.0,
        mean=mean,
        sd=_weighted_sd(row["numbers"], row["weight"], mean, row["squares"]),
        least=row["least"],
        most=row["most"],
        comments=row["comments"] or 0,
        corrections=row["corrections"],
        edits=row["edits"],
        mean_edit_share=share,
        sd_edit_share=_sd(row["edits"], share, row["edit_squares"]),
        labels=labels,
    )


def _weighted_sd(
    n: int, weight: float | None, mean: float | None, squares: float | None
) -> float | None:
    """The standard deviation of the population that scores stand for; weighed alike it is that of
    the sample."""
    if n < 2 or mean is None or squares is None or not weight:
        return None
    return math.sqrt(max(0.0, squares / weight - mean * mean) * n / (n - 1))


def _sd(n: int, mean: float | None, squares: float | None) -> float | None:
    if n < 2 or mean is None or squares is None:
        return None
    return math.sqrt(max(0.0, (squares - n * mean * mean) / (n - 1)))


def _cursor(position: int | None) -> str | None:
    if position is None:
        return None
    return base64.urlsafe_b64encode(b"1:%d" % position).decode().rstrip("=")


def _position(cursor: str | None) -> int | None:
    if not cursor:
        return None
    try:
        version, _, position = base64.urlsafe_b64decode(cursor + "==").partition(b":")
        if version != b"1" or not 0 <= int(position) < 1 << 63:
            raise ValueError
        return int(position)
    except ValueError:
        raise InvalidInput(
            f"{cursor!r} is not a cursor: take next_cursor of the page before"
        ) from None


__all__ = ["Projects", "Score", "ScoreService"]
