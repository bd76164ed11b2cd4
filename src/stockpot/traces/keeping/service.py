"""Retention, sampling, erasure and repricing, as people and the clock ask for them.

Knows policies, who may set them, and the orders that follow; the span log does the work.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from typing import Any, Literal, NamedTuple

import msgspec
import sqlalchemy as sa

from stockpot.access import Principal, Role, audit, demand_project, last_at
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound, StockpotError
from stockpot.core.ids import record_id
from stockpot.prices import PriceRow, Usage, price_of
from stockpot.traces.keeping import store
from stockpot.traces.keeping.models import (
    Erased,
    Erasure,
    KeptSince,
    NewView,
    Repriced,
    Repricing,
    RetentionPolicy,
    Sampling,
    View,
)
from stockpot.traces.keeping.writing import Hand
from stockpot.traces.models import Span, TraceFilter
from stockpot.traces.names import REPLAY, REPLAY_OF, short
from stockpot.traces.scores.models import ScoreFilter
from stockpot.traces.scores.service import Projects, ScoreService
from stockpot.traces.service import SpanLog
from stockpot.traces.store.orders import Blank, Done, Erase, Expire, Order, Priced, Reprice, Sample

PricesOf = Callable[[], Awaitable[Callable[[Span], tuple[PriceRow, ...]]]]
"""Gives the prices that are in force now, as a look-up by span."""

Forget = Callable[[str, Sequence[str]], Awaitable[int]]
"""Erases what was made from some traces of a project; gives how many records that are."""

Echoes = Callable[[str, Sequence[str]], Awaitable["Calls"]]
"""Tells which calls were made with the words of some traces of a project."""

Ageing = Callable[[str, int], Awaitable[int]]
"""Lets go what a project keeps of bodies from before a time in milliseconds; gives how many."""

_TRACE = re.compile("[0-9a-f]{32}")
_EVERY_S = 600.0
_DAY_NS = 86_400_000_000_000
_AT_ONCE = 500
_LOW_SCORES = 20
_BLANKED = 200
_LONGEST_SEARCH = 4000
_ROUNDS = 20
"""Rows made from calls that were made with rows: who nests them deeper erases again."""
_log = logging.getLogger("stockpot.traces.keeping")


Kind = Literal["rows", "results", "references", "quotes", "shares"]


class Calls(NamedTuple):
    """Calls that say again what was said: the traces that are known, and of each run the rows it
    asked, by how their spans name both (a trace's id may stand for what begins with it). A span of
    the run that names no row belongs to all."""

    traces: frozenset[str] = frozenset()
    runs: Mapping[str, frozenset[str]] = {}


class Keeping:
    """Policies in the control store, carried out on the span log."""

    def __init__(
        self, db: Database, spans: SpanLog, scores: ScoreService, hand: Hand,
        projects: Projects, prices: PricesOf, now_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self._db = db
        self._spans = spans
        self._scores = scores
        self._hand = hand
        self._projects = projects
        self._prices = prices
        self._now_ns = now_ns
        self.erased_elsewhere: dict[Kind, Forget] = {}
        """What else was made from traces, and how to erase it."""
        self.echoes: Echoes | None = None
        self.aged_elsewhere: list[Ageing] = []
        """What else keeps bodies, for as long as payloads stay."""

    # --- policies -------------------------------------------------------------------------------

    async def policy(self, actor: Principal, project: str) -> RetentionPolicy:
        """What a project keeps; everything for ever where nothing was set."""

        def work(c: sa.Connection) -> RetentionPolicy:
            self._check(c, actor, "viewer", project)
            return RetentionPolicy(**(store.policy_of(c, project) or {}))

        return await self._db.read(work)

    async def set_policy(
        self, actor: Principal, project: str, policy: RetentionPolicy
    ) -> RetentionPolicy:
        """What the project keeps from now on. It is carried out within ten minutes, and what went
        does not come back."""

        def work(c: sa.Connection) -> None:
            self._check(c, actor, "admin", project)
            before = RetentionPolicy(**(store.policy_of(c, project) or {}))
            now = self._now_ns() // 1_000_000
            store.put_policy(c, project, policy.model_dump(mode="json"), now, actor.label)
            audit(c, actor, "retention.change", project, before=before, after=policy,
                  project=project)  # fmt: skip

        await self._db.write(work)
        return policy

    async def since(self, actor: Principal, project: str) -> KeptSince:
        """From when on a copy of what was said may still be kept elsewhere."""

        def work(c: sa.Connection) -> KeptSince:
            self._check(c, actor, "viewer", project)
            erased = last_at(c, "traces.erase", project) or 0.0
            days = RetentionPolicy(**(store.policy_of(c, project) or {})).payload_days
            aged = 0.0 if days is None else (self._now_ns() - days * _DAY_NS) / 1e6
            return KeptSince(since_ms=max(erased, aged))

        return await self._db.read(work)

    async def run(self) -> None:
        """Carry out all policies again and again, until cancelled."""
        while True:
            try:
                await self.sweep()
            except (StockpotError, sa.exc.SQLAlchemyError) as failed:
                _log.warning("retention is carried out later: %s", failed)
            await asyncio.sleep(_EVERY_S)

    async def sweep(self) -> int:
        """Carry out every policy once; gives how many spans it changed or removed."""
        changed = 0
        for project, kept in await self._db.read(store.all_policies):
            policy = RetentionPolicy(**kept)
            now = self._now_ns()
            if policy.sampling is not None:
                changed += (await self._all(await self._sample(project, policy.sampling))).spans
            if policy.payload_days is not None:
                before_ms = (now - policy.payload_days * _DAY_NS) // 1_000_000
                for age in self.aged_elsewhere:
                    await age(project, before_ms)
            for days, payloads_only in ((policy.payload_days, True), (policy.span_days, False)):
                if days is not None:
                    order = Expire(project, now - days * _DAY_NS, payloads_only)
                    changed += (await self._all(order)).spans
        return changed

    async def _sample(self, project: str, policy: Sampling) -> Sample:
        slow = policy.keep_slower_ms
        return Sample(
            project, self._now_ns() - policy.after_s * 1_000_000_000, policy.rate,
            policy.keep_errors, None if slow is None else round(slow * 1e6),
            policy.keep_dearer_nano, await self._low(project, policy), policy.drops == "payloads",
        )  # fmt: skip

    async def _low(self, project: str, policy: Sampling) -> tuple[bytes, ...]:
        """Traces that were scored low, the newest of them."""
        if policy.keep_low_score is None:
            return ()
        wanted, found, cursor = policy.keep_low_score, set(), None
        where = ScoreFilter(project=project, name=wanted.name, max_value=wanted.below)
        for _ in range(_LOW_SCORES):
            page = await self._scores.query(where, cursor, 1000)
            found |= {
                bytes.fromhex(score.trace_id) for score in page.items
                if score.trace_id and score.value is not None and score.value < wanted.below
            }  # fmt: skip
            if (cursor := page.next_cursor) is None:
                break
        return tuple(sorted(found))

    async def _all(self, order: Order) -> Done:
        """An order until there is no more to do; between its pieces records come in."""
        spans = removed = 0
        traces: tuple[tuple[str, bytes], ...] = ()
        while True:
            done = await self._hand(order)
            spans, removed, traces = (
                spans + done.spans,
                removed + done.removed,
                traces + done.traces,
            )
            if not done.more:
                return Done(spans, removed, False, traces)

    # --- erasure --------------------------------------------------------------------------------

    async def erase(self, actor: Principal, wanted: Erasure) -> Erased:
        """Forget what an end user said: bodies, words, previews, scores, rows of data sets made
        from it, what evaluations asked and answered with these rows, and the name itself.

        The log goes last: without the name in it nobody finds the traces again, so that an erasure
        that is cut off before is whole when it is asked for again."""
        before = await asyncio.to_thread(self._traces_of, wanted)
        erased = await self._erase_beside(before, Erased(traces=0, spans=0, scores=0))
        done = await self._all(Erase(short(wanted.user), wanted.project))
        met = {(project, trace.hex()) for project, trace in done.traces}
        erased = await self._erase_beside(met - before, erased)
        erased = erased.model_copy(update={"traces": len(before | met), "spans": done.spans})
        told: dict[str, Any] = {"project": wanted.project} if wanted.project else {}
        # The log of changes must not keep the name that was to be forgotten.
        await self._db.write(
            lambda c: audit(c, actor, "traces.erase", record_id("ers"), after=erased, **told)
        )
        return erased

    def _traces_of(self, wanted: Erasure) -> set[tuple[str, str]]:
        """Project and id of every trace that names an end user."""
        where = TraceFilter(user=short(wanted.user), project=wanted.project)
        found: set[tuple[str, str]] = set()
        cursor: str | None = None
        while True:
            page = self._spans.traces(where, cursor, _AT_ONCE)
            found.update((row.root.project, row.trace_id) for row in page.items)
            if (cursor := page.next_cursor) is None:
                return found

    async def _erase_beside(self, traces: Set[tuple[str, str]], erased: Erased) -> Erased:
        """Erase what else speaks of some traces; gives the counts with what that was."""
        names = ("scores", "calls", *self.erased_elsewhere)
        counts = {name: getattr(erased, name) for name in names}
        for project in sorted({project for project, _ in traces}):
            ids = sorted(trace for one, trace in traces if one == project)
            again = await self._blank_echoes(project, ids)
            counts["calls"] += len(again)
            ids += again
            counts["scores"] += await self._scores.forget(project, ids)
            for kind, forget in self.erased_elsewhere.items():
                counts[kind] += await forget(project, ids)
        return erased.model_copy(update=counts)

    async def _blank_echoes(self, project: str, ids: Sequence[str]) -> list[str]:
        """Forget what calls said that were made with the words of some traces, and with the words
        of those calls; gives their traces. What names such calls is still whole here."""
        known, new = set(ids), list(ids)
        for _ in range(_ROUNDS):
            told = await self.echoes(project, new) if self.echoes else Calls()
            found = told.traces | await asyncio.to_thread(self._replays_of, project, new)
            for run, items in told.runs.items():
                found |= await asyncio.to_thread(self._traces_of_run, project, run, items)
            new = sorted(trace for trace in found - known if _TRACE.fullmatch(trace))
            known.update(new)
            if not new:
                break
            for start in range(0, len(new), _BLANKED):
                part = tuple(bytes.fromhex(trace) for trace in new[start : start + _BLANKED])
                await self._all(Blank(project, part))
        return sorted(known - set(ids))

    def _replays_of(self, project: str, traces: Sequence[str]) -> set[str]:
        """The traces that `stockpot replay` made of some others."""
        of = {f"{REPLAY_OF}{trace}" for trace in traces}
        where = TraceFilter(project=project, tag=REPLAY)
        found = self._spans.export(where)
        return {span.trace_id for span in found if not of.isdisjoint(span.tags)}

    def _traces_of_run(self, project: str, run: str, items: frozenset[str]) -> set[str]:
        where = TraceFilter(project=project, dataset_run=run)
        return {
            span.trace_id for span in self._spans.export(where)
            if not items.isdisjoint((span.dataset_item, span.dataset_item[:32]))
            or not span.dataset_item
        }  # fmt: skip

    # --- prices ---------------------------------------------------------------------------------

    async def reprice(self, actor: Principal, wanted: Repricing) -> Repriced:
        """Price calls again by the prices in force for their time. What a sender told as its own
        cost, and what cost nothing because it was served here, stays."""
        if wanted.from_ms >= wanted.to_ms:
            raise InvalidInput("the window is empty", hint="give from_ms before to_ms")
        rows_of = await self._prices()
        where = TraceFilter(
            project=wanted.project, model=wanted.model, from_ms=wanted.from_ms, to_ms=wanted.to_ms
        )
        seen = changed = before = after = unknown_before = unknown_after = 0
        position: int | None = 0
        while position is not None:
            numbered, position = await asyncio.to_thread(
                self._spans.numbered_page, where, position, _AT_ONCE
            )
            found = [_priced(number, span, rows_of(span)) for number, span in numbered]
            pairs = [(s, p) for (_, s), p in zip(numbered, found, strict=True) if p is not None]
            other = [p for s, p in pairs if p.cost_nano != s.cost_nano]
            seen, changed = seen + len(pairs), changed + len(other)
            before += sum(s.cost_nano or 0 for s, _ in pairs)
            after += sum(p.cost_nano or 0 for _, p in pairs)
            unknown_before += sum(s.cost_nano is None for s, _ in pairs)
            unknown_after += sum(p.cost_nano is None for _, p in pairs)
            if other and wanted.apply:
                await self._hand(Reprice(tuple(other)))
        told = Repriced(
            spans=seen, changed=changed, before_nano=before, after_nano=after,
            unpriced_before=unknown_before, unpriced_after=unknown_after, applied=wanted.apply,
        )  # fmt: skip
        if wanted.apply:
            where_told: dict[str, Any] = {"project": wanted.project} if wanted.project else {}
            subject = wanted.model or "all"
            await self._db.write(
                lambda c: audit(c, actor, "traces.reprice", subject, after=told, **where_told)
            )
        return told

    # --- views ----------------------------------------------------------------------------------

    async def views(self, actor: Principal) -> tuple[View, ...]:
        """The caller's own views and shared ones, of projects that the caller sees."""
        rows = await self._db.read(store.list_views)
        mine = _owner(actor)
        return tuple(
            View(**{**row, "own": row["owner"] == mine})
            for row in rows
            if (row["owner"] == mine and _sees(actor, row["project"]))
            or (row["shared"] and actor.may("viewer", row["project"] or ""))
        )

    async def save_view(self, actor: Principal, new: NewView) -> View:
        """Save a view, in place of the caller's own of that name."""
        _check_view(new)
        row = {
            **new.model_dump(), "id": record_id("view"), "owner": _owner(actor),
            "owner_name": actor.label, "created_ms": self._now_ns() // 1_000_000,
        }  # fmt: skip

        def work(c: sa.Connection) -> None:
            if new.project is not None:
                self._check(c, actor, "viewer", new.project)
            elif new.shared:
                self._check(c, actor, "viewer", "")
            store.put_view(c, row)
            told: dict[str, Any] = {"project": new.project} if new.project else {}
            audit(c, actor, "view.save", row["id"], name=new.name, **told)

        await self._db.write(work)
        return View(**row)

    async def remove_view(self, actor: Principal, view_id: str) -> None:
        """Forget one of the caller's own views."""

        def work(c: sa.Connection) -> None:
            rows = {row["id"]: row for row in store.list_views(c)}
            row = rows.get(view_id)
            if row is None or row["owner"] != _owner(actor) or not _sees(actor, row["project"]):
                raise NotFound(f"you have no view {view_id!r}", hint="GET /api/v1/views")
            store.remove_view(c, view_id)
            told: dict[str, Any] = {"project": row["project"]} if row["project"] else {}
            audit(c, actor, "view.remove", view_id, name=row["name"], **told)

        await self._db.write(work)

    def _check(self, c: sa.Connection, actor: Principal, role: Role, project: str) -> None:
        demand_project(actor, role, project, ("", *self._projects(c)))


def _sees(actor: Principal, project: str | None) -> bool:
    """Whether somebody may look at what belongs to a project, or to none."""
    return not project or actor.may("viewer", project)


def _check_view(new: NewView) -> None:
    if not new.name.strip() or not new.name.isprintable():
        raise InvalidInput("a view has a name of one line", hint="name it by what it shows")
    if sum(len(name) + len(str(said)) for name, said in new.search.items()) > _LONGEST_SEARCH:
        raise InvalidInput(f"the search of a view has at most {_LONGEST_SEARCH:,} characters")


def _owner(actor: Principal) -> str:
    return actor.user_id or actor.label[:80]


def _priced(number: int, span: Span, rows: tuple[PriceRow, ...]) -> Priced | None:
    """What a span costs by some rows; None where no price is known or needed: then it stays."""
    tokens = span.tokens
    if span.cache == "hit" or tokens.source == "none" or not rows:
        return None
    usage = Usage(**{
        name: getattr(tokens, name) for name in type(tokens).model_fields if name != "source"
    }, tier=span.service_tier)  # fmt: skip
    cost = price_of(usage, rows, int(span.start_ms))
    if cost is None:
        return Priced(number, None, "", "", "", "", 0)
    encode = msgspec.json.encode
    return Priced(
        number, cost.total, encode(cost.parts).decode(), encode(cost.units).decode(),
        cost.price_id, cost.source, cost.saved,
    )  # fmt: skip
