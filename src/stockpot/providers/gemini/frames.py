"""Gemini's two kinds of stream, cut into JSON objects. Knows framing; knows no field.

With `?alt=sse` a stream is server-sent events; without, one JSON array that comes bit by bit. Which
it is shows in the first byte.
"""

from __future__ import annotations

import re

from stockpot.providers.sse import Splitter

_MARK = re.compile(rb'[\\"{}]')
_BLANK = b" \t\r\n"


class Frames:
    """Cuts a stream, whatever the chunks. `held` is how many of the bytes are not whole yet."""

    __slots__ = ("_array", "_held", "_known", "_sse", "held")

    def __init__(self) -> None:
        self.held = 0
        self._held = b""
        self._known = False
        self._array: _Array | None = None
        self._sse = Splitter()

    def feed(self, data: bytes) -> list[bytes]:
        """The objects that are whole now."""
        if not self._known:
            first = (self._held + data).lstrip(_BLANK)[:1]
            if not first:
                self._held += data
                self.held = len(self._held)
                return []
            self._known = True
            data, self._held = self._held + data, b""
            if first in (b"[", b"{"):
                self._array = _Array()
        if self._array is not None:
            found = self._array.feed(data)
            self.held = self._array.held
            return found
        return self._events(data)

    def _events(self, data: bytes) -> list[bytes]:
        end = len(data) - 4
        if (
            not self._held
            and data.startswith(b"data: ")
            and data.endswith(b"\r\n\r\n")
            and data.find(b"\r") == end
            and data.find(b"\n") == end + 1
        ):
            self.held = 0
            return [data[6:end]]  # one event on one line, as Google writes them
        whole, self._held = cut_events(self._held + data)
        self.held = len(self._held)
        return [event.data for event in self._sse.feed(whole)] if whole else []

    def end(self) -> list[bytes]:
        """The stream ended: an event without its blank line still counts."""
        held, self._held = self._held, b""
        if self._array is not None or not held:
            return []
        return [event.data for event in (*self._sse.feed(held), *self._sse.end())]


def cut_events(data: bytes) -> tuple[bytes, bytes]:
    """Whole server-sent events, and the beginning of the next one."""
    lines, returns = data.rfind(b"\n\n"), data.rfind(b"\r\n\r\n")
    cut = max(lines + 2 if lines >= 0 else 0, returns + 4 if returns >= 0 else 0)
    return data[:cut], data[cut:]


class _Array:
    """Finds the objects of a JSON array; strings are skipped, depth is counted."""

    __slots__ = ("_begin", "_data", "_depth", "_in_string", "_seen")

    def __init__(self) -> None:
        self._data = b""
        self._seen = 0
        self._begin = -1
        self._depth = 0
        self._in_string = False

    @property
    def held(self) -> int:
        return len(self._data)

    def feed(self, data: bytes) -> list[bytes]:
        data = self._data + data
        found: list[bytes] = []
        at, done = self._seen, 0
        while (mark := _MARK.search(data, at)) is not None:
            sign, at = mark[0], mark.end()
            if sign == b"\\":
                at += 1  # what it escapes is no mark, and may come with the next chunk
            elif sign == b'"':
                self._in_string = not self._in_string
            elif self._in_string:
                continue
            elif sign == b"{":
                self._depth += 1
                if self._depth == 1:
                    self._begin = mark.start()
            else:
                self._depth -= 1
                if self._depth == 0:
                    found.append(data[self._begin : at])
                    done = at
        self._data = data[done:]
        self._begin -= done
        self._seen = max(at, len(data)) - done
        return found
