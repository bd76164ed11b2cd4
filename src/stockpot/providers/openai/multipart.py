"""Fields of a form with files, found without copying the files. Knows RFC 7578; knows no field.

Two fields of one name are refused where the name is asked for: another reader may take the other.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stockpot.providers.base import BadRequest

_MOST_PARTS = 200
_MOST_HEAD = 4096
_LONGEST_VALUE = 64 * 1024
_PARAMETER = re.compile(rb';\s*([\w*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))')


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
    kind, _, _ = content_type.partition(b";")
    if kind.strip().lower() == b"multipart/form-data":
        for name, quoted, plain in _PARAMETER.findall(content_type):
            boundary: bytes = quoted or plain
            if name.lower() == b"boundary" and 0 < len(boundary) <= 70:
                return boundary
    raise BadRequest("send this endpoint a multipart/form-data body with its boundary")


def _parts(body: bytes, mark: bytes) -> tuple[Part, ...]:
    found: list[Part] = []
    at = 0 if body.startswith(mark) else body.find(b"\r\n" + mark) + 2
    if at == 1:
        raise BadRequest("the form has no part with the boundary of its content type")
    while len(found) <= _MOST_PARTS:
        at += len(mark)
        if body.startswith(b"--", at):
            return tuple(found)
        head = body.find(b"\r\n", at, at + 64) + 2
        begin = body.find(b"\r\n\r\n", max(at, head - 2), at + _MOST_HEAD) + 4
        end = body.find(b"\r\n" + mark, max(at, begin - 2))
        if head == 1 or begin == 3 or end < 0 or body[at : head - 2].strip(b" \t"):
            raise BadRequest("the form is cut off or malformed")
        found.append(_part(body[head:begin], begin, max(begin, end)))
        at = end + 2
    raise BadRequest(f"the form has more than {_MOST_PARTS} parts")


def _part(head: bytes, begin: int, end: int) -> Part:
    name, file, kind = "", None, ""
    for line in head.split(b"\r\n"):
        title, _, value = line.partition(b":")
        if title.strip().lower() == b"content-disposition":
            for key, quoted, plain in _PARAMETER.findall(value):
                text = (quoted or plain).decode("utf-8", "replace")
                if key.lower() == b"name":
                    name = text
                elif key.lower() in (b"filename", b"filename*"):
                    file = text
        elif title.strip().lower() == b"content-type":
            kind = value.strip().decode("latin-1")
    return Part(name, file, kind, begin, end)
