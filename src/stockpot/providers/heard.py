"""What accounting wants to know of an answer, and the listening that formats share.

Knows that a stream is mostly events that carry nothing but text, each like the one before; knows no
format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stockpot.prices import Usage

HELD_LIMIT = 1 << 20
"""Bytes of one unfinished event that are kept for listening; a longer event is not looked into."""


class Heard:
    """The facts of one answer, as far as it has come. See `base.Answer`."""

    __slots__ = (
        "content_type", "ended", "failure", "finish_reason", "model", "pieces", "response_id",
        "started", "usage",
    )  # fmt: skip

    def __init__(self) -> None:
        self.content_type = b""
        self.usage: Usage | None = None
        self.finish_reason = ""
        self.model = ""
        self.response_id = ""
        self.started = False
        self.ended = False
        self.failure = ""
        self.pieces = 0


class Relayed(Heard):
    """An answer whose bytes pass as they are. An event that is like the one before but for its text
    is not read again: `_usual` and `_usual_end` are what stands before and after the text, `_least`
    is the length of both. A subclass sets them and reads all else in `_listen_to`."""

    __slots__ = ("_held", "_least", "_usual", "_usual_end")

    def __init__(self) -> None:
        super().__init__()
        self._held = b""
        self._usual = self._usual_end = b""
        self._least = 0

    def feed(self, data: bytes) -> bytes:
        """What goes to the client for bytes of the upstream."""
        before, after = self._usual, self._usual_end
        if (
            before
            and len(data) >= self._least
            and data.startswith(before)
            and data.endswith(after)
            and data.find(b'"', len(before), -len(after)) < 0
            and not self._held
        ):
            self.pieces += 1
            return data
        return self._listen_to(data)

    def _listen_to(self, data: bytes) -> bytes:
        raise NotImplementedError
