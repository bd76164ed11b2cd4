"""The pipeline's stage: what a call asks is looked at before it leaves. Knows policies, calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stockpot.gateway.call import Call, Reply
from stockpot.gateway.guard import asked
from stockpot.gateway.guard.guard import Guard, beside
from stockpot.gateway.guard.host import RailHost
from stockpot.gateway.guard.refusing import refusal
from stockpot.gateway.guard.table import GuardEntry, RailTable, read_part
from stockpot.gateway.guard.work import Findings, written
from stockpot.gateway.pipeline import PAUSE, Verdict
from stockpot.gateway.stages import LARGE_BODY, in_one_lane

if TYPE_CHECKING:
    from stockpot.gateway.models import Part
    from stockpot.rails import Outcome

_decode = msgspec.json.Decoder().decode


class GuardStage:
    """Looks at requests by the policies of one snapshot. A call without one passes."""

    __slots__ = ("_host", "_table")

    def __init__(self, table: RailTable, host: RailHost) -> None:
        self._table = table
        self._host = host

    def __call__(self, call: Call) -> Verdict:
        key, route = call.key, call.route
        assert key is not None
        assert route is not None
        entry = self._table.of(key.spec.id, key.spec.project, route.name)
        if entry is None:
            return None
        host = self._host
        guard = call.guard = Guard(call, entry, host.asking(call, self._table), host.turns)
        if not entry.asks:
            return None
        if len(call.request.body) > LARGE_BODY:
            beside(self._look_in_thread(call, guard))
            return PAUSE
        turns = host.turns
        if not turns.begin():
            turns.later(key.spec.project, lambda: self._look_later(call, guard))
            return PAUSE
        try:
            return self._look(call, guard, _read(call.request.body))
        finally:
            turns.end()

    def _look_later(self, call: Call, guard: Guard) -> None:
        """Its turn has come; a client that has left meanwhile wants nothing any more."""
        verdict = None if call.client_lost else self._look(call, guard, _read(call.request.body))
        self._go_on(call, verdict)

    def _go_on(self, call: Call, verdict: Verdict) -> None:
        assert call.pipeline is not None
        if verdict is None or isinstance(verdict, Reply):
            call.pipeline.resume(call, verdict)

    async def _look_in_thread(self, call: Call, guard: Guard) -> None:
        body = await in_one_lane(_read, call.request.body)
        self._go_on(call, self._look(call, guard, body))

    def _look(self, call: Call, guard: Guard, body: Any) -> Verdict:
        if not isinstance(body, dict):
            return None
        entry = guard.entry
        findings = Findings(entry, guard.vault, guard.ledger)
        findings.look(asked.texts_of(call.dialect.name, call.endpoint, body))
        if not findings.jobs:
            return self._act(call, guard, findings, body)
        if entry.parallel and not entry.edits and not findings.stops:
            guard.wait_for(findings)
            return None
        beside(self._look_longer(call, guard, findings, body))
        return PAUSE

    async def _look_longer(self, call: Call, guard: Guard, findings: Findings, body: Any) -> None:
        await findings.look_longer(guard.elsewhere)
        assert call.pipeline is not None
        call.pipeline.resume(call, self._act(call, guard, findings, body))

    def _act(self, call: Call, guard: Guard, findings: Findings, body: Any) -> Reply | None:
        found = findings.strongest
        if found is not None and findings.stops:
            refused = _stopped(call, guard.entry, found)
            if refused is not None:
                return refused
        if findings.changed:
            call.asks(written(body))
        return None


def _stopped(call: Call, entry: GuardEntry, found: Outcome) -> Reply | None:
    """A refusal, unless the call can go elsewhere."""
    if found.action == "route":
        route = call.view.routes.get(found.route_to)
        if route is not None and call.endpoint in route.endpoints:
            call.route = route
            call.route_reason = f"guardrail:{found.rule}"
            return None
    return refusal(entry, found, "the request")


def _read(data: bytes) -> Any:
    """The body, or None for files and what is no JSON: the dialect has taken it for what it is."""
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


class Compiling:
    """Reads the part when it has changed, and keeps the processes of rails over snapshots."""

    def __init__(self) -> None:
        self._host = RailHost()
        self._stage: GuardStage | None = None
        self._data = b""

    def stage(self, part: Part) -> GuardStage:
        """Raises ConfigError for what cannot be run here."""
        if self._stage is None or part.data != self._data:
            table = read_part(part)
            self._stage = GuardStage(table, self._host)
            self._data = part.data
            self._host.warm(table)
        return self._stage

    async def close(self) -> None:
        """End the process of rails."""
        await self._host.close()
