"""W3C Trace Context and Baggage: how a call joins the trace of whoever makes it, and hands it on.

Knows the headers' grammar; knows no span. What is malformed is as if it were not there, as the
recommendation asks: a caller's broken tracing never costs an answer.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote_to_bytes

from stockpot.core import ids

if TYPE_CHECKING:
    from stockpot.gateway.http.messages import Headers

_PARENT = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_USED = re.compile(rb"([^\s@;]{1,200})@([0-9]{1,10})(?:;\s*label=([^\s;]{1,100}))?")
_IN_ARM = re.compile(rb"([^\s,;]{1,200});\s*arm=([^\s,;]{1,200});\s*unit=([0-9a-f]{24})")
_STATE = re.compile(rb"[ -~]{1,512}")
_BAGGAGE_MOST = 8192
_MOST_EXPERIMENTS = 8
Exposure = tuple[str, str, str]
"""The name of an experiment, of an arm, and the name that a unit has in records."""
ALONE = b"-01\r\n"
"""`Joined.onward` of a trace that begins here."""
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16

_LABELS = {
    b"user.id": b"x-stockpot-user",
    b"enduser.id": b"x-stockpot-user",
    b"session.id": b"x-stockpot-session",
    b"gen_ai.conversation.id": b"x-stockpot-session",
}
"""Members of baggage that say what a header of ours says; the header wins."""


class Joined(NamedTuple):
    """The trace that a call belongs to. `onward` ends the header that goes upstream, behind the
    span's id: the caller's flags and `tracestate`."""

    trace_id: bytes
    parent_id: bytes
    onward: bytes


def joined(headers: Headers) -> Joined:
    """The trace of the caller, or a new one where the headers name none."""
    told = [value for name, value in headers if name == b"traceparent"]
    found = _PARENT.fullmatch(told[0].strip()) if len(told) == 1 else None
    if found is None:
        return Joined(ids.trace_id(), b"", ALONE)
    version, trace, parent, flags, more = found.groups()
    if version == b"ff" or (more and version == b"00") or trace == _NO_TRACE or parent == _NO_SPAN:
        return Joined(ids.trace_id(), b"", ALONE)
    sampled = b"01" if int(flags, 16) & 1 else b"00"
    states = b",".join(value for name, value in headers if name == b"tracestate" and value)
    state = b"tracestate: %b\r\n" % states if _STATE.fullmatch(states) else b""
    onward = b"-%b\r\n%b" % (sampled, state)
    return Joined(bytes.fromhex(trace.decode()), bytes.fromhex(parent.decode()), onward)


def prompt_used(header: bytes) -> tuple[str, str, str] | None:
    """Name, version and label out of `NAME@VERSION;label=LABEL`: what the application says that it
    rendered the request from. Name and label are percent-encoded."""
    found = _USED.fullmatch(header.strip())
    if found is None:
        return None
    name, version, label = found.groups(b"")
    return _said(name), version.decode(), _said(label)


def experiments_used(header: bytes) -> tuple[Exposure, ...]:
    """Out of `NAME; arm=ARM; unit=UNIT, ...`: in which arms the application says that the call is
    made. Names are percent-encoded; what is malformed is left out."""
    found = (_IN_ARM.fullmatch(one.strip()) for one in header.split(b",")[:_MOST_EXPERIMENTS])
    told = [one.groups() for one in found if one is not None]
    return tuple((_said(name), _said(arm), unit.decode()) for name, arm, unit in told)


def _said(encoded: bytes) -> str:
    return unquote_to_bytes(encoded).decode("utf-8", "replace")


def labels(baggage: bytes) -> dict[bytes, bytes]:
    """User and session out of a `baggage` header, under the names of the headers that say them."""
    found: dict[bytes, bytes] = {}
    for member in baggage[:_BAGGAGE_MOST].split(b","):
        name, _, value = member.partition(b";")[0].partition(b"=")
        header = _LABELS.get(name.strip())
        said = unquote_to_bytes(value.strip()) if header else b""
        if header and said:
            found.setdefault(header, said)
    return found
