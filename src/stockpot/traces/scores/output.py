"""What an answer said, out of the body that was kept of it. Knows every dialect's bodies by
`excerpt`; knows no score."""

from __future__ import annotations

from stockpot.traces import excerpt


def output_text(response: str | None) -> str:
    """The text of an answer, tool calls and all; at most what is searchable of one."""
    return excerpt.read(None, response.encode("utf-8", "replace") if response else None).output_text
