"""A streamed answer on its way to the client: each text is scanned, masked and taken back.

Events stay events and keep their order; a text is held back as long as its scanner wants, and what
is left of it goes out before the event that ends it. What the client reads depends on the texts
alone, not on how they were cut into events or events into chunks. Knows server-sent events and
dialects' texts; writes to nobody.
"""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.gateway.guard import events
from stockpot.gateway.guard.events import Piece, Place
from stockpot.gateway.guard.slots import Slot, json_text
from stockpot.providers import ServerEvent, Splitter
from stockpot.rails import CompiledPolicy, Outcome, StreamScanner, Unmasking, Vault, Where

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_NUMBER = "sequence_number"


class Text:
    """One text of an answer, as it comes."""

    __slots__ = ("done", "last", "name", "released", "scanner", "unmasking", "where")

    def __init__(self, policy: CompiledPolicy, where: Where, vault: Vault | None) -> None:
        self.where: Where = where
        self.scanner = StreamScanner(policy, where)
        escape = json_text if where == "tool_call" else None
        self.unmasking: Unmasking | None = (
            vault.unmask_stream(escape) if vault is not None and len(vault) else None
        )
        self.released: list[str] = []
        self.name = ""
        self.last: dict[str, Any] = {}
        self.done = False

    def feed(self, piece: str) -> str:
        out = self.scanner.feed(piece)
        if self.unmasking is not None:
            out = self.unmasking.feed(out)
        self.released.append(out)
        return out

    def finish(self) -> str:
        self.done = True
        out = self.scanner.finish()
        if self.unmasking is not None:
            out = self.unmasking.feed(out) + self.unmasking.finish()
        self.released.append(out)
        return out


class Editor:
    """One stream. `feed` and `finish` return what may go on; `stopped` is set when a rule ends it,
    and `verdicts` are the outcomes of texts that are through."""

    __slots__ = (
        "_dialect", "_number", "_policy", "_splitter", "_texts", "_vault", "most_held", "stopped",
        "verdicts",
    )  # fmt: skip

    def __init__(self, dialect: str, policy: CompiledPolicy, vault: Vault | None) -> None:
        self._dialect = dialect
        self._policy = policy
        self._vault = vault
        self._splitter = Splitter()
        self._texts: dict[Place, Text] = {}
        self._number = 0
        self.stopped: Outcome | None = None
        self.verdicts: list[tuple[Where, Outcome]] = []
        self.most_held = 0

    def feed(self, data: bytes) -> bytes:
        """Bytes of the client's dialect, as they come."""
        return b"".join(map(self._event, self._splitter.feed(data)))

    def finish(self) -> bytes:
        """The stream has ended: what was held back, and the outcomes."""
        out = [self._event(event) for event in self._splitter.end()]
        out.append(self._end(()))
        return b"".join(out)

    def _event(self, event: ServerEvent) -> bytes:
        if self.stopped is not None:
            return b""
        if event.data.strip() == b"[DONE]":
            return self._end(()) + b"data: [DONE]\n\n"
        try:
            value = _decode(event.data)
        except msgspec.MsgspecError:
            return b""  # it cannot be looked into, and so it does not leave
        read = events.read(self._dialect, value)
        out = []
        for piece in read.pieces:
            self._take(piece, event.name, value)
        if self.stopped is not None:
            return self._written(event.name, value)
        for place in read.ended:
            mine = [piece for piece in read.pieces if piece.place[: len(place)] == place]
            out.append(self._end(place, mine))
        for place, slot in read.whole:
            self._repeat(place, slot)
        if self.stopped is not None:
            return b"".join(out)
        out.append(self._written(event.name, value))
        return b"".join(out)

    def _take(self, piece: Piece, name: str, value: dict[str, Any]) -> None:
        if self.stopped is not None:  # by a piece of the same event
            piece.holder[piece.key] = ""
            return
        text = self._texts.get(piece.place)
        if text is None or text.done:
            text = self._texts[piece.place] = Text(self._policy, piece.where, self._vault)
        text.name, text.last = name, value
        piece.holder[piece.key] = text.feed(piece.holder[piece.key])
        self._look(text)

    def _look(self, text: Text) -> None:
        scanner = text.scanner
        self.most_held = max(self.most_held, scanner.most_held)
        if scanner.stopped and self.stopped is None:
            self.stopped = scanner.verdict
            assert scanner.verdict is not None
            self.verdicts.append((text.where, scanner.verdict))

    def _end(self, beginning: Place, here: list[Piece] | None = None) -> bytes:
        """Texts end: what is left of each goes into the event at hand, or into one before it."""
        out = []
        for place, text in self._texts.items():
            if text.done or place[: len(beginning)] != beginning:
                continue
            rest = self._finished(text)
            if not rest:
                continue
            mine = [piece for piece in here or () if piece.place == place]
            if mine:
                mine[-1].holder[mine[-1].key] += rest
            else:
                event = events.more(self._dialect, place, rest, text.last)
                out.append(self._written(text.name, event))
        return b"".join(out)

    def _finished(self, text: Text) -> str:
        """The end of a text, and its outcome."""
        rest = text.finish()
        self._look(text)
        verdict = text.scanner.verdict
        if verdict is not None and not text.scanner.stopped:
            self.verdicts.append((text.where, verdict))
        return rest

    def _repeat(self, place: Place, slot: Slot) -> None:
        """A text that is told as a whole: as it was let out, or looked at now."""
        text = self._texts.get(place)
        if text is None:
            text = self._texts[place] = Text(self._policy, slot.where, self._vault)
            said = slot.text
            shown = text.feed(said)
            self._look(text)
            shown += self._finished(text)
        else:
            shown = "".join(text.released)
        if self.stopped is None and shown != slot.text:
            slot.text = shown

    def _written(self, name: str, value: Any) -> bytes:
        if isinstance(value, dict) and _NUMBER in value:
            value[_NUMBER], self._number = self._number, self._number + 1
        head = f"event: {name}\n".encode() if name else b""
        return b"%bdata: %b\n\n" % (head, _encode(value))
