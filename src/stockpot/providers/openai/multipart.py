"""Fields of a form with files, found without copying the files. Knows RFC 7578; knows no field.

The form goes on to a reader that is not this one, so whatever two readers may take differently is
refused: bare line ends, folded or repeated headers, escapes in names, encodings, text around the
parts, and two fields of one name where the name is asked for.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stockpot.providers.base import BadRequest

_MOST_PARTS = 200
_MOST_HEAD = 4096
_LONGEST_VALUE = 64 * 1024
_PARAMETER = re.compile(rb';[ \t]*([\w*-]+)=(?:"((?:[^"\\]|\\[^"])*)"|([^;\s"\\]+))')
_FORM = re.compile(rb"multipart/form-data[ \t]*((?:%b[ \t]*)*);?" % _PARAMETER.pattern, re.I)
_FIELD = re.compile(rb"form-data[ \t]*((?:%b[ \t]*)*);?" % _PARAMETER.pattern, re.I)
_BOUNDARY = re.compile(rb"[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]")
_HEADER = re.compile(rb"([\w-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_AS_IT_IS = (b"7bit", b"8bit", b"binary")


class Part(NamedTuple):
    """One part: where its content begins and ends in the body."""

    name: str
    file: str | None
    content_type: str
    begin: int
    end: int


class Form:
    """A body cut into parts. Raises BadRequest when it is not of its content type."""

    def __init__(self, body: bytes, content_type: bytes) -> None:
        self.body = body
        self.parts = _parts(body, b"--" + _boundary(content_type))

    def field(self, name: str) -> Part | None:
        found = [part for part in self.parts if part.name == name]
        if len(found) > 1 or (found and found[0].file is not None):
            raise BadRequest(f"the form must hold {name!r} once, as a plain field", name)
        return found[0] if found else None

    def text(self, name: str) -> str | None:
        """A plain field's value."""
        part = self.field(name)
        if part is None:
            return None
        if part.end - part.begin > _LONGEST_VALUE:
            raise BadRequest(f"the field {name!r} is too long", name)
        try:
            return self.body[part.begin : part.end].decode("utf-8")
        except UnicodeDecodeError:
            raise BadRequest(f"the field {name!r} is not UTF-8", name) from None


def _boundary(content_type: bytes) -> bytes:
    said = _FORM.fullmatch(content_type.strip())
    boundary = _parameters(said[1]).get(b"boundary", b"") if said else b""
    if not _BOUNDARY.fullmatch(boundary):
        raise BadRequest("send this endpoint a multipart/form-data body with its boundary")
    return boundary


def _parameters(said: bytes) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, quoted, plain in _PARAMETER.findall(said):
        if name.lower() in found:
            raise BadRequest(f"the form says {name.decode('latin-1')!r} twice in one header")
        found[name.lower()] = quoted or plain
    return found


def _parts(body: bytes, mark: bytes) -> tuple[Part, ...]:
    found: list[Part] = []
    at = 2 if body.startswith(b"\r\n") else 0
    if not body.startswith(mark, at):
        raise BadRequest("the form does not begin with the boundary of its content type")
    while len(found) <= _MOST_PARTS:
        head = at + len(mark) + 2
        if body.startswith(b"--", head - 2):
            return _whole(body, mark, tuple(found), head)
        begin = body.find(b"\r\n\r\n", head - 2, head + _MOST_HEAD) + 4
        end = body.find(b"\r\n" + mark, max(at, begin - 2))
        if not body.startswith(b"\r\n", head - 2) or begin == 3 or end < 0:
            raise BadRequest("the form is cut off or malformed")
        found.append(_part(body[head : begin - 4], begin, max(begin, end)))
        at = end + 2
    raise BadRequest(f"the form has more than {_MOST_PARTS} parts")


def _whole(body: bytes, mark: bytes, found: tuple[Part, ...], end: int) -> tuple[Part, ...]:
    """The parts, when nothing follows them and no line of a part looks like the end of one."""
    if body[end : end + 3] not in (b"", b"\r\n"):
        raise BadRequest("the form goes on after its last boundary")
    if body.count(b"\n" + mark) > len(found) + 1 or b"\r" + mark in body:
        raise BadRequest("the form's boundary stands in its content: choose another one")
    return found


def _part(head: bytes, begin: int, end: int) -> Part:
    said: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        header = _HEADER.fullmatch(line)
        if header is None or header[1].lower() in said:
            raise BadRequest("a part of the form has a header that is malformed or said twice")
        said[header[1].lower()] = header[2]
    field = _FIELD.fullmatch(said.get(b"content-disposition", b"").strip())
    if field is None or said.get(b"content-transfer-encoding", b"binary").lower() not in _AS_IT_IS:
        raise BadRequest("each part of the form must be plain form-data")
    parameters = _parameters(field[1])
    name, file = parameters.get(b"name", b""), parameters.get(b"filename")
    if not name or b"\\" in name or b"name*" in parameters:
        raise BadRequest("each part of the form must have a name without escapes")
    if file is None:
        file = parameters.get(b"filename*")
    kind = said.get(b"content-type", b"").strip().decode("latin-1")
    if kind.lower().startswith("multipart/"):
        raise BadRequest("a part of the form must not be a form itself")
    shown = None if file is None else file.decode("utf-8", "replace")
    return Part(name.decode("utf-8", "replace"), shown, kind, begin, end)
