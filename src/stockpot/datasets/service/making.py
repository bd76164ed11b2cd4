"""Rows out of traces, feedback and files, and checks of what came of it: near-duplicates, and rows
of one split that stand in another."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from stockpot import stats
from stockpot.access import Principal
from stockpot.core.errors import InvalidInput
from stockpot.datasets import importing
from stockpot.datasets.content import text_of
from stockpot.datasets.harvesting import Expected, Harvest
from stockpot.datasets.models import (
    Added,
    Check,
    DatasetRow,
    DatasetVersion,
    FromFeedback,
    FromTraces,
    Imported,
    ImportRows,
    LineFault,
    NearPair,
    NewRow,
)
from stockpot.datasets.service.committing import checked
from stockpot.datasets.service.datasets import DatasetService
from stockpot.traces import Score, ScoreFilter, ScoreService, Sight, SpanLog, TraceFilter

METHOD = (
    "Jaccard similarity of character 5-grams, case, accents and white space aside; candidates by "
    "MinHash (128 permutations, 32 bands of 4), each confirmed on the 5-grams themselves"
)
_PAGE = 500
_SAMPLE = 5
_PREVIEW = 160
MOST_CHECKED = 50_000


class MakingService:
    """Where rows come from, and whether they are fit."""

    def __init__(self, datasets: DatasetService, spans: SpanLog, scores: ScoreService) -> None:
        self._datasets = datasets
        self._spans = spans
        self._scores = scores

    async def from_traces(
        self, project: str, name: str, wanted: FromTraces, actor: Principal, sight: Sight | None
    ) -> Added:
        """Rows out of traces that are named or that match a filter."""
        await self._datasets.get(project, name, actor)
        ids = list(dict.fromkeys(wanted.trace_ids))
        if wanted.filter is not None or not ids:
            ids += await asyncio.to_thread(self._matching, project, wanted, sight)
        ids = list(dict.fromkeys(ids))[: max(wanted.limit, len(wanted.trace_ids))]
        scores = await self._scores.of_traces(project, ids)
        told = (wanted.split, wanted.message or "from traces")
        return await self._reap(project, name, ids, scores, wanted.expected, told, actor, sight)

    async def from_feedback(
        self, project: str, name: str, wanted: FromFeedback, actor: Principal, sight: Sight | None
    ) -> Added:
        """Rows out of traces that users rated or corrected, newest feedback first."""
        await self._datasets.get(project, name, actor)
        thumbs = await self._said(project, "thumbs", wanted)
        corrections = await self._said(project, "correction", wanted)
        ids = list(thumbs)
        if wanted.thumb == "any":
            ids = list(dict.fromkeys([*corrections, *thumbs]))
        else:
            ids = [i for i in ids if any(s.label == wanted.thumb for s in thumbs[i])]
        expected: Expected = "output" if wanted.thumb == "up" else "none"
        if wanted.corrected:
            ids, expected = [i for i in ids if i in corrections], "correction"
        ids = ids[: wanted.limit]
        scores = await self._scores.of_traces(project, ids)
        told = (wanted.split, wanted.message or f"from feedback: thumb {wanted.thumb}")
        return await self._reap(project, name, ids, scores, expected, told, actor, sight)

    async def import_text(
        self, project: str, name: str, wanted: ImportRows, actor: Principal
    ) -> Imported:
        """Rows out of a file's text: all of them, or with one fault none."""
        dataset = await self._datasets.get(project, name, actor)
        parsed = await asyncio.to_thread(
            importing.parse, wanted.format, wanted.text, wanted.columns, wanted.split
        )
        if not parsed.rows and not parsed.faults:
            raise InvalidInput("the file holds no rows")
        if not parsed.faults:
            try:
                checked(parsed.rows, dataset.input_schema, dataset.expected_schema)
            except InvalidInput as bad:
                parsed.faults.append(LineFault(line=0, message=bad.message))
        added = None
        if not parsed.faults and not wanted.dry_run:
            message = wanted.message or f"imported {len(parsed.rows)} rows ({wanted.format})"
            added = await self._datasets.add_rows(project, name, parsed.rows, message, actor)
        return Imported(
            added=added,
            faults=tuple(parsed.faults),
            rows=len(parsed.rows),
            columns=parsed.columns,
            sample=tuple(parsed.rows[:_SAMPLE]),
        )

    async def check(
        self,
        version: DatasetVersion,
        threshold: float = 0.8,
        against: DatasetVersion | None = None,
        limit: int = 200,
    ) -> Check:
        """Near-duplicates among the rows, or between them and those of another version, and those
        that stand in different splits."""
        mine = await self._datasets.rows(version)
        other = await self._datasets.rows(against) if against else ()
        if len(mine) + len(other) > MOST_CHECKED:
            raise InvalidInput(f"at most {MOST_CHECKED} rows are compared at once")
        rows = [*mine, *other]
        texts = [text_of(row.input) for row in rows]
        found = await asyncio.to_thread(stats.near_pairs, texts, threshold)
        if against is not None:
            found = [pair for pair in found if pair.one < len(mine) <= pair.other]
        pairs = [_pair(rows[pair.one], rows[pair.other], pair.similarity) for pair in found]
        bad = pairs if against else [p for p in pairs if p.one_split != p.other_split]
        return Check(
            rows=len(mine),
            threshold=threshold,
            method=METHOD,
            pairs_count=len(pairs),
            contaminated_count=len(bad),
            pairs=tuple(pairs[:limit]),
            contaminated=tuple(bad[:limit]),
        )

    # --- inside -----------------------------------------------------------------------------------

    def _matching(self, project: str, wanted: FromTraces, sight: Sight | None) -> list[str]:
        where = (
            (wanted.filter or TraceFilter())
            .model_copy(update={"project": project})
            .seen_with(sight)
        )
        found: list[str] = []
        cursor: str | None = None
        while len(found) < wanted.limit:
            page = self._spans.traces(where, cursor, min(_PAGE, wanted.limit - len(found)))
            found += [row.trace_id for row in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def _said(self, project: str, name: str, wanted: FromFeedback) -> dict[str, list[Score]]:
        """Scores of a name by trace, newest first."""
        where = ScoreFilter(project=project, name=name, from_ms=wanted.from_ms, by_people=True)
        return await self._all(where, 4 * wanted.limit)

    async def _all(self, where: ScoreFilter, most: int) -> dict[str, list[Score]]:
        found: dict[str, list[Score]] = defaultdict(list)
        cursor: str | None = None
        while most > 0:
            page = await self._scores.query(where, cursor, min(1000, most))
            for score in page.items:
                if score.trace_id:
                    found[score.trace_id].append(score)
            most -= len(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
        return found

    async def _reap(
        self,
        project: str,
        name: str,
        ids: Iterable[str],
        scores: dict[str, list[Score]],
        expected: Expected,
        told: tuple[str, str],
        actor: Principal,
        sight: Sight | None,
    ) -> Added:
        split, message = told
        harvest = Harvest(self._spans, project, sight, expected)
        rows: list[NewRow] = await asyncio.to_thread(harvest.rows, ids, scores, split)
        skipped = tuple(harvest.skipped)
        return await self._datasets.add_rows(project, name, rows, message, actor, skipped)


def _pair(one: DatasetRow, other: DatasetRow, similarity: float) -> NearPair:
    return NearPair(
        one=one.id,
        other=other.id,
        similarity=round(similarity, 4),
        one_split=one.split,
        other_split=other.split,
        one_preview=_preview(one),
        other_preview=_preview(other),
    )


def _preview(row: DatasetRow) -> str:
    return " ".join(text_of(row.input).split())[:_PREVIEW]
