"""Spans that an application sends as OTLP, on their way to the span log: raw, as one record.

Knows records and content types; reads no span. What came in travels as the record's request body,
in the form and encoding that the record's tags name, and is read where the span log is written. So
taking spans in costs the data plane a copy, and works while the control plane is away. Where a
key's policy is `masked`, personal data is replaced before the spool sees it.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from stockpot.core import ids
from stockpot.core.errors import StockpotError
from stockpot.gateway import otlp_encoding, otlp_masks, varint
from stockpot.gateway.models import Key, Record

if TYPE_CHECKING:
    from stockpot.gateway.call import Call
    from stockpot.gateway.spool import Spool

ENDPOINT = "otlp"
"""`Record.endpoint` of what is no call but a request full of spans."""

PATH = b"/v1/traces"
FORMS = {"application/x-protobuf": "protobuf", "application/json": "json"}
ENCODINGS = otlp_encoding.KNOWN
RETRY_AFTER_S = 5
POLICIES = {"none": 0, "full": 1, "masked": 2}
MASKED = 2
CLEAN = "clean"
"""A third tag of records whose body is masked already."""

MOST_WAITING = 1 << 30
"""Bytes in the spool beyond which no more of others' spans are taken, when nothing else is said."""

_MOST_MASKING = 64 << 20

TYPES = {form: kind.encode() for kind, form in FORMS.items()}
unpacked = otlp_encoding.unpacked
_TAKEN = {"protobuf": b"", "json": b"{}"}
"""An ExportTraceServiceResponse that has nothing to complain of."""


def form_of(content_type: str) -> str | None:
    """The form that a content type names, or None for one that is not taken."""
    return FORMS.get(content_type.partition(";")[0].strip().lower())


def entry(
    project: str,
    environment: str,
    key_id: str,
    payloads: str,
    how: tuple[str, str],
    size: int,
    client: str = "",
) -> Record:
    """The record of a request full of spans; `how` are its form and its content encoding."""
    return Record(
        ids.trace_id(), ids.span_id(), b"", False, time.time_ns(), 0, project, environment, key_id,
        ENDPOINT, "", "", "", "", "", 200, "", "", "", False, 0, 0, 0, 0, 0, 0, 0, 0, "none", 0,
        (), "", "", "", how, client, "", (), size, 0, POLICIES[payloads], 0,
    )  # fmt: skip


async def cleaned(record: Record, body: bytes) -> bytes:
    """The body as the record's policy lets it be kept; the record says what was done. Works in a
    thread. Raises InvalidInput for what cannot be read."""
    if record.payload != MASKED:
        return body
    form, encoding, *_ = record.tags
    clean = await asyncio.to_thread(otlp_masks.masked, body, form, encoding)
    record.tags = (form, "", CLEAN)
    return clean


class Intake:
    """The gateway's door for spans. What is answered with 200 lies in the spool. When
    `most_waiting` bytes wait there nothing is taken and senders are told to come again, so that
    calls of the gateway's own keep their room."""

    def __init__(self, into: Spool, most_waiting: int = MOST_WAITING) -> None:
        self._spool = into
        self._most = most_waiting
        self._masking = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, call: Call, key: Key) -> None:
        """Answer a request full of spans once it lies in the spool. Its spans are not read here."""
        headers = call.headers
        form = form_of(headers.get(b"content-type", b"").decode("latin-1"))
        encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
        if form is None or encoding not in ENCODINGS:
            wrong = "content-type" if form is None else "content-encoding"
            known = ", ".join(FORMS if form is None else ENCODINGS[2:])
            _answer(call, 415, f"this {wrong} is not taken; send one of {known}", form or "json")
            return
        body = call.request.body
        if self._spool.state != "ok":
            _later(call, form, 503)
            return
        if self._is_behind(len(body)):
            _later(call, form, 429)
            return
        record = entry(key.project, key.environment, key.id, key.payloads, (form, encoding),
                       len(body), call.request.client)  # fmt: skip
        if record.payload != MASKED:
            self._put(call, record, body, form)
            return
        task = asyncio.ensure_future(self._clean_and_put(call, record, body, form))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _is_behind(self, more: int) -> bool:
        return self._spool.waiting_bytes + self._masking + more > self._most or (
            self._masking > 0 and self._masking + more > _MOST_MASKING
        )

    async def _clean_and_put(self, call: Call, record: Record, body: bytes, form: str) -> None:
        self._masking += len(body)
        try:
            clean = await cleaned(record, body)
        except StockpotError as wrong:
            _answer(call, 413 if wrong.status == 413 else 400, wrong.message, form)
            return
        finally:
            self._masking -= len(body)
        self._put(call, record, clean, form)

    def _put(self, call: Call, record: Record, body: bytes, form: str) -> None:
        asked = record.payload

        def done() -> None:
            if record.payload != asked:  # shed: there was no room for the body after all
                _later(call, form, 503)
                return
            call.exchange.respond(200, [(b"content-type", TYPES[form])], _TAKEN[form])

        self._spool.finish(record, body, None, done)


def _later(call: Call, form: str, status: int) -> None:
    later = (b"retry-after", b"%d" % RETRY_AFTER_S)
    why = "too many spans wait" if status == 429 else "the spool has no room"
    _answer(call, status, f"{why}; send these again later", form, later)


def _answer(call: Call, status: int, message: str, form: str, *more: tuple[bytes, bytes]) -> None:
    """A google.rpc.Status, as OTLP asks for."""
    headers = [(b"content-type", TYPES[form]), *more]
    call.exchange.respond(status, headers, status_body(message, form, status))


_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}


_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


def status_body(message: str, form: str, status: int = 400) -> bytes:
    """A google.rpc.Status with a code and a message; a RetryInfo too where sending again helps."""
    code, again = _CODES.get(status, 2), status in (429, 503)
    if form == "json":
        import json

        told: dict[str, object] = {"code": code, "message": message}
        if again:
            told["details"] = [{"@type": _RETRY_INFO, "retryDelay": f"{RETRY_AFTER_S}s"}]
        return json.dumps(told).encode()
    text = message.encode("utf-8", "replace")
    head = b"\x08%c\x12%b%b" % (code, varint.written(len(text)), text)
    return head + retry_info(RETRY_AFTER_S) if again else head


def retry_info(seconds: int) -> bytes:
    """The field `details` of a google.rpc.Status that holds a RetryInfo."""
    kind = _RETRY_INFO.encode()
    delay = b"\x0a\x02\x08%c" % seconds
    detail = b"\x0a%c%b\x12%c%b" % (len(kind), kind, len(delay), delay)
    return b"\x1a%c%b" % (len(detail), detail)


def partial_body(rejected: int, message: str, form: str) -> bytes:
    """An ExportTraceServiceResponse; it names what was refused, if something was."""
    if not rejected:
        return _TAKEN[form]
    if form == "json":
        import json

        told = {"rejectedSpans": str(rejected), "errorMessage": message}
        return json.dumps({"partialSuccess": told}).encode()
    text = message.encode("utf-8", "replace")
    inner = b"\x08%b\x12%b%b" % (varint.written(rejected), varint.written(len(text)), text)
    return b"\x0a%b%b" % (varint.written(len(inner)), inner)
