"""Reading the head of a request, and refusing the ambiguous ones.

Knows the request line, the framing rules and `Host` (RFC 9112 sections 3 and 6); knows no socket.
"""

from __future__ import annotations

import re

import msgspec

from stockpot.gateway.http.fields import TOKEN, Malformed, read_fields
from stockpot.gateway.http.messages import Headers, Request, ServerLimits

CHUNKED = -1
"""The length of a body in the chunked coding."""

_LINE = re.compile(rb"(" + TOKEN + rb") ([\x21-\x22\x24-\x7e]++) HTTP/([0-9])\.([0-9])")
_METHOD = re.compile(TOKEN)
_HOST = re.compile(rb"[A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]*")
_ABSOLUTE = re.compile(rb"https?://([A-Za-z0-9\-._~%!$&'()*+,;=:\[\]]+)([/?].*)?", re.IGNORECASE)
_LENGTH_DIGITS_MAX = 18
_KNOWN_MAX = 4096
_LENGTH_LINE = b"\r\nContent-Length: "
_LENGTH_LINE_LOWER = _LENGTH_LINE.lower()


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
    """All that a head says. `request` is as yet without its body."""

    request: Request
    length: int = 0
    """Of the body, or CHUNKED."""
    keep_alive: bool = True
    closes: bool = False
    expects: bool = False
    forwarded: list[bytes] | None = None


class HeadReader:
    """Reads the heads of one connection.

    Clients repeat themselves: on a kept connection a head differs from the one before in its
    Content-Length alone, or in nothing. Such a head is not read again.
    """

    __slots__ = ("_known", "_limits", "_measured", "_rest")

    def __init__(self, limits: ServerLimits) -> None:
        self._limits = limits
        self._rest = b""
        self._measured = False
        self._known: Head | None = None

    def read(self, data: bytes) -> Head:
        """`data` goes from the request line to the last header, without the blank line."""
        at = data.find(_LENGTH_LINE)
        if at < 0:
            at = data.find(_LENGTH_LINE_LOWER)
        if at < 0:
            rest, value = data, b""
        else:
            begin = at + len(_LENGTH_LINE)
            end = data.find(b"\r\n", begin)
            if end < 0:
                end = len(data)
            rest, value = data[:at] + data[end:], data[begin:end]
        if rest == self._rest and self._measured == (at >= 0) and (at < 0 or value.isdigit()):
            return self._repeat(value)
        head = read_request_head(data, self._limits)
        if len(rest) <= _KNOWN_MAX:
            self._rest, self._measured = rest, at >= 0
            self._known = _to_keep(head, self._measured)
        return head

    def _repeat(self, value: bytes) -> Head:
        """The head before, with another length."""
        known = self._known
        assert known is not None
        length = known.length
        was = known.request
        fields = was.headers.copy()
        if self._measured:
            length = read_length(value)
            if length > self._limits.max_body:
                raise too_large(self._limits)
            fields.append((b"content-length", value))
        request = Request(was.method, was.target, was.path, was.query, fields, was.http_1_0)
        return Head(request, length, known.keep_alive, known.closes, known.expects, known.forwarded)


def _to_keep(head: Head, measured: bool) -> Head:
    """A copy, since what is handed out belongs to the handler and holds the body."""
    was = head.request
    fields = [field for field in was.headers if not measured or field[0] != b"content-length"]
    request = Request(was.method, was.target, was.path, was.query, fields, was.http_1_0)
    return msgspec.structs.replace(head, request=request)


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
    request = Request(method, target, path, query, fields, minor == b"0")
    parsed = Head(request, keep_alive=not request.http_1_0)
    hosts = _apply(parsed, special)
    if hosts != 1 and (hosts or minor == b"1"):
        raise _bad("an HTTP/1.1 request has exactly one Host header")
    if target[0] != 47:  # "/"
        _read_other_target(request)
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
            if coding is not None or value.lower() != b"chunked" or head.request.http_1_0:
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
        if not head.request.http_1_0:
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


def _read_other_target(request: Request) -> None:
    """The absolute form and `*`; a path is read already."""
    target = request.target
    if target == b"*" and request.method == b"OPTIONS":
        return
    if request.method == b"CONNECT":
        raise Refused(405, "method_not_allowed", "this server is no forward proxy: no CONNECT")
    found = _ABSOLUTE.fullmatch(target)
    if found is None:
        raise _bad("the request target is neither a path nor an http(s) URL")
    rest = found[2] or b"/"
    path, _, request.query = rest.partition(b"?")
    request.path = path or b"/"
    # RFC 9112 section 3.2.2: the authority in the target stands above the Host header.
    request.headers = [
        (name, found[1] if name == b"host" else value) for name, value in request.headers
    ]


def refused_line(line: bytes) -> Refused:
    """Why these bytes are no request line."""
    if line[:1] == b"\x16":
        return _bad("this looks like TLS; this port speaks plain HTTP: use http://")
    if line.startswith(b"PRI * HTTP/2"):
        return Refused(505, "http_version_not_supported", "this server speaks HTTP/1.1 only")
    return _bad("the request line is not 'METHOD target HTTP/1.1'")


def _bad(message: str) -> Refused:
    return Refused(400, "bad_request", message)
