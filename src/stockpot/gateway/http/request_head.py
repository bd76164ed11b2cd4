"""Reading the head of a request, and refusing the ambiguous ones.

Knows the request line, the framing rules and `Host` (RFC 9112 sections 3 and 6); knows no socket.
"""

from __future__ import annotations

import re

import msgspec

from stockpot.gateway.http.fields import TOKEN, Malformed, cut_length, read_fields
from stockpot.gateway.http.messages import Headers, ServerLimits

CHUNKED = -1
"""The length of a body in the chunked coding."""

_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x22\x24-\x7e]++) HTTP/([0-9])\.([0-9])")
_METHOD = re.compile(TOKEN)
_HOST = re.compile(rb"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
_ABSOLUTE = re.compile(rb"https?://([A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]+)([/?].*)?", re.IGNORECASE)
_LENGTH_DIGITS_MAX = 18
_KNOWN_MAX = 4096


class Refused(Exception):
    """The server answers by itself, with this status, and closes the connection."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def may_begin(data: bytes) -> bool:
    """Whether a request may begin like this; TLS and binary rubbish do not."""
    return _METHOD.match(data) is not None


class Head(msgspec.Struct, eq=False):
    """All that a head says."""

    method: bytes
    target: bytes
    path: bytes
    query: bytes
    fields: Headers
    http_1_0: bool
    keep_alive: bool
    closes: bool = False
    length: int = 0
    """Of the body, or CHUNKED."""
    expects: bool = False
    forwarded: list[bytes] | None = None


class HeadReader:
    """Reads the heads of one connection.

    Clients repeat themselves: on a kept connection a head differs from the one before in its
    Content-Length alone, or in nothing. Such a head is not read again. `fields` and `length` belong
    to the last head that was read; its other parts are in what `read` returns, which later calls
    may return again.
    """

    __slots__ = (
        "_known",
        "_known_fields",
        "_limits",
        "_measured",
        "_place",
        "_rest",
        "fields",
        "length",
    )

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._rest = b""
        self._measured = False
        self._place = 0
        self._known: Head | None = None
        self._known_fields: Headers = []
        self.fields: Headers = []
        self.length = 0

    def read(self, data: bytes) -> Head:
        """`data` goes from the request line to the last header, without the blank line."""
        rest, number = cut_length(data)
        known = self._known
        if rest != self._rest or known is None or bool(number) != self._measured:
            return self._read_new(data, rest, number)
        self.fields = self._known_fields.copy()
        if number:
            self.length = length = read_length(number)
            if length > self._limits.max_body:
                raise too_large(self._limits)
            self.fields.insert(self._place, (b"content-length", number))
        return known

    def _read_new(self, data: bytes, rest: bytes, number: bytes) -> Head:
        self._known = None
        head = read_request_head(data, self._limits)
        self.fields = fields = head.fields
        self.length = head.length
        if len(rest) <= _KNOWN_MAX:
            if number:
                names = [name for name, _ in fields]
                if names.count(b"content-length") != 1:
                    return head  # said twice: read it anew each time
                self._place = names.index(b"content-length")
                fields = [field for field in fields if field[0] != b"content-length"]
            else:
                fields = fields.copy()  # the other list is the handler's
            self._known, self._known_fields = head, fields
            self._rest, self._measured = rest, bool(number)
        return head


def read_request_head(head: bytes, limits: ServerLimits) -> Head:
    """`head` goes from the request line to the last header, without the final blank line."""
    lines = head.split(b"\r\n")
    found = _LINE.fullmatch(lines[0])
    if found is None:
        raise refused_line(lines[0])
    method, target, major, minor = found.groups()
    if major != b"1" or minor not in b"01":
        raise Refused(505, "http_version_not_supported", "this server speaks HTTP/1.1 only")
    if len(lines) > limits.max_headers + 1:
        message = f"the request has more than {limits.max_headers} headers"
        raise Refused(431, "headers_too_large", message)
    try:
        fields, special = read_fields(lines)
    except Malformed as fault:
        raise _bad(str(fault)) from None
    path, _, query = target.partition(b"?")
    old = minor == b"0"
    parsed = Head(method, target, path, query, fields, old, not old)
    hosts = _apply(parsed, special)
    if hosts != 1 and (hosts or not old):
        raise _bad("an HTTP/1.1 request has exactly one Host header")
    if target[0] != 47:  # "/"
        _read_other_target(parsed)
    if parsed.length > limits.max_body:
        raise too_large(limits)
    return parsed


def too_large(limits: ServerLimits) -> Refused:
    """The refusal of a body beyond the limit."""
    message = f"the body is larger than {limits.max_body} bytes"
    return Refused(413, "body_too_large", message)


def _apply(head: Head, special: Headers) -> int:
    """Take in the framing fields; returns how many `Host` fields there are."""
    hosts, length, coding = 0, None, None
    for name, value in special:
        if name == b"host":
            hosts += 1
            if not _HOST.fullmatch(value):
                raise _bad("the Host header is not a host name with an optional port")
        elif name == b"content-length":
            if length is not None:
                raise _bad("the request has more than one Content-Length")
            length = head.length = read_length(value)
        elif name == b"transfer-encoding":
            if coding is not None or value.lower() != b"chunked" or head.http_1_0:
                raise _bad("the only transfer coding that a request may use is 'chunked', once")
            coding = value
            head.length = CHUNKED
        else:
            _apply_rest(head, name, value)
    if coding is not None and length is not None:
        raise _bad("the request has both Content-Length and Transfer-Encoding")
    return hosts


def _apply_rest(head: Head, name: bytes, value: bytes) -> None:
    if name == b"connection":
        _apply_connection(head, value)
    elif name == b"expect":
        if not head.http_1_0:
            if value.lower() != b"100-continue":
                raise Refused(417, "expectation_failed", "the only expectation is 100-continue")
            head.expects = True
    elif name == b"x-forwarded-for":
        if head.forwarded is None:
            head.forwarded = []
        head.forwarded.append(value)
    elif name == b"upgrade" and value.lower() != b"h2c":
        # An offer of h2c may be ignored; who asks for another protocol would wait for it.
        raise Refused(400, "upgrade_not_supported", "this server does not upgrade connections")


def _apply_connection(head: Head, value: bytes) -> None:
    options = [option.strip(b" \t") for option in value.lower().split(b",")]
    if b"close" in options:
        head.closes = True
    head.keep_alive = not head.closes and (head.keep_alive or b"keep-alive" in options)


def read_length(value: bytes) -> int:
    """The number in a Content-Length."""
    # bytes.isdigit knows ASCII digits only; int() alone would take "+1" and "1_0".
    if not value.isdigit():
        raise _bad("Content-Length is not a number")
    if len(value) > _LENGTH_DIGITS_MAX:
        raise Refused(413, "body_too_large", "Content-Length is out of all bounds")
    return int(value)


def _read_other_target(head: Head) -> None:
    """The absolute form and `*`; a path is read already."""
    target = head.target
    if target == b"*" and head.method == b"OPTIONS":
        return
    if head.method == b"CONNECT":
        raise Refused(405, "method_not_allowed", "this server is no forward proxy: no CONNECT")
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise _bad("the request target is neither a path nor an http(s) URL")
    path, _, head.query = (found[2] or b"/").partition(b"?")
    head.path = path or b"/"
    # RFC 9112 section 3.2.2: the authority in the target stands above the Host header.
    head.fields = [(name, found[1] if name == b"host" else value) for name, value in head.fields]


def refused_line(line: bytes) -> Refused:
    """Why these bytes are no request line."""
    if line[:1] == b"\x16":
        return _bad("this looks like TLS; this port speaks plain HTTP: use http://")
    if line.startswith(b"PRI * HTTP/2"):
        return Refused(505, "http_version_not_supported", "this server speaks HTTP/1.1 only")
    return _bad("the request line is not 'METHOD target HTTP/1.1'")


def _bad(message: str) -> Refused:
    return Refused(400, "bad_request", message)
