"""Structured logs: one JSON object a line on stderr, without secrets. Knows no capability."""

from __future__ import annotations

import json
import logging
import re
import sys
import time
import traceback

_SECRETS = re.compile(
    r"\b(sk-sp-|sk-ant-|sk-|spt_|gsk_)[A-Za-z0-9_-]{6,}"
    r"|(?i:\b((?:authorization:\s*)?bearer\s+|(?:authorization|x-api-key):\s*|(?:token|password)=))"
    r"[^\s\"',;]{6,}"
)
_OWN_FIELDS = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"}


def redacted(text: str) -> str:
    """The text with everything that looks like a credential cut short."""
    return _SECRETS.sub(lambda m: (m[1] or m[2] or "") + "[redacted]", text)


class JsonLines(logging.Formatter):
    """A record as JSON; what `extra=` gave becomes fields."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": f"{_iso(record.created)}",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        for name, value in vars(record).items():
            if name not in _OWN_FIELDS:
                line[name] = redacted(value) if isinstance(value, str) else value
        if record.exc_info:
            line["error"] = redacted("".join(traceback.format_exception(*record.exc_info)))
        return json.dumps(line, default=lambda value: redacted(str(value)))


def configure(level: str) -> None:
    """Send all logs of this process to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for loud in ("httpx", "httpcore", "alembic"):
        logging.getLogger(loud).setLevel(logging.WARNING)


def _iso(seconds: float) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{int(seconds % 1 * 1000):03d}Z"
