"""A span as a sender told it, whichever form it came in. Knows OTLP's model; knows no dialect.

Beside what was read stand the very bytes that were sent, so that a span can be read again when
conventions have changed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

Attributes = dict[str, Any]

PROTOBUF, JSON = "protobuf", "json"
"""Forms of a `Piece`."""

REMOTE_PARENT = 0x200
"""Flag of a span whose parent belongs to another process."""


class Piece(NamedTuple):
    """The bytes of a span and of what it was sent under, each as they came."""

    form: str
    resource: bytes
    scope: bytes
    span: bytes


class Event(msgspec.Struct, gc=False):
    name: str
    at_ns: int
    attributes: Attributes


class Link(msgspec.Struct, gc=False):
    trace_id: bytes
    span_id: bytes
    attributes: Attributes


class Under(msgspec.Struct, gc=False):
    """What spans are sent under: who runs (resource), and which library tells (scope)."""

    resource: Attributes
    scope: str
    scope_version: str
    raw_resource: bytes
    raw_scope: bytes


class Incoming(msgspec.Struct, gc=False):
    """One span. `status` is 0 unset, 1 ok, 2 error; times are Unix nanoseconds."""

    under: Under
    form: str
    raw: bytes
    trace_id: bytes = b""
    span_id: bytes = b""
    parent_id: bytes = b""
    name: str = ""
    start_ns: int = 0
    end_ns: int = 0
    status: int = 0
    message: str = ""
    flags: int = 0
    attributes: Attributes = {}
    events: list[Event] = []
    links: list[Link] = []

    @property
    def piece(self) -> Piece:
        under = self.under
        return Piece(self.form, under.raw_resource, under.raw_scope, self.raw)

    @property
    def fault(self) -> str:
        """Why this cannot be kept; '' when it can."""
        if len(self.trace_id) != 16 or not any(self.trace_id):
            return "a trace id has 16 bytes, not all of them zero"
        if len(self.span_id) != 8 or not any(self.span_id):
            return "a span id has 8 bytes, not all of them zero"
        return ""


class Unreadable(ValueError):
    """The bytes are not what they are said to be."""
