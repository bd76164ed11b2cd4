"""Accounting: from an attempt's end to its record, its price and the settling of reservations.

Knows usage, prices, limits and the spool; knows nothing of HTTP. Each answer's last byte waits
until `Spool.finish` says that the record is in the kernel's hands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from time import perf_counter_ns
from typing import TYPE_CHECKING

import msgspec

from stockpot.gateway.bill import NO_USAGE, bill_of, detail_of, usage_of
from stockpot.gateway.mask import mask, mask_sse
from stockpot.gateway.models import Record, Start

if TYPE_CHECKING:
    from stockpot.gateway.attempt import Attempt
    from stockpot.gateway.call import Call, Prompted, Reply
    from stockpot.gateway.meters import Meters
    from stockpot.gateway.spool import Spool
    from stockpot.prices import Usage

CACHE = "cache"
"""Stands for the provider and the target of an answer that was repeated."""
RUN = b"x-stockpot-run"
"""The header with which an evaluation names itself; `x-stockpot-item` names the row."""
_NAME_LIMIT = 200
PAYLOAD_NONE, PAYLOAD_FULL, PAYLOAD_MASKED = 0, 1, 2
_TEXT_LIMIT = 500
LARGE_TO_MASK = 32 * 1024
"""Bytes from which payloads are masked in a thread: masking takes 20 to 100 ms a megabyte."""


class Accountant:
    """Writes records and settles what the limiting stage reserved."""

    def __init__(self, spool: Spool, meters: Meters) -> None:
        self._spool = spool
        self._meters = meters
        self._masking: set[asyncio.Task[None]] = set()

    def started(self, attempt: Attempt, estimated_nano: int) -> None:
        """Note an attempt before it leaves, so that a kill cannot hide it."""
        call, target = attempt.call, attempt.target
        assert call.key is not None
        assert call.ask is not None
        spec = call.key.spec
        price = target.price
        self._spool.start(
            Start(
                call.trace_id,
                attempt.span_id,
                call.parent_id if attempt.span_id == call.root_id else call.root_id,
                attempt.start_ns,
                spec.project,
                spec.environment,
                spec.id,
                call.endpoint,
                call.ask.model,
                target.spec.provider,
                target.id,
                target.spec.model,
                call.ask.input_tokens,
                0 if target.spec.free else (estimated_nano if price else None),
                price.id if price else "",
            )
        )

    def finished(self, attempt: Attempt, *, root: bool, done: Callable[[], None]) -> None:
        """Record one attempt. `done` runs once the record is safe; a root settles the call."""
        usage, source = usage_of(attempt)
        record = _record(attempt, usage, source, root)
        call = attempt.call
        _explain(record, call)
        if root:
            self._settle(call, usage, record.cost_nano or 0)
            if call.listener is not None:
                answer = attempt.answer
                whole = answer is not None and (answer.ended or bool(answer.finish_reason))
                call.listener.concluded(record, whole=whole)
        elif record.cost_nano:
            for purse in call.purses:
                purse.settle(0, record.cost_nano)
        self._meters.observe(record)
        told = root or attempt.reason == "shadow"
        keep = told and call.key is not None and call.key.spec.payloads != "none"
        if not keep:
            self._spool.finish(record, None, None, done)
            return
        self._put(record, call, _captured(attempt), attempt.streaming, done)

    def _put(
        self,
        record: Record,
        call: Call,
        captured: list[bytes],
        streaming: bool,
        done: Callable[[], None],
    ) -> None:
        """Write a record with the payload that the key's policy keeps."""
        assert call.key is not None
        asked = _asked(call)
        if call.key.spec.payloads == "full":
            record.payload = PAYLOAD_FULL
            self._spool.finish(record, asked, captured, done)
            return
        record.payload = PAYLOAD_MASKED
        said = b"".join(captured)
        if len(asked) + len(said) > LARGE_TO_MASK:
            work = self._masked_in_thread(record, asked, said, streaming, done)
            task = asyncio.ensure_future(work)
            self._masking.add(task)
            task.add_done_callback(self._masking.discard)
        else:
            request, response = _masked(asked, said, streaming)
            self._spool.finish(record, request, [response], done)

    async def _masked_in_thread(
        self, record: Record, asked: bytes, said: bytes, streaming: bool, done: Callable[[], None]
    ) -> None:
        request, response = await asyncio.to_thread(_masked, asked, said, streaming)
        self._spool.finish(record, request, [response], done)

    def repeated(
        self,
        call: Call,
        first: Record,
        said: bytes,
        streamed: bool,
        done: Callable[[], None],
        first_ns: int = 0,
    ) -> None:
        """Record a call that was answered with what another one was told: it costs nothing and
        counts no token, but it was a request. `first_ns` is when it got the first bytes of a stream
        that ended as the other one's did."""
        self._settle(call, NO_USAGE, 0)
        record = _repeat(call, first, len(said))
        if first_ns:
            record.ttft_ns = first_ns - call.request.received_ns
            record.error, record.error_message = first.error, first.error_message
        _explain(record, call)
        self._meters.observe(record)
        assert call.key is not None
        if call.key.spec.payloads == "none":
            self._spool.finish(record, None, None, done)
        else:
            self._put(record, call, [said], streamed, done)

    def refused(self, call: Call, reply: Reply, done: Callable[[], None]) -> None:
        """Record a call that the gateway answered by itself, without any attempt."""
        self._settle(call, NO_USAGE, 0)
        if not reply.record or call.key is None:
            self._meters.event(reply.code)
            done()
            return
        record = _refusal(call, reply)
        _explain(record, call)
        self._meters.observe(record)
        keep = call.key.spec.payloads
        body = None if keep == "none" else _asked(call)
        if body is not None:
            record.payload = PAYLOAD_MASKED if keep == "masked" else PAYLOAD_FULL
            body = mask(body) if keep == "masked" else body
        self._spool.finish(record, body, None, done)

    def _settle(self, call: Call, usage: Usage, cost: int) -> None:
        if call.gates:
            now = time.monotonic_ns()
            for gate in call.gates:
                gate.settle(now, call.reserved_tokens, usage.input + usage.output)
            call.gates = ()
        if call.purses:
            for purse in call.purses:
                purse.settle(call.reserved_nano, cost)
            call.purses = ()


def _asked(call: Call) -> bytes:
    """What is kept of the request: its body, or a description of the files in it."""
    kept = call.ask.kept if call.ask is not None else None
    return call.request.body if kept is None else kept


def _captured(attempt: Attempt) -> list[bytes]:
    """What is kept of the answer: its bytes, or a description where they are sound."""
    if attempt.call.endpoint != "speech" or attempt.status >= 400:
        return attempt.captured
    kinds = [value for name, value in attempt.headers if name == b"content-type"]
    if not kinds or kinds[0].startswith((b"application/json", b"text/")):
        return attempt.captured
    shown = {"type": kinds[0].decode("latin-1"), "bytes": attempt.received_bytes}
    return [msgspec.json.encode(shown)]


def _masked(asked: bytes, said: bytes, streaming: bool) -> tuple[bytes, bytes]:
    return mask(asked), mask_sse(said) if streaming else mask(said)


def _stages(marks: list[int], end: int) -> tuple[int, ...]:
    """Durations between marks; the last one runs until `end`."""
    if len(marks) == 7:  # every stage was passed
        a, b, c, d, e, f, g = marks
        return (b - a, c - b, d - c, e - d, f - e, g - f, end - g)
    ends = [*marks[1:], end]
    return tuple(after - before for before, after in zip(marks, ends, strict=True))


def _labels(call: Call) -> tuple[str, str, tuple[str, ...]]:
    """User, session and tags of a call, from its headers or its body."""
    headers = call.headers
    user = headers.get(b"x-stockpot-user")
    session = headers.get(b"x-stockpot-session")
    tags = headers.get(b"x-stockpot-tags")
    return (
        user.decode("utf-8", "replace") if user else (call.ask.user if call.ask else ""),
        session.decode("utf-8", "replace") if session else "",
        tuple(t.strip() for t in tags.decode("utf-8", "replace").split(",")) if tags else (),
    )


def _explain(record: Record, call: Call) -> None:
    """Note what a call belongs to: an evaluation's row, a prompt, experiments; and what
    its policy said."""
    if RUN in call.headers:
        _evaluates(record, call)
    if call.prompt is not None:
        _names_prompt(record, call.prompt)
    if call.exposures:
        record.exposures = call.exposures
    if call.guard is not None and record.is_root:
        record.guardrails = call.guard.told()


def _evaluates(record: Record, call: Call) -> None:
    """Note for which row of which evaluation a call was made."""
    record.dataset_run = call.headers[RUN][:_NAME_LIMIT].decode("utf-8", "replace")
    item = call.headers.get(b"x-stockpot-item", b"")
    record.dataset_item = item[:_NAME_LIMIT].decode("utf-8", "replace")


def _names_prompt(record: Record, prompt: Prompted) -> None:
    record.prompt_name, record.prompt_version = prompt.name, prompt.version
    record.prompt_label = prompt.label


def _record(attempt: Attempt, usage: Usage, source: str, root: bool) -> Record:
    call, answer, target = attempt.call, attempt.answer, attempt.target.spec
    key, ask = call.key, call.ask
    assert key is not None
    assert ask is not None
    end = perf_counter_ns()
    bill = bill_of(attempt, usage, source)
    began = call.request.received_ns if root else attempt.sent_ns
    ttft = attempt.first_ns - began if attempt.first_ns else 0
    after_first = attempt.last_ns - attempt.first_ns
    tpot = after_first // (usage.output - 1) if ttft and usage.output > 1 else 0
    user, session, tags = _labels(call)
    parent = call.parent_id if root else call.root_id
    start = call.start_ns if root else attempt.start_ns
    return Record(
        call.trace_id, attempt.span_id, parent, root, start, end - began,
        key.spec.project, key.spec.environment, key.spec.id, call.endpoint, ask.model,
        target.provider, target.id, target.model, answer.model if answer else "",
        attempt.status, attempt.error, attempt.message[:_TEXT_LIMIT],
        answer.finish_reason if answer else "", ask.stream, attempt.number, ttft, tpot,
        usage.input, usage.output, usage.cache_read, usage.cache_write, usage.reasoning,
        source, bill.nano, bill.parts, bill.price_id, user, session, tags, call.request.client,
        answer.response_id if answer else "", _stages(call.marks, end) if root else (),
        len(call.request.body), attempt.received_bytes, PAYLOAD_NONE, call.view.revision,
        call.dialect.name, attempt.degraded, attempt.reason, detail_of(usage), usage.tier,
        bill.units, bill.source, bill.saved,
    )  # fmt: skip


def _repeat(call: Call, first: Record, size: int) -> Record:
    key, ask = call.key, call.ask
    assert key is not None
    assert ask is not None
    end = perf_counter_ns()
    user, session, tags = _labels(call)
    took = end - call.request.received_ns
    return Record(
        call.trace_id, call.root_id, call.parent_id, True, call.start_ns, took, key.spec.project,
        key.spec.environment, key.spec.id, call.endpoint, ask.model, CACHE, CACHE, first.model,
        first.served_model, 200, "", "", first.finish_reason, ask.stream, 0,
        took if ask.stream else 0, 0, 0, 0, 0, 0, 0, "none", 0, (), "", user, session, tags,
        call.request.client, first.response_id, _stages(call.marks, end), len(call.request.body),
        size, PAYLOAD_NONE, call.view.revision, call.dialect.name, first.degraded,
        CACHE, (), "", (), "", first.cost_nano or 0, "hit",
    )  # fmt: skip


def _refusal(call: Call, reply: Reply) -> Record:
    key, ask = call.key, call.ask
    assert key is not None
    end = perf_counter_ns()
    user, session, tags = _labels(call)
    return Record(
        call.trace_id, call.root_id, call.parent_id, True, call.start_ns,
        end - call.request.received_ns, key.spec.project, key.spec.environment, key.spec.id,
        call.endpoint, ask.model if ask else "", "", "", "", "", reply.status, reply.code,
        reply.message[:_TEXT_LIMIT], "", ask.stream if ask else False, 0, 0, 0, 0, 0, 0, 0, 0,
        "none", 0, (), "", user, session, tags, call.request.client, "",
        _stages(call.marks, end), len(call.request.body), 0, PAYLOAD_NONE, call.view.revision,
        call.dialect.name,
    )  # fmt: skip
