"""The verbs of the playground: read a recorded call, replay a trace, call a tool, share a set-up.

Knows who may see what; what happens is in the modules that it wires.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import sqlalchemy as sa

from stockpot.access import Principal, audit, demand, demand_project
from stockpot.catalog import Catalog
from stockpot.core.db import Database
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.ids import record_id
from stockpot.playground.models import (
    NewShare,
    RecordedCall,
    Replay,
    ReplayAsked,
    Share,
    ToolAnswered,
    ToolAsked,
)
from stockpot.playground.recorded import recorded_call
from stockpot.playground.replaying import Gateway, Replayer
from stockpot.playground.store import add_share, forget_shares, share_by_id
from stockpot.playground.tools import ToolCaller
from stockpot.prompts import Prompts
from stockpot.templates import TemplateFault, render
from stockpot.traces import Span, SpanLog

_MOST_BYTES = 8 << 20


class Playground:
    """One playground over a control store, a span log and a gateway."""

    def __init__(
        self,
        db: Database,
        catalog: Catalog,
        spans: SpanLog,
        prompts: Prompts,
        gateway: Gateway,
        tools: ToolCaller,
    ) -> None:
        self._db = db
        self._catalog = catalog
        self._spans = spans
        self._prompts = prompts
        self._replayer = Replayer(spans, gateway)
        self._tools = tools

    async def recorded(
        self, actor: Principal, trace_id: str, span_id: str, project: str | None
    ) -> RecordedCall:
        """A recorded call as the playground runs it."""
        spans = await self._seen(actor, trace_id, project)
        span = next((one for one in spans if one.span_id == span_id), None)
        if span is None:
            raise NotFound(
                f"no span {span_id!r} in trace {trace_id!r}",
                hint=f"stockpot traces show {trace_id}",
            )
        payload = await asyncio.to_thread(self._spans.payload, trace_id, span_id, span.project)
        return await self._filled(recorded_call(span, payload))

    async def _filled(self, call: RecordedCall) -> RecordedCall:
        """With the number of messages that its prompt made, where that version is still there."""
        name, _, number = call.prompt.partition("@")
        if not number.isdigit():
            return call
        try:
            version = await self._prompts.get(call.project, name, int(number))
            made = render(version, call.variables)
        except (NotFound, TemplateFault):
            return call
        messages = 1 if made.kind == "text" else len(made.messages)
        return call.model_copy(update={"filled": messages})

    async def replay(self, actor: Principal, asked: ReplayAsked) -> Replay:
        """A trace again. The new calls are the project's own and cost what they cost."""
        spans = await self._seen(actor, asked.trace_id, asked.project)
        project = spans[0].project
        demand(actor, "editor", project, _no_trace(asked.trace_id))
        secret = await self._catalog.keys.playground_secret(project)
        note = self._catalog.keys.note
        told = {"model": asked.model, "prompt": asked.prompt, "project": project}
        await note(actor, "playground.replay", asked.trace_id, **told)
        return await self._replayer.replay(asked, spans, secret, self._filled)

    async def call_tool(self, actor: Principal, asked: ToolAsked) -> ToolAnswered:
        """A real call of a tool. Its headers may hold secrets and are not written down."""
        demand_project(actor, "editor", asked.project)
        url = asked.url.partition("?")[0]
        told = {"url": url, "method": asked.method, "project": asked.project}
        await self._catalog.keys.note(actor, "playground.tool", asked.name, **told)
        return await self._tools.call(asked)

    async def share(self, actor: Principal, new: NewShare) -> Share:
        """Keep a set-up for everybody who sees the project."""
        demand_project(actor, "editor", new.project)
        if len(new.model_dump_json()) > _MOST_BYTES:
            raise InvalidInput("a set-up may have at most 8 MB: leave large images out")
        share = Share(
            id=record_id("shr"), project=new.project, title=new.title, author=actor.label,
            created_ms=int(time.time() * 1000), state=new.state,
        )  # fmt: skip

        def write(c: sa.Connection) -> None:
            add_share(c, share)
            audit(c, actor, "playground.share", share.id, title=new.title, project=new.project)

        await self._db.write(write)
        return share

    async def shared(self, actor: Principal, share_id: str) -> Share:
        """A set-up that somebody shared."""
        absent = NotFound(f"no shared set-up {share_id!r}: the link is wrong, or not for you")
        found = await self._db.read(lambda c: share_by_id(c, share_id))
        if found is None:
            raise absent
        demand(actor, "viewer", found.project, absent)
        return found

    async def forget(self, project: str, traces: Sequence[str]) -> int:
        """Remove shared set-ups that were made from some traces; gives how many."""
        wanted = [trace.lower() for trace in traces]
        return await self._db.write(lambda c: forget_shares(c, project, wanted))

    async def _seen(self, actor: Principal, trace_id: str, project: str | None) -> tuple[Span, ...]:
        """The spans of a trace that the caller may see; at least one."""
        trace = await asyncio.to_thread(self._spans.trace, trace_id, project)
        spans = tuple(span for span in trace.spans if actor.may("viewer", span.project))
        if not spans:
            raise _no_trace(trace_id)
        return spans


def _no_trace(trace_id: str) -> NotFound:
    return NotFound(f"no trace {trace_id!r}", hint="stockpot traces list")
