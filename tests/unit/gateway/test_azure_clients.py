"""What `AzureOpenAI` of the stock SDK sends reaches the model that its deployment names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import httpx
import openai
import pytest

from stockpot.providers import BadRequest, dialects
from tests.unit.gateway.test_cache_flights import ANSWER, ASK
from tests.unit.gateway.walk import SECRET, Line, Walk, whole

AZURE = next(one for one in dialects() if one.below == b"/openai/")
PATH = "/openai/deployments/m/chat/completions?api-version=2024-10-21"


def as_sent(deployment: str | None) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Path, headers and body of a chat call of the stock SDK."""
    seen: list[httpx.Request] = []

    def answered(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=ANSWER)

    made = openai.AzureOpenAI(
        azure_endpoint="http://gateway.test", api_key=SECRET, api_version="2024-10-21",
        http_client=cast("Any", httpx.Client(transport=httpx.MockTransport(answered))),
        azure_deployment=deployment,
    )  # fmt: skip
    with made:
        made.chat.completions.create(model="m", messages=ASK["messages"])
    (request,) = seen
    headers = {k: v for k, v in request.headers.items() if k not in ("host", "content-length")}
    return request.url.raw_path.decode(), headers, json.loads(request.content)


@pytest.mark.parametrize("deployment", [None, "m"])
async def test_the_stock_sdk_calls_a_deployment_with_a_virtual_key(
    tmp_path: Path, deployment: str | None
) -> None:
    path, headers, body = as_sent(deployment)
    assert path == PATH
    assert headers["api-key"] == SECRET
    walk = Walk(tmp_path)
    line = walk.asks(body, path, auth=f"api-key: {headers['api-key']}")
    (upstream,) = walk.asked
    assert upstream.wrote.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    upstream.says(whole(ANSWER))
    await walk.settle()
    assert (line.head["status"], json.loads(line.body)) == ("200", ANSWER)
    (record,) = await walk.close()
    assert (record.route, record.dialect, record.input_tokens) == ("m", "openai", 7)


async def test_a_deployment_stands_above_the_bodys_model_which_may_be_missing(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path)
    auth = f"api-key: {SECRET}"
    messages = {"messages": ASK["messages"]}
    for body in ({"model": "gpt-4o", **messages}, messages):
        walk.asks(body, PATH, auth=auth)
    asked = [json.loads(line.wrote.partition(b"\r\n\r\n")[2]) for line in walk.asked]
    assert [body["model"] for body in asked] == ["m", "m"]
    newer = walk.asks(ASK, "/openai/v1/chat/completions", auth=auth)
    assert len(walk.asked) == 3
    lines: list[Line] = [
        walk.asks(ASK, "/openai/deployments/none/chat/completions", auth=auth),
        walk.asks(ASK, "/openai/deployments/m/nothing", auth=auth),
        walk.asks(ASK, PATH, auth="api-key: sk-wrong"),
    ]
    await walk.settle()
    assert not newer.wrote
    assert [line.head["status"] for line in lines] == ["404", "404", "401"]
    await walk.close()


def test_a_form_for_a_deployment_names_it_as_its_model() -> None:
    request = httpx.Request(
        "POST", "http://x", data={"model": "whisper-1"}, files={"file": b"RIFF"}
    )
    body, headers = request.read(), {b"content-type": request.headers["content-type"].encode()}
    path = b"/openai/deployments/my%20ear/audio/transcriptions?api-version=1"
    ask = AZURE.read("transcriptions", body, path, headers)
    assert (ask.model, b"my ear" in ask.body, b"whisper-1" in ask.body) == ("my ear", True, False)
    with pytest.raises(BadRequest, match="JSON"):
        AZURE.read("chat", b"{", b"/openai/deployments/m/chat/completions")
