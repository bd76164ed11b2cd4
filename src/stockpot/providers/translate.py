"""An answer that is read in one format and written in another. Knows events; knows no format.

Any re-chunking of the upstream's bytes gives the client the same events: readers hold back what is
not whole, and a writer is given whole events only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stockpot.providers.canon import Began, Ended, Failed, Metered, PartBegan, PartDelta
from stockpot.providers.heard import Heard

if TYPE_CHECKING:
    from stockpot.providers.base import Reader, Writer
    from stockpot.providers.canon import Event

_JSON = b"application/json"


class _Told(Heard):
    """An answer of which the events of a reader tell."""

    __slots__ = ("reader",)

    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def _hear(self, events: Sequence[Event]) -> None:
        for event in events:
            if type(event) is PartDelta:
                self.pieces += 1
                self.started = self.started or bool(event.text)
            elif type(event) is PartBegan:
                self.started = self.started or event.kind == "tool_call" or bool(event.hidden)
            elif type(event) is Metered:
                self.usage = event.usage
            elif type(event) is Ended:
                self.finish_reason = self.finish_reason or event.said or event.reason
            elif type(event) is Began:
                self.response_id = event.ident or self.response_id
                self.model = event.model or self.model
            elif type(event) is Failed:
                self.failure = event.message or "the upstream reported an error"


class Overheard(_Told):
    """An `Answer` whose bytes pass untouched: its reader only listens."""

    __slots__ = ("_broken",)

    def __init__(self, reader: Reader, writer: Writer) -> None:
        super().__init__(reader)
        self._broken = writer

    def feed(self, data: bytes) -> bytes:
        self._hear(self.reader.feed(data))
        return data

    def end(self) -> bytes:
        self._hear(self.reader.end())
        return b""

    def complete(self, body: bytes) -> bytes:
        try:
            self._hear(self.reader.complete(body))
        except ValueError:
            return body
        self.started = self.ended = True
        return body

    def broken(self, message: str, code: str) -> bytes:
        # What was half sent ends with this line end, or the error would be read as part of it.
        return b"\n\n" + self._broken.broken(message, code)


class Translated(_Told):
    """An `Answer` in the client's dialect to an answer in the upstream's."""

    __slots__ = ("_stream", "_writer")

    def __init__(self, reader: Reader, writer: Writer, stream: bool) -> None:
        super().__init__(reader)
        self._writer = writer
        self._stream = stream
        self.content_type = writer.stream_type if stream else _JSON

    def feed(self, data: bytes) -> bytes:
        return self._say(self.reader.feed(data))

    def _say(self, events: Sequence[Event]) -> bytes:
        if not events:
            return b""
        self._hear(events)
        if not self.failure:
            return self._writer.write(events)
        good = [event for event in events if type(event) is not Failed]
        return self._writer.write(good) + self._writer.broken(self.failure, "upstream_error")

    def end(self) -> bytes:
        rest = self._say(self.reader.end())
        if self.failure or not self.finish_reason:
            return rest
        self.ended = True
        return rest + self._writer.end()

    def complete(self, body: bytes) -> bytes:
        """Raises ValueError when the upstream's body is not what its format says."""
        events = self.reader.complete(body)
        self._hear(events)
        self.started = self.ended = True
        if not self._stream:
            return self._writer.complete(events)
        return self._writer.write(events) + self._writer.end()

    def broken(self, message: str, code: str) -> bytes:
        return self._writer.broken(message, code)
