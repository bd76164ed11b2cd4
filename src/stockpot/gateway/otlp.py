"""Spans that an application sends as OTLP, on their way to the span log: raw, as one record.

Knows records and content types; reads no span. What came in travels as the record's request body,
in the form and encoding that the record's tags name, and is read where the span log is written. So
taking spans in costs the data plane a copy, and works while the control plane is away.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from stockpot.core import ids
from stockpot.gateway.models import Key, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from stockpot.gateway.call import Call
    from stockpot.gateway.spool import Spool

ENDPOINT = "otlp"
"""`Record.endpoint` of what is no call but a request full of spans."""

PATH = b"/v1/traces"
FORMS = {"application/x-protobuf": "protobuf", "application/json": "json"}
ENCODINGS = ("", "identity", "gzip", "deflate", "zstd")
RETRY_AFTER_S = 5
POLICIES = {"none": 0, "full": 1, "masked": 2}

TYPES = {form: kind.encode() for kind, form in FORMS.items()}
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


def spool(call: Call, key: Key, into: Spool) -> None:
    """Answer a request full of spans once it lies in the spool. Its body is not read here."""
    headers = call.headers
    form = form_of(headers.get(b"content-type", b"").decode("latin-1"))
    encoding = headers.get(b"content-encoding", b"").decode("latin-1").strip().lower()
    if form is None or encoding not in ENCODINGS:
        wrong = "content-type" if form is None else "content-encoding"
        known = ", ".join(FORMS if form is None else ENCODINGS[2:])
        _answer(call, 415, f"this {wrong} is not taken; send one of {known}", form or "json")
        return
    if into.state != "ok":
        _later(call, form)
        return
    body = call.request.body
    record = entry(key.project, key.environment, key.id, key.payloads, (form, encoding), len(body),
                   call.request.client)  # fmt: skip
    asked = record.payload
    into.finish(record, body, None, _done(call, record, asked, form))


def _done(call: Call, record: Record, asked: int, form: str) -> Callable[[], None]:
    def done() -> None:
        if record.payload != asked:  # shed: there was no room for the body after all
            _later(call, form)
            return
        headers = [(b"content-type", TYPES[form])]
        call.exchange.respond(200, headers, _TAKEN[form])

    return done


def _later(call: Call, form: str) -> None:
    later = (b"retry-after", b"%d" % RETRY_AFTER_S)
    _answer(call, 503, "the spool has no room; send these spans again later", form, later)


def _answer(call: Call, status: int, message: str, form: str, *more: tuple[bytes, bytes]) -> None:
    """A google.rpc.Status, as OTLP asks for."""
    headers = [(b"content-type", TYPES[form]), *more]
    call.exchange.respond(status, headers, status_body(message, form, status))


_CODES = {400: 3, 401: 16, 403: 7, 413: 3, 415: 3, 429: 8, 503: 14}


def status_body(message: str, form: str, status: int = 400) -> bytes:
    """A google.rpc.Status with a code and a message."""
    code = _CODES.get(status, 2)
    if form == "json":
        import json

        return json.dumps({"code": code, "message": message}).encode()
    text = message.encode("utf-8", "replace")
    return b"\x08%c\x12%b%b" % (code, _varint(len(text)), text)


def partial_body(rejected: int, message: str, form: str) -> bytes:
    """An ExportTraceServiceResponse; it names what was refused, if something was."""
    if not rejected:
        return _TAKEN[form]
    if form == "json":
        import json

        told = {"rejectedSpans": str(rejected), "errorMessage": message}
        return json.dumps({"partialSuccess": told}).encode()
    text = message.encode("utf-8", "replace")
    inner = b"\x08%b\x12%b%b" % (_varint(rejected), _varint(len(text)), text)
    return b"\x0a%b%b" % (_varint(len(inner)), inner)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*out, value))
