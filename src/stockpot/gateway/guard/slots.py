"""A text inside a decoded body, and its place: read, checked, written back. Knows no dialect."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from stockpot.rails import Where

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


class Slot:
    """One text. `history` marks what the model itself said before: it is masked like the rest,
    and judged by nothing else. `document` holds a JSON value, whose text is its JSON."""

    __slots__ = ("document", "history", "holder", "key", "where")

    def __init__(
        self, holder: Any, key: Any, where: Where, *, history: bool = False, document: bool = False
    ) -> None:
        self.holder = holder
        self.key = key
        self.where: Where = where
        self.history = history
        self.document = document

    @property
    def text(self) -> str:
        value = self.holder[self.key]
        return _encode(value).decode() if self.document else str(value)

    @text.setter
    def text(self, text: str) -> None:
        self.holder[self.key] = _decode(text) if self.document else text

    @property
    def in_json(self) -> bool:
        """Whether what stands here is JSON text, so that what is put into it must be escaped."""
        return self.document or self.where == "tool_call"


Slots = Iterator[Slot]


def strings(value: Any, where: Where, *, history: bool = False) -> Slots:
    """Every string inside a JSON value."""
    rows = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in rows:
        if isinstance(item, str):
            yield Slot(value, key, where, history=history)
        elif isinstance(item, dict | list):
            yield from strings(item, where, history=history)


def content(holder: dict[str, Any], key: str, where: Where, *, history: bool = False) -> Slots:
    """A content that is a text, or a list of texts and of parts that hold one."""
    value = holder.get(key)
    if isinstance(value, str):
        yield Slot(holder, key, where, history=history)
    elif isinstance(value, list):
        for number, part in enumerate(value):
            if isinstance(part, str):
                yield Slot(value, number, where, history=history)
            elif isinstance(part, dict) and isinstance(part.get("text"), str):
                yield Slot(part, "text", where, history=history)


def objects(holder: Any, key: str) -> Iterator[dict[str, Any]]:
    """The objects of a list; whatever else stands there is none of ours."""
    value = holder.get(key) if isinstance(holder, dict) else None
    if isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item


def json_text(text: str) -> str:
    """A text as it stands inside a JSON string."""
    return _encode(text)[1:-1].decode()
