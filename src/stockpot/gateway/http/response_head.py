"""Reading the head of an upstream's answer, and how its body ends.

Knows the status line and the framing rules (RFC 9112 sections 4 and 6.3); knows no socket.
"""

from __future__ import annotations

import re

import msgspec

from stockpot.gateway.http.fields import Malformed, cut_length, read_fields
from stockpot.gateway.http.messages import Headers

CHUNKED = -1
UNTIL_CLOSE = -2

_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*+)?")
_KEEP_ALIVE = re.compile(rb"timeout\s*=\s*([0-9]{1,6})")
_LENGTH_DIGITS_MAX = 18
_KNOWN_MAX = 4096


class ResponseHead(msgspec.Struct, eq=False, gc=False):
    """What the head of an answer says."""

    status: int
    fields: Headers
    keep_alive: bool
    length: int = UNTIL_CLOSE
    """A number of bytes, CHUNKED or UNTIL_CLOSE."""
    idle_s: float = 0.0
    """How long the upstream says it keeps an idle connection; 0 when it says nothing."""


class ResponseReader:
    """Reads the heads of one origin's answers.

    Model servers repeat themselves but for the length. Such a head is not read again. `fields` and
    `length` belong to the last head that was read; its other parts are in what `read` returns,
    which later calls may return again.
    """

    __slots__ = ("_known", "_known_fields", "_measured", "_place", "_rest", "fields", "length")

    def __init__(self) -> None:
        self._rest = b""
        self._measured = False
        self._place = 0
        self._known: ResponseHead | None = None
        self._known_fields: Headers = []
        self.fields: Headers = []
        self.length = 0

    def read(self, data: bytes) -> ResponseHead:
        """`data` goes from the status line to the last header, without the blank line."""
        rest, number = cut_length(data)
        known = self._known
        if rest != self._rest or known is None or bool(number) != self._measured:
            return self._read_new(data, rest, number)
        self.fields = self._known_fields.copy()
        if number:
            self.length = read_length(number)
            self.fields.insert(self._place, (b"content-length", number))
        return known

    def _read_new(self, data: bytes, rest: bytes, number: bytes) -> ResponseHead:
        self._known = None
        head = read_response_head(data)
        self.fields = fields = head.fields
        self.length = head.length
        if len(rest) <= _KNOWN_MAX and head.length != 0:
            if number:
                names = [name for name, _ in fields]
                if names.count(b"content-length") != 1:
                    return head  # said twice: read it anew each time
                self._place = names.index(b"content-length")
                fields = [field for field in fields if field[0] != b"content-length"]
            else:
                fields = fields.copy()  # the other list is the receiver's
            self._known, self._known_fields = head, fields
            self._rest, self._measured = rest, bool(number)
        return head


def read_response_head(head: bytes) -> ResponseHead:
    """`head` goes from the status line to the last header."""
    lines = head.split(b"\r\n")
    found = _LINE.fullmatch(lines[0])
    if found is None:
        raise Malformed("the answer does not begin with an HTTP/1.1 status line")
    status = int(found[2])
    fields, special = read_fields(lines)
    answer = ResponseHead(status, fields, found[1] == b"1")
    asks_to_keep = _apply(answer, special)
    if asks_to_keep is not None:
        answer.keep_alive = asks_to_keep
    if status < 200 or status == 204 or status == 304:
        answer.length = 0
    elif answer.length == UNTIL_CLOSE:
        answer.keep_alive = False
    return answer


def read_length(value: bytes) -> int:
    """The number in a Content-Length."""
    if not value.isdigit() or len(value) > _LENGTH_DIGITS_MAX:
        raise Malformed("the answer's Content-Length is not a number")
    return int(value)


def _apply(answer: ResponseHead, special: Headers) -> bool | None:
    """Take in the framing fields; returns what `Connection` says about keeping it."""
    keeps: bool | None = None
    coded = False
    length: bytes | None = None
    for name, value in special:
        if name == b"content-length":
            if length is not None and value != length:
                raise Malformed("the answer has two different Content-Length headers")
            length = value
        elif name == b"transfer-encoding":
            if coded or value.lower() != b"chunked":
                raise Malformed("the answer uses a transfer coding other than 'chunked'")
            coded = True
        elif name == b"connection":
            keeps = _keeps(value, keeps)
        elif name == b"keep-alive":
            found = _KEEP_ALIVE.search(value.lower())
            if found is not None:
                answer.idle_s = max(float(found[1]) - 1.0, 0.01)
    if coded and length is not None:
        raise Malformed("the answer has both Content-Length and Transfer-Encoding")
    if coded:
        answer.length = CHUNKED
    elif length is not None:
        answer.length = read_length(length)
    return keeps


def _keeps(value: bytes, before: bool | None) -> bool | None:
    options = [option.strip(b" \t") for option in value.lower().split(b",")]
    if b"close" in options or before is False:
        return False
    return True if b"keep-alive" in options else before
