"""How values stand in a text, and how large they may become. Knows JSON values only."""

from __future__ import annotations

from typing import Any

import msgspec

from stockpot.templates.models import TemplateFault

MOST_TEXT = 1_000_000
"""Characters that a template may come to."""
MOST_ITEMS = 100_000
"""Values inside one list or object that a template touches."""
MOST_STEPS = 100_000
"""Turns of all loops and calls of one rendering."""

_encode = msgspec.json.Encoder().encode


def too_large() -> TemplateFault:
    return TemplateFault(
        f"the prompt comes to more than {MOST_TEXT:,} characters or {MOST_ITEMS:,} values"
    )


def text_of(value: Any) -> str:
    """A value as it stands in a text: text as it is, null as nothing, anything else as JSON."""
    if type(value) is str:
        return value
    if value is None:
        return ""
    bounded(value)
    return _encode(value).decode()


def bounded(value: Any) -> Any:
    """The value itself. Raises TemplateFault for one that is too large to go on with."""
    if isinstance(value, str):
        if len(value) > MOST_TEXT:
            raise too_large()
    elif isinstance(value, int):
        if value.bit_length() > 4096:
            raise too_large()
    elif isinstance(value, list | tuple | dict):
        _count(value)
    return value


def _count(value: Any) -> None:
    left, length, waiting = MOST_ITEMS, 0, [value]
    while waiting:
        item = waiting.pop()
        inner = item.values() if isinstance(item, dict) else item
        left -= len(item)
        if left < 0:
            raise too_large()
        for one in inner:
            if isinstance(one, str):
                length += len(one)
            elif isinstance(one, list | tuple | dict):
                waiting.append(one)
        if length > 10 * MOST_TEXT:
            raise too_large()
