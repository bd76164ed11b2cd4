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

_NAME = re.compile(TOKEN)
_VALUE_BYTES = bytes([9, *range(0x20, 0x7F), *range(0x80, 0x100)])

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
        *(
            b"x-stainless-" + name
            for name in (
                b"arch",
                b"async",
                b"lang",
                b"os",
                b"package-version",
                b"read-timeout",
                b"retry-count",
                b"runtime",
                b"runtime-version",
            )
        ),
    )
)
_SEEN_MAX = 1024
_SEEN_LINE_MAX = 200
_seen: dict[bytes, tuple[bytes, bytes]] = {}
"""Lines that come with almost every message, already read. Saves a third of the time of a head;
fields that may carry a secret or that differ from call to call never get in."""
_names: dict[bytes, bytes] = {}
"""Names that were found valid, and their lower case."""

_LENGTH = b"\r\nContent-Length: "
_LENGTH_LOWER = _LENGTH.lower()


def cut_length(head: bytes) -> tuple[bytes, bytes]:
    """A head with a bare mark in place of its Content-Length line, and the number of that line.

    The mark keeps apart heads whose lines stand in another order; the first part is for comparing.
    Successive heads of one sender often differ in this number alone. Without such a line, or with
    one that is not plainly a number, the number is empty and the head is left whole.
    """
    at = head.find(_LENGTH)
    if at < 0:
        at = head.find(_LENGTH_LOWER)
        if at < 0:
            return head, b""
    begin = at + len(_LENGTH)
    end = head.find(b"\r\n", begin)
    if end < 0:
        value, rest = head[begin:], head[:at] + b"\0"
    else:
        value, rest = head[begin:end], head[:at] + b"\0" + head[end:]
    return (rest, value) if value.isdigit() else (head, b"")


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
    raw, colon, value = line.partition(b":")
    name = _names.get(raw) or _read_name(raw, line)
    if not colon or value.translate(None, _VALUE_BYTES):
        raise Malformed(_what_is_wrong(line))
    if name == b"transfer-encoding" and b"\t" in value:
        # Valid, but there are readers that do not know it for the blank it is.
        raise Malformed("there is a tab in Transfer-Encoding")
    field = (name, value.strip(b" \t"))
    if name in _REPEATING and len(line) <= _SEEN_LINE_MAX:
        if len(_seen) >= _SEEN_MAX:
            _seen.clear()
        _seen[line] = field
    return field


def _read_name(raw: bytes, line: bytes) -> bytes:
    if not _NAME.fullmatch(raw):
        raise Malformed(_what_is_wrong(line))
    name = raw.lower()
    if len(raw) <= _SEEN_LINE_MAX:
        if len(_names) >= _SEEN_MAX:
            _names.clear()
        _names[raw] = name
    return name


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
