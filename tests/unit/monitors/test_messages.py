"""What is told, how it is signed, and where it may be sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from stockpot.core import config
from stockpot.core.errors import InvalidInput
from stockpot.monitors import Alert, Monitor, ThresholdRule
from stockpot.monitors.messages import encoded, message_of, new_secret, signed, slack_of
from stockpot.monitors.sending import Sender

MONITOR = Monitor(
    id="mon_1", project="menu", name="<!channel> slow & dear", description="call Ana",
    rule=ThresholdRule(metric="latency_p95", threshold=800), created_ms=1, created_by="ana",
    updated_ms=1,
)  # fmt: skip
ALERT = Alert(
    id="alr_1", monitor_id="mon_1", project="menu", monitor="slow", severity="page",
    state="firing", started_ms=1_790_000_000_000, resolved_ms=None, value=1200.0, worst=1200.0,
    reason="p95 of latency is 1,200 ms over 5 min",
)  # fmt: skip


def told() -> dict[str, object]:
    return message_of("firing", MONITOR, ALERT, console="https://pot", now_ms=1_790_000_000_000)


def test_a_message_says_what_fired_where_and_why() -> None:
    message = json.loads(encoded(told()))
    assert message["type"] == "monitor.firing"
    assert message["timestamp"] == "2026-09-21T14:13:20Z"
    assert message["data"]["alert"]["value"] == 1200.0
    assert message["data"]["monitor"]["rule"]["metric"] == "latency_p95"
    assert message["data"]["url"] == "https://pot/monitors?monitor=mon_1"


def test_a_signature_is_what_standard_webhooks_describes() -> None:
    secret, body = new_secret(), encoded(told())
    headers = signed(secret, "msg_1", 1_790_000_000, body)
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, b"msg_1.1790000000." + body, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert len(key) == 32
    other = signed(secret, "msg_1", 1_790_000_001, body)
    assert other["webhook-signature"] != headers["webhook-signature"]


def test_in_slack_a_name_calls_nobody() -> None:
    shaped = slack_of(told())
    text = json.dumps(shaped)
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; slow &amp; dear" in text
    assert shaped["text"].startswith("Firing: ")
    assert [block["type"] for block in shaped["blocks"]] == ["section", "section", "context"]


def sender(*addresses: str, private: bool = False) -> Sender:
    async def found(host: str, port: int) -> tuple[str, ...]:
        return addresses

    settings = config.load({"STOCKPOT_HOME": "/nonexistent"})
    return Sender(settings.replaced(private_upstreams=private), found)


@pytest.mark.parametrize(
    ("addresses", "private", "why"),
    [
        (("169.254.169.254",), True, "never called"),
        (("1.1.1.1", "fd00:ec2::254"), True, "never called"),
        (("10.0.0.1",), False, "private address"),
    ],
)
async def test_an_address_that_must_not_be_reached_is_refused_before_and_at_each_call(
    addresses: tuple[str, ...], private: bool, why: str
) -> None:
    guarded = sender(*addresses, private=private)
    with pytest.raises(InvalidInput, match=why):
        await guarded.checked("http://hook.example/x")
    answer = await guarded.post("http://hook.example/x", b"{}", {})
    assert (answer.ok, answer.status) == (False, 0)
    assert why in answer.error


@pytest.mark.parametrize(
    "url",
    ["ftp://h/x", "http://user:pw@h/x", "http://h/x#y", "http:///x", "http://h/\x00", "h/x",
     "http://h:99999/x"],
)  # fmt: skip
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        await sender("1.1.1.1").checked(url)


async def test_an_address_is_shown_without_its_secret_part() -> None:
    url = "http://hooks.example:8080/services/T0/B0/secret?token=hush"
    assert await sender("1.1.1.1").checked(url) == "http://hooks.example:8080/..."
