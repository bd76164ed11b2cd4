"""Header fields, read strictly: what could be understood in two ways is refused.

Knows the grammar of RFC 9110 section 5 and RFC 9112 section 5, shared by both faces; knows neither
requests nor responses.
"""

from __future__ import annotations

import re

from stockpot.gateway.http.messages import Headers


class Malformed(Exception):
    """These bytes are not the HTTP that this end accepts."""


HEAD_END = b"\r\n\r\n"
BARE_LF = re.compile(rb"(?<!\r)\n")
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"

_FIELD = re.compile(rb"(" + TOKEN + rb"):([\t\x20-\x7e\x80-\xff]*+)")

_FRAMING = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"transfer-encoding",
        b"upgrade",
        b"x-forwarded-for",
    )
)
"""Fields that one of the faces itself acts upon."""

_REPEATING = frozenset(
    (
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"cache-control",
        b"connection",
        b"content-type",
        b"host",
        b"keep-alive",
        b"server",
        b"transfer-encoding",
        b"user-agent",
        b"vary",
        b"via",
    )
)
_SEEN_MAX = 1024
_SEEN_LINE_MAX = 200
_seen: dict[bytes, tuple[bytes, bytes]] = {}
"""Lines that come with almost every message, already read. Saves a third of the time of a head;
fields that may carry a secret or that differ from call to call never get in."""


def read_fields(lines: list[bytes]) -> tuple[Headers, Headers]:
    """All fields, and among them those that frame the message. `lines[0]` is the start line."""
    seen = _seen
    framing = _FRAMING
    fields: Headers = []
    special: Headers = []
    for line in lines[1:]:
        field = seen.get(line)
        if field is None:
            field = _read_field(line)
        fields.append(field)
        if field[0] in framing:
            special.append(field)
    return fields, special


def _read_field(line: bytes) -> tuple[bytes, bytes]:
    found = _FIELD.fullmatch(line)
    if found is None:
        raise Malformed(_what_is_wrong(line))
    name = found[1].lower()
    field = (name, found[2].strip(b" \t"))
    if len(line) <= _SEEN_LINE_MAX and (name in _REPEATING or name.startswith(b"x-stainless-")):
        if len(_seen) >= _SEEN_MAX:
            _seen.clear()
        _seen[line] = field
    return field


def _what_is_wrong(line: bytes) -> str:
    """Names the fault without repeating the value, which may be a secret."""
    name, colon, _ = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        return "a header is folded over two lines; send it on one line"
    if not colon:
        return "a header line has no colon"
    if name != name.rstrip(b" \t"):
        return "there is a blank before the colon of a header"
    if not re.fullmatch(TOKEN, name):
        return "a header has a name that is not a token"
    return f"header {name.decode('ascii')!r} holds a control character"
