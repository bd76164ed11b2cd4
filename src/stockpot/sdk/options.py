"""How an application speaks to the server: read from the environment, or given. Does nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

Mask = Callable[[Any], Any]
"""Takes an input, an output, metadata or an error's text, and gives what may be kept of it."""

URL = "http://127.0.0.1:4001"
_OURS = ("STOCKPOT_", "OTEL_")
_OFF = frozenset(("0", "false", "no", "off"))


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """Without a key nothing is sent; calls through the gateway still join their trace.

    The buffer holds at most `buffer_items` spans and `buffer_bytes` bytes; what comes when it is
    full is dropped and counted. At exit it has `exit_s` to be sent.
    """

    url: str = URL
    key: str = ""
    traces_url: str = ""
    """Where spans go, when not to `url`."""
    project: str = ""
    service: str = ""
    release: str = ""
    environment: str = ""
    enabled: bool = True
    capture: bool = True
    """Whether inputs and outputs of functions are kept where it is not said."""
    mask: Mask | None = None
    most_chars: int = 256 * 1024
    """Of one input or output; the rest is cut off."""
    buffer_items: int = 10_000
    buffer_bytes: int = 32 * 1024 * 1024
    send_every_s: float = 1.0
    exit_s: float = 3.0
    timeout_s: float = 10.0


def from_environment(environ: Mapping[str, str] = os.environ) -> Options:
    """`STOCKPOT_URL`, `STOCKPOT_KEY`, and what else the page on observing an application names.
    Blanks around them do not count: a key that is read from a file ends with its line."""
    environ = {name: value.strip() for name, value in environ.items() if name.startswith(_OURS)}
    return Options(
        url=environ.get("STOCKPOT_URL") or URL,
        key=environ.get("STOCKPOT_KEY", ""),
        traces_url=environ.get("STOCKPOT_TRACES_URL", ""),
        service=environ.get("STOCKPOT_SERVICE") or environ.get("OTEL_SERVICE_NAME", ""),
        release=environ.get("STOCKPOT_RELEASE", ""),
        environment=environ.get("STOCKPOT_ENVIRONMENT", ""),
        enabled=environ.get("STOCKPOT_OBSERVE", "").lower() not in _OFF,
    )
