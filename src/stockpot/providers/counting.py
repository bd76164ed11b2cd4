"""Counting tokens across formats. Knows that a count is the input of a usage; knows no format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from stockpot.prices import Usage
from stockpot.providers.canon import Metered
from stockpot.providers.translate import Translated

if TYPE_CHECKING:
    from stockpot.providers.canon import Event


class Counted(Translated):
    """A count in the client's dialect. Counting is free."""

    __slots__ = ()

    def complete(self, body: bytes) -> bytes:
        """Raises ValueError when the upstream's body is no count."""
        out = super().complete(body)
        self.usage = Usage()
        return out


class CountWriter:
    """Writes the answer of a dialect that says a count in one field."""

    stream_type = b"application/json"

    def __init__(self, field: str) -> None:
        self._field = field

    def write(self, events: Sequence[Event]) -> bytes:
        return b""

    def end(self) -> bytes:
        return b""

    def complete(self, events: Sequence[Event]) -> bytes:
        counts = [event.usage.input for event in events if isinstance(event, Metered)]
        return msgspec.json.encode({self._field: counts[-1] if counts else 0})

    def broken(self, message: str, code: str) -> bytes:
        return b""
