"""Masking a stream of server-sent events, where what is sought may be split over many deltas.

Knows the outer shape of the streams of language models: JSON in `data:` fields, text in deltas that
belong together by where they stand. The text of all deltas of one place is put together and masked;
when that changes it, the masked text stands in the first delta and the others are empty.
"""

from __future__ import annotations

import re
from typing import Any

from stockpot.gateway.mask.detectors import DEFAULT, Detector, mask_text
from stockpot.gateway.mask.document import (
    UNREADABLE,
    MaskText,
    decode,
    encode,
    mask_bytes,
    mask_value,
    without_logprobs,
)

TEXT_FIELDS = frozenset(
    (
        "content", "text", "delta", "refusal", "reasoning", "reasoning_content", "arguments",
        "thinking", "partial_json", "input", "output", "summary", "transcript",
    )
)  # fmt: skip
"""Fields whose values, event after event, are pieces of one text."""

_INDEXES = ("index", "output_index", "content_index", "item_id")
_EVENT_END = re.compile(rb"\r?\n\r?\n")
_DROPPED = b": an event that could not be read was not kept"
_BROKEN = object()

Place = tuple[object, ...]
Piece = tuple[int, dict[str, Any], str]


def mask_sse(data: bytes, detectors: tuple[Detector, ...] = DEFAULT) -> bytes:
    """The stream with everything detected replaced, also where it is split over events."""
    try:
        if data.startswith(b"["):
            return _mask_array(data, detectors)
        return _mask_events(data, detectors)
    except RecursionError:
        return b"data: " + encode(UNREADABLE) + b"\n\n"


def _mask_events(data: bytes, detectors: tuple[Detector, ...]) -> bytes:
    events = _EVENT_END.split(data)
    values = [_value(event) for event in events]
    known: dict[str, str] = {}

    def text(whole: str) -> str:
        # Ids and names are the same in every event.
        masked = known.get(whole)
        if masked is None:
            masked = known[whole] = mask_text(whole, detectors)
        return masked

    touched = _mask_pieces(values, text)
    changed = bool(touched)
    for number, value in enumerate(values):
        if value is None:
            masked = mask_bytes(events[number], detectors)
        elif value is _BROKEN:
            masked = _DROPPED
        else:
            masked = _mask_event(events[number], value, number in touched, text)
        changed = changed or masked is not events[number]
        events[number] = masked
    return b"\n\n".join(events) if changed else data


def _mask_array(data: bytes, detectors: tuple[Detector, ...]) -> bytes:
    """A stream that is one JSON array, bit by bit."""
    try:
        values = decode(data)
    except ValueError:
        return encode(UNREADABLE)  # cut off; what is left may hold half of something

    def text(whole: str) -> str:
        return mask_text(whole, detectors)

    touched = _mask_pieces(values, text)
    masked = [mask_value(value, text) for value in values]
    same = not touched and all(new is old for new, old in zip(masked, values, strict=True))
    return data if same else encode(without_logprobs(masked))


def _value(event: bytes) -> Any:
    """The decoded data of an event; None when it has none that is meant to be JSON."""
    if event.startswith(b"data:") and b"\n" not in event:
        payload = event[5:].strip()
    else:
        lines = [line for line in event.splitlines() if line.startswith(b"data:")]
        payload = b"\n".join(line[5:].strip() for line in lines)
    if not payload or payload == b"[DONE]":
        return None
    try:
        return decode(payload)
    except (ValueError, RecursionError):
        # The end of a stream that was cut off. It may hold the rest of what began before.
        return _BROKEN


def _mask_event(event: bytes, value: Any, touched: bool, text: MaskText) -> bytes:
    result = mask_value(value, text)
    if result is value and not touched:
        return event
    others = [line for line in event.splitlines() if not line.startswith(b"data:")]
    return b"\n".join((*others, b"data: " + encode(without_logprobs(result))))


def _mask_pieces(values: list[Any], text: MaskText) -> set[int]:
    """Mask the texts that are spread over events, in place; the numbers of the events changed."""
    texts: dict[Place, list[Piece]] = {}
    for number, value in enumerate(values):
        if value is not None and value is not _BROKEN:
            _collect(value, (), number, texts)
    touched: set[int] = set()
    for pieces in texts.values():
        whole = "".join([holder[field] for _, holder, field in pieces])
        masked = mask_value(whole, text)
        if masked is whole:
            continue
        for number, holder, field in pieces:
            holder[field], masked = masked, ""
            touched.add(number)
    return touched


def _collect(value: Any, place: Place, number: int, texts: dict[Place, list[Piece]]) -> None:
    """Every text that may go on in a later event, under the place that it shares with it."""
    if type(value) is dict:
        for name in _INDEXES:
            if name in value and isinstance(value[name], int | str):
                place = (*place, value[name])
        for key, item in value.items():
            if type(item) is str:
                if item and key in TEXT_FIELDS:
                    texts.setdefault((*place, key), []).append((number, value, key))
            elif type(item) is dict or type(item) is list:
                _collect(item, (*place, key), number, texts)
    elif type(value) is list:
        for position, item in enumerate(value):
            own = type(item) is dict and any(name in item for name in _INDEXES)
            _collect(item, place if own else (*place, position), number, texts)
