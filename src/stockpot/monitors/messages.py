"""What is told of an alert: one message for programs, the same in Slack's shape, and its signature.

Webhooks follow Standard Webhooks (https://www.standardwebhooks.com, specification 1.0.0): the
headers `webhook-id`, `webhook-timestamp` and `webhook-signature`, the last one `v1,` and the
base-64 HMAC-SHA256 of `id.timestamp.body`. The id stays the same when a message is sent again.
Knows shapes; sends nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

from stockpot.monitors.models import Alert, Monitor, Said

SECRET_PREFIX = "whsec_"  # noqa: S105 - it marks secrets and is none


def new_secret() -> str:
    """A secret of 256 random bits in the form that Standard Webhooks' libraries take."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def message_of(
    said: Said, monitor: Monitor, alert: Alert, *, console: str, now_ms: float
) -> dict[str, Any]:
    """The body of a webhook."""
    return {
        "type": f"monitor.{said}",
        "timestamp": _iso(now_ms),
        "data": {
            "alert": {
                "id": alert.id,
                "state": alert.state,
                "severity": alert.severity,
                "started": _iso(alert.started_ms),
                "resolved": _iso(alert.resolved_ms),
                "value": alert.value,
                "worst": alert.worst,
                "reason": alert.reason,
            },
            "monitor": {
                "id": monitor.id,
                "name": monitor.name,
                "description": monitor.description,
                "project": monitor.project,
                "slice": monitor.slice.model_dump(exclude_none=True),
                "rule": monitor.rule.model_dump(mode="json"),
            },
            "url": f"{console}/monitors?monitor={monitor.id}",
        },
    }


def trial_message(channel: str, *, console: str, now_ms: float) -> dict[str, Any]:
    """What a test says."""
    return {
        "type": "monitor.test",
        "timestamp": _iso(now_ms),
        "data": {"channel": channel, "url": f"{console}/monitors"},
    }


_WORDS = {
    "monitor.firing": "Firing",
    "monitor.reminder": "Still firing",
    "monitor.resolved": "Resolved",
}


def slack_of(message: dict[str, Any]) -> dict[str, Any]:
    """The same in the shape that Slack's incoming webhooks take, and whoever imitates them."""
    data = message["data"]
    if message["type"] == "monitor.test":
        told = f"A test from stockpot: alerts of the channel {_plain(data['channel'])} arrive here."
        return {"text": told, "blocks": [_section(told)]}
    alert, monitor = data["alert"], data["monitor"]
    where = monitor["project"] or "all projects"
    cut = " ".join(f"{name}={value}" for name, value in monitor["slice"].items())
    head = f"{_WORDS[message['type']]}: {_plain(monitor['name'])}"
    context = " · ".join(filter(None, (alert["severity"], _plain(where), _plain(cut))))
    blocks = [
        _section(f"*<{data['url']}|{head}>*\n{_plain(alert['reason'])}"),
        {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
    ]
    if monitor["description"]:
        blocks.insert(1, _section(_plain(monitor["description"])))
    return {"text": f"{head}: {_plain(alert['reason'])}", "blocks": blocks}


def encoded(message: dict[str, Any]) -> bytes:
    """The bytes that are signed and sent."""
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()


def signed(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers that let a receiver know that a message is ours, and new."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:2900]}}


def _plain(text: str) -> str:
    """Slack reads `<` and `&` as marks: a name must not become a link or call everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _iso(ms: float | None) -> str | None:
    if ms is None:
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000))
