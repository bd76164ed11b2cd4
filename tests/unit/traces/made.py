"""Records and shipments for tests of the span log, varied by a seed."""

from __future__ import annotations

import random

import msgspec

from stockpot.gateway import Record, Shipment, Shipped
from stockpot.traces.store import NewSpan

AT_NS = 1_790_000_000_000_000_000


COMMON: dict[str, object] = {
    "parent_id": b"",
    "is_root": True,
    "project": "menu",
    "environment": "production",
    "key_id": "key_a",
    "endpoint": "chat",
    "route": "fast",
    "provider": "openai",
    "target": "openai-mini",
    "model": "gpt-4o-mini",
    "served_model": "gpt-4o-mini-2024",
    "status": 200,
    "error": "",
    "error_message": "",
    "finish_reason": "stop",
    "stream": False,
    "attempt": 1,
    "ttft_ns": 90_000_000,
    "tpot_ns": 9_000_000,
    "input_tokens": 11,
    "output_tokens": 7,
    "cache_read_tokens": 2,
    "cache_write_tokens": 0,
    "reasoning_tokens": 1,
    "usage_source": "provider",
    "cost_nano": 1_000,
    "cost_detail": (400, 600, 0, 0, 0, 0),
    "price_id": "price_1",
    "user": "",
    "session": "",
    "tags": (),
    "client": "10.0.0.7",
    "response_id": "chatcmpl-1",
    "stages": (1_000_000, 2_000, 3_000, 4_000, 5_000, 80_000_000, 6_000),
    "request_bytes": 100,
    "response_bytes": 50,
    "payload": 0,
    "revision": 3,
}
"""What every record says unless a test says otherwise."""


def make_record(number: int = 0, **changes: object) -> Record:
    """A record whose ids follow from `number`; call `number` took place a second after the last."""
    rng = random.Random(number)
    own = {
        "trace_id": rng.randbytes(16),
        "span_id": rng.randbytes(8),
        "start_ns": AT_NS + number * 1_000_000_000,
        "duration_ns": rng.randrange(1_000_000, 3_000_000_000),
    }
    return Record(**{**COMMON, **own, **changes})  # type: ignore[arg-type]


def make_span(number: int = 0, **changes: object) -> NewSpan:
    """A span of any source; span `number` took place a second after the last."""
    rng = random.Random(number)
    own: dict[str, object] = {
        "trace_id": rng.randbytes(16),
        "span_id": rng.randbytes(8),
        "project": "menu",
        "environment": "production",
        "at_ns": AT_NS + number * 1_000_000_000,
        "start_ns": AT_NS + number * 1_000_000_000,
        "duration_ns": rng.randrange(1_000_000, 3_000_000_000),
    }
    return NewSpan(**{**own, **changes})  # type: ignore[arg-type]


def asked(text: str) -> bytes:
    return msgspec.json.encode({"model": "fast", "messages": [{"role": "user", "content": text}]})


def answered(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    return msgspec.json.encode({"id": "1", "choices": [{"index": 0, "message": message}]})


def make_shipped(
    number: int = 0, said: tuple[str, str] | None = None, **changes: object
) -> Shipped:
    """With `said` the request and the answer are kept."""
    if said is None:
        return Shipped(make_record(number, **changes))
    record = make_record(number, **{"payload": 1, **changes})
    return Shipped(record, asked(said[0]), answered(said[1]))


def make_shipment(
    *items: Shipped, begin: int = 0, stream: str = "host-0-1", segment: int = 1
) -> Shipment:
    """A shipment in which each record takes 100 bytes of the segment."""
    return Shipment(stream, segment, begin, begin + 100 * len(items), items)
