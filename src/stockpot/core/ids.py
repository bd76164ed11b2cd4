"""Making identifiers. Knows formats; knows nothing of what they identify.

Traces and spans use the widths of W3C Trace Context (16 and 8 random bytes); records of the control
plane use a typed prefix and 20 base-32 characters whose first 9 encode the creation time in
milliseconds, so that ids sort by age. No code may read a time back out of an id.
"""

from __future__ import annotations

import os
import random
import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_rng = random.Random(os.urandom(32))  # noqa: S311 - span ids need uniqueness, not secrecy
os.register_at_fork(after_in_child=lambda: _rng.seed(os.urandom(32)))


def trace_id() -> bytes:
    """16 bytes, never all zero (W3C Trace Context, section 3.2.2.3)."""
    return (_rng.getrandbits(128) | 1).to_bytes(16, "big")


def span_id() -> bytes:
    """8 bytes, never all zero."""
    return (_rng.getrandbits(64) | 1).to_bytes(8, "big")


def record_id(prefix: str) -> str:
    """A sortable id such as `key_0a1b2c3d4e5f6g7h8j9k`."""
    value = (int(time.time() * 1000) << 55) | secrets.randbits(55)
    chars = [_ALPHABET[(value >> shift) & 31] for shift in range(95, -5, -5)]
    return f"{prefix}_{''.join(chars)}"
