"""An answer that is there as a whole: a JSON body, a stream that was held, or plain text.

Knows their forms; each has `slots` to look at and is `written` again afterwards.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.gateway.guard import events, said
from stockpot.gateway.guard.events import Place
from stockpot.gateway.guard.slots import Slot
from stockpot.providers import ServerEvent, Splitter

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Whole:
    """A JSON body."""

    __slots__ = ("_data", "body", "changed", "slots")

    def __init__(self, dialect: str, endpoint: str, data: bytes, body: Any) -> None:
        self._data = data
        self.body = body
        self.changed = False
        bodies = body if isinstance(body, list) else [body]
        self.slots = [slot for one in bodies for slot in said.texts_of(dialect, endpoint, one)]

    def written(self, *, changed: bool) -> bytes:
        return _encode(self.body) if changed or self.changed else self._data


class Plain:
    """A text, or what cannot be read as anything else."""

    __slots__ = ("_data", "changed", "slots", "text")

    def __init__(self, data: bytes, text: str | None) -> None:
        self._data = data
        self.text = [text]
        self.changed = False
        self.slots = [Slot(self.text, 0, "output")] if text is not None else []

    def written(self, *, changed: bool) -> bytes:
        text = self.text[0]
        return text.encode() if (changed or self.changed) and text is not None else self._data


def read_answer(dialect: str, endpoint: str, data: bytes) -> Whole | Held | Plain:
    """The form of an answer. Sound and other bytes have no texts."""
    if data.startswith((b"data:", b"event:", b":")):
        held = Held(dialect)
        held.feed(data)
        held.end()
        return held
    try:
        return Whole(dialect, endpoint, data, _decode(data))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        return Plain(data, data.decode())
    except UnicodeDecodeError:
        return Plain(data, None)


class Held:
    """A stream that is held until it is whole. Each text is put together; written again, what
    became of it stands where its first piece stood."""

    __slots__ = ("_dialect", "_events", "_rows", "_splitter", "changed", "slots")

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self._splitter = Splitter()
        self._events: list[tuple[str, Any]] = []
        self._rows: list[tuple[events.Read, int]] = []
        self.slots: list[Slot] = []
        self.changed = False

    def feed(self, data: bytes) -> bytes:
        """Take more; nothing goes on yet."""
        for event in self._splitter.feed(data):
            self._take(event)
        return b""

    def _take(self, event: ServerEvent) -> None:
        if event.data.strip() == b"[DONE]":
            self._events.append((event.name, event.data))
            return
        try:
            self._events.append((event.name, _decode(event.data)))
        except msgspec.MsgspecError:
            return  # it cannot be looked into, and so it does not leave

    def end(self) -> None:
        """The stream is over: put its texts together."""
        for event in self._splitter.end():
            self._take(event)
        texts: dict[Place, list[events.Piece]] = {}
        repeated: list[tuple[Place, Slot]] = []
        for _, value in self._events:
            read = events.read(self._dialect, value)
            for piece in read.pieces:
                texts.setdefault(piece.place, []).append(piece)
            repeated += read.whole
        for place, pieces in texts.items():
            again = [slot for at, slot in repeated if at == place]
            self.slots.append(_Spread(pieces, again))
        self.slots += [slot for at, slot in repeated if at not in texts]

    def written(self, *, changed: bool) -> bytes:
        out = []
        for name, value in self._events:
            head = f"event: {name}\n".encode() if name else b""
            data = value if isinstance(value, bytes) else _encode(value)
            out.append(b"%bdata: %b\n\n" % (head, data))
        return b"".join(out)


class _Spread(Slot):
    """A text in pieces, which other events may repeat."""

    __slots__ = ("_again", "_pieces", "_text")

    def __init__(self, pieces: list[events.Piece], again: list[Slot]) -> None:
        first = pieces[0]
        super().__init__(first.holder, first.key, first.where)
        self._pieces = pieces
        self._again = again
        self._text = "".join(piece.holder[piece.key] for piece in pieces)

    @property
    def text(self) -> str:
        return self._text

    @text.setter
    def text(self, text: str) -> None:
        self._text = text
        for number, piece in enumerate(self._pieces):
            piece.holder[piece.key] = "" if number else text
        for slot in self._again:
            slot.text = text
