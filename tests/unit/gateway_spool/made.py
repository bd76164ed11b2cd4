"""Starts and records as the gateway makes them, for the tests of the spool."""

from __future__ import annotations

import os
import time
from typing import Any

from stockpot.gateway.models import Record, Start

START_FIELDS: dict[str, Any] = {
    "parent_id": b"", "project": "soups", "environment": "production", "key_id": "key_1",
    "endpoint": "chat", "route": "smart", "provider": "vendor", "target": "t1",
    "model": "smart-1", "estimated_input": 12, "estimated_cost_nano": 3400, "price_id": "smart-1",
}  # fmt: skip
RECORD_FIELDS: dict[str, Any] = {
    "parent_id": b"", "is_root": True, "start_ns": 1, "duration_ns": 2, "project": "soups",
    "environment": "production", "key_id": "key_1", "endpoint": "chat", "route": "smart",
    "provider": "vendor", "target": "t1", "model": "smart-1", "served_model": "smart-1",
    "status": 200, "error": "", "error_message": "", "finish_reason": "stop", "stream": False,
    "attempt": 1, "ttft_ns": 0, "tpot_ns": 0, "input_tokens": 10, "output_tokens": 20,
    "cache_read_tokens": 0, "cache_write_tokens": 0, "reasoning_tokens": 0,
    "usage_source": "provider", "cost_nano": 42, "cost_detail": (40, 2), "price_id": "smart-1",
    "user": "", "session": "", "tags": (), "client": "10.0.0.1", "response_id": "r1",
    "stages": (1, 2, 3), "request_bytes": 0, "response_bytes": 0, "payload": 1, "revision": 1,
}  # fmt: skip


def make_start(**fields: Any) -> Start:
    ids = {"trace_id": os.urandom(16), "span_id": os.urandom(8), "start_ns": time.time_ns()}
    return Start(**{**START_FIELDS, **ids, **fields})


def make_record(**fields: Any) -> Record:
    ids = {"trace_id": os.urandom(16), "span_id": os.urandom(8)}
    return Record(**{**RECORD_FIELDS, **ids, **fields})


def record_of(start: Start, **fields: Any) -> Record:
    return make_record(trace_id=start.trace_id, span_id=start.span_id, **fields)
