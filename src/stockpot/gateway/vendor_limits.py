"""What vendors' own rate-limit headers say before they refuse. Knows headers; knows no target.

One rule reads them all: of a header with `ratelimit` and `remaining` in its name, the one with
`reset` in that place says when. So OpenAI's and those who copy it (`x-ratelimit-remaining-tokens`,
`x-ratelimit-reset-tokens: 6m0s`), Anthropic's (`anthropic-ratelimit-tokens-remaining`,
`...-reset: 2026-01-01T00:00:00Z`) and the IETF draft's (`ratelimit-remaining`, seconds).
"""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import TYPE_CHECKING

from stockpot.gateway.estimate import estimate_tokens

if TYPE_CHECKING:
    from stockpot.providers import Ask

_PART = re.compile(rb"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s|d)")
_UNITS = {b"d": 86400.0, b"h": 3600.0, b"m": 60.0, b"s": 1.0, b"ms": 1e-3, b"us": 1e-6, b"ns": 1e-9}
_EPOCH = 1e9
"""Numbers from here on are points in time, not durations."""
_DIGITS = 18
"""No vendor leaves more than that; longer numbers are not even read."""
UNTOLD_S = 1.0
"""Where a vendor says that nothing is left, but not until when."""


def wait_ahead(headers: list[tuple[bytes, bytes]], ask: Ask) -> float:
    """Seconds until another call of this one's size may be made; 0.0 when it may be now."""
    wait = 0.0
    for name, value in headers:
        if b"ratelimit" not in name or b"remaining" not in name or not value.isdigit():
            continue
        if len(value) > _DIGITS:
            continue
        if int(value) < (estimate_tokens(ask) if b"token" in name else 1):
            reset = name.replace(b"remaining", b"reset")
            told = next((v for n, v in headers if n == reset), None)
            wait = max(wait, UNTOLD_S if told is None else seconds(told))
    return wait


def seconds(text: bytes) -> float:
    """From now: `6m0s`, `12ms`, `30`, seconds since the epoch, or an RFC 3339 time."""
    try:
        number = float(text)
    except ValueError:
        pass
    else:
        wait = number - time.time() if number > _EPOCH else number
        return wait if 0.0 < wait < _EPOCH else 0.0
    if (parts := _PART.findall(text)) and _PART.sub(b"", text) == b"":
        return sum(float(number) * _UNITS[unit] for number, unit in parts)
    try:
        at = datetime.fromisoformat(text.decode("ascii"))
    except ValueError:
        return UNTOLD_S
    return max(0.0, at.timestamp() - time.time()) if at.tzinfo else UNTOLD_S
