"""The test model's process, asked by the stock OpenAI client and by hand."""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from stockpot.engines import EngineAddress, running
from stockpot.engines.echo import answers
from tests.integration.engines.conftest import Engines

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def echo(engines: Engines) -> EngineAddress:
    return engines.up("echo")


@pytest.fixture
def client(echo: EngineAddress) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=echo.url, api_key="none", max_retries=0) as client:
        yield client


def ask(text: str) -> list[Any]:
    return [{"role": "system", "content": "be kind"}, {"role": "user", "content": text}]


def test_it_announces_itself_as_a_chat_model(echo: EngineAddress) -> None:
    assert (echo.model, echo.kind, echo.engine, echo.smoke) == ("echo", "chat", "echo", False)
    assert echo.url.endswith("/v1")


def test_a_chat_is_answered_with_the_last_user_message(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="echo", messages=ask("what a  day"), n=2)
    assert [c.message.content for c in answer.choices] == ["what a  day"] * 2
    assert [c.finish_reason for c in answer.choices] == ["stop", "stop"]
    assert answer.usage is not None
    assert answer.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 5,
        "completion_tokens": 6,
        "total_tokens": 11,
    }


def test_a_stream_says_the_same_word_by_word_and_ends_with_the_usage(
    client: openai.OpenAI,
) -> None:
    stream = client.chat.completions.create(
        model="echo",
        messages=ask("a b c d"),
        max_tokens=3,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    words = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert words == ["a", " b", " c"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "length"
    assert [c.usage.completion_tokens for c in chunks if c.usage] == [3]
    assert chunks[-1].choices == []


def test_a_stream_without_the_option_carries_no_usage(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(model="echo", messages=ask("a"), stream=True)
    assert [c.usage for c in stream if c.usage] == []


def test_completions_stop_where_they_are_told(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="echo", prompt=["one two", "three"], stop="two")
    assert [(c.index, c.text) for c in answer.choices] == [(0, "one "), (1, "three")]
    text = "".join(
        c.choices[0].text
        for c in client.completions.create(model="echo", prompt="one two", stream=True)
    )
    assert text == "one two"


def test_embeddings_are_deterministic_in_both_encodings(client: openai.OpenAI) -> None:
    plain = client.embeddings.create(
        model="echo", input=["soup", "rain"], encoding_format="float", dimensions=32
    )
    packed = client.embeddings.create(model="echo", input=["soup", "rain"], dimensions=32)
    assert [d.index for d in plain.data] == [0, 1]
    for a, b, text in zip(plain.data, packed.data, ("soup", "rain"), strict=True):
        assert a.embedding == answers.vector(text, 32)
        assert b.embedding == pytest.approx(a.embedding, abs=1e-7)
    assert plain.usage.prompt_tokens == 2


def test_the_model_is_listed_and_can_be_retrieved(client: openai.OpenAI) -> None:
    assert [m.id for m in client.models.list()] == ["echo"]
    assert client.models.retrieve("echo").owned_by == "stockpot"


def test_errors_have_the_dialects_shape(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as absent:
        client.chat.completions.create(model="gpt", messages=ask("hi"))
    assert absent.value.code == "model_not_found"
    assert absent.value.param == "model"
    with pytest.raises(openai.BadRequestError) as empty:
        client.chat.completions.create(model="echo", messages=[])
    assert empty.value.param == "messages"
    with pytest.raises(openai.BadRequestError) as many:
        client.chat.completions.create(model="echo", messages=ask("hi"), n=1000)
    assert many.value.param == "n"
    with pytest.raises(openai.BadRequestError) as mixed:
        client.embeddings.create(model="echo", input=[["a"]])  # type: ignore[list-item]
    assert mixed.value.param == "input"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b'{"model": "echo"}', 400),
        ("GET", "/v1/chat/completions", None, 405),
        ("GET", "/v1/nothing", None, 404),
    ],
)
def test_bad_requests_get_a_clear_4xx(
    method: str, path: str, body: bytes | None, status: int, echo: EngineAddress
) -> None:
    root = echo.url.removesuffix("/v1")
    request = urllib.request.Request(root + path, body, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as answer:
        assert answer.code == status
        assert json.load(answer)["error"]["type"] == "invalid_request_error"


def _raw(echo: EngineAddress, *pieces: bytes) -> bytes:
    port = int(echo.url.split(":")[2].removesuffix("/v1"))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.01)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received


def test_pipelined_requests_are_answered_in_order(echo: EngineAddress) -> None:
    body = b'{"model":"echo","prompt":"%d"}'
    requests = b"".join(
        b"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 31\r\n\r\n" + body % n
        for n in range(100, 150)
    )
    last = b"GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = _raw(echo, requests[:1000], requests[1000:] + last)
    said = [received.index(b'"text":"%d"' % n) for n in range(100, 150)]
    assert said == sorted(said)
    assert received.endswith(b'{"status":"ok"}')


def test_what_is_not_http_gets_a_400_and_the_connection_ends(echo: EngineAddress) -> None:
    received = _raw(echo, b"\x16\x03\x01 hello\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 400 ")


def test_an_endless_head_is_refused(echo: EngineAddress) -> None:
    received = _raw(echo, b"GET /health HTTP/1.1\r\n" + b"A: " + b"a" * 70_000 + b"\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 431 ")


def test_latency_is_as_slow_as_asked(engines: Engines) -> None:
    _, address = engines.another_echo("slow", "--ttft-ms", "150", "--tpot-ms", "40")
    with openai.OpenAI(base_url=address.url, api_key="none", max_retries=0) as client:
        began = time.monotonic()
        stream = client.chat.completions.create(
            model="slow", messages=ask("a b c d e"), stream=True
        )
        times = [time.monotonic() - began for c in stream if c.choices[0].delta.content]
    assert times[0] >= 0.15
    assert times[-1] - times[0] >= 4 * 0.04 - 0.01


def test_sigterm_finishes_the_answer_and_withdraws_the_announcement(engines: Engines) -> None:
    process, address = engines.another_echo("leaving", "--tpot-ms", "50")
    with openai.OpenAI(base_url=address.url, api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="leaving", messages=ask("a b c d e f g h"), stream=True
        )
        words = []
        for chunk in stream:
            if len(words) == 1:
                process.send_signal(signal.SIGTERM)
            words.append(chunk.choices[0].delta.content)
    assert "".join(w for w in words if w) == "a b c d e f g h"
    assert process.wait(60) == 0
    assert "leaving" not in {address.name for address in running(engines.instance)}
    assert engines.instance.announced("engines/leaving") is None


def test_a_client_that_goes_away_leaves_the_server_well(
    client: openai.OpenAI, echo: EngineAddress
) -> None:
    stream = client.chat.completions.create(model="echo", messages=ask("a " * 5000), stream=True)
    next(stream)
    stream.close()
    answer = client.chat.completions.create(model="echo", messages=ask("still here"))
    assert answer.choices[0].message.content == "still here"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_is_light(echo: EngineAddress) -> None:
    status = Path(f"/proc/{echo.pid}/status").read_text()
    rss = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert rss < 40_000
