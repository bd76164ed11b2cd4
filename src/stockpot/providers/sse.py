"""Server-sent events, split as they arrive. Knows the event-stream grammar; knows no dialect.

Source: WHATWG HTML, section 9.2.6 (lines end in CR LF, LF or CR; a blank line ends an event).
"""

from __future__ import annotations

from typing import NamedTuple


class ServerEvent(NamedTuple):
    """`name` is '' when the stream does not say; `data` joins the data lines with LF."""

    name: str
    data: bytes


class Splitter:
    """Cuts a byte stream into events, whatever the chunks. An unfinished event is held back."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = b""

    def feed(self, data: bytes) -> list[ServerEvent]:
        if self._held:
            data = self._held + data
            self._held = b""
        if b"\r" in data:
            if data.endswith(b"\r"):  # its LF may follow in the next chunk
                self._held, data = b"\r", data[:-1]
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        whole, blank, rest = data.rpartition(b"\n\n")
        if not blank:
            self._held = data + self._held
            return []
        self._held = rest + self._held
        return [event for block in whole.split(b"\n\n") if (event := _event(block)) is not None]

    def end(self) -> list[ServerEvent]:
        """The stream ended: an event without its blank line still counts."""
        held, self._held = self._held, b""
        return [event] if (event := _event(held.strip(b"\r\n"))) is not None else []


def _event(block: bytes) -> ServerEvent | None:
    name, found = "", []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            found.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif line.startswith(b"event:"):
            name = line[6:].strip().decode("utf-8", "replace")
    return ServerEvent(name, b"\n".join(found)) if found else None
