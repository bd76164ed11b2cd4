"""Answers of Gemini's that pass byte for byte to a Gemini client. Knows where events end.

Only whole events go on to the client, so that an error can follow them at any time and be read.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from stockpot.prices import Usage
from stockpot.providers.canon import Began, Event, Metered
from stockpot.providers.gemini.reader import GeminiReader
from stockpot.providers.gemini.writer import GeminiWriter
from stockpot.providers.translate import Overheard


class _Count(msgspec.Struct):
    totalTokens: int  # noqa: N815 - Google's name


_count = msgspec.json.Decoder(_Count)


class Passing(Overheard):
    """Listens to one answer; the bytes are the upstream's own."""

    __slots__ = ("_frames", "_held", "_sent", "_sse")

    def __init__(self, sse: bool) -> None:
        reader = GeminiReader()
        super().__init__(reader, GeminiWriter(sse))
        self._frames = reader.frames
        self._sse = sse
        self._held = b""
        self._sent = False

    def feed(self, data: bytes) -> bytes:
        self._hear(self.reader.feed(data))
        whole = self._held + data if self._held else data
        cut = len(whole) - self._frames.held
        self._held = whole[cut:]
        self._sent = self._sent or cut > 0
        return whole[:cut]

    def end(self) -> bytes:
        self._hear(self.reader.end())
        held, self._held = self._held, b""
        return held

    def broken(self, message: str, code: str) -> bytes:
        self._held = b""
        return GeminiWriter(self._sse, begun=self._sent).broken(message, code)


class CountReader(GeminiReader):
    """Reads the answer of `countTokens`; the count is the usage's input."""

    def complete(self, body: bytes) -> Sequence[Event]:
        count = _count.decode(body).totalTokens
        return [Began("", ""), Metered(Usage(input=count))]
