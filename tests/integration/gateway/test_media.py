"""Sound, images, moderation and rerank through a real worker, by the stock SDK where it can."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from stockpot.gateway import Limits
from stockpot.gateway.spool import read_bodies
from tests.integration.gateway.conftest import SECRET, Rig, key
from tests.vendors.openai_full_stub import PNG, SOUND, OpenAIFullStub
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration

ALL: Any = ("speech", "transcriptions", "translations", "images", "image_edits", "moderations",
            "rerank")  # fmt: skip
AUTH = {"authorization": f"Bearer {SECRET}"}


@pytest.fixture
def stub() -> Iterator[OpenAIFullStub]:
    with OpenAIFullStub() as running:
        yield running


@pytest.fixture
def full(rig: Rig) -> OpenAIFullStub:
    rig.route("any", rig.target("upstream-1"), endpoints=ALL)
    rig.start()
    assert isinstance(rig.stub, OpenAIFullStub)
    return rig.stub


def client(rig: Rig) -> openai.OpenAI:
    return openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0)


def test_sound_is_streamed_as_it_is_made(rig: Rig, full: OpenAIFullStub) -> None:
    full.behaviours["upstream-1"] = [Behaviour(interval_s=0.05)]
    begun, arrived = time.monotonic(), []
    with client(rig) as sdk, sdk.audio.speech.with_streaming_response.create(
        model="any", voice="alloy", input="hello"
    ) as answer:  # fmt: skip
        data = b""
        for piece in answer.iter_bytes():
            arrived.append(time.monotonic() - begun)
            data += piece
    assert data == SOUND
    assert arrived[0] < arrived[-1] - 0.2
    (record,) = rig.records()
    assert (record.endpoint, record.error, record.usage_source) == ("speech", "", "provider")
    assert record.cost_nano is None
    assert record.response_bytes == len(SOUND)
    (path,) = (rig.home / "spool").glob("*/*.payload")
    assert SOUND[:200] not in path.read_bytes()
    assert read_bodies is not None


def test_sound_that_is_cut_off_never_ends_like_a_whole_one(rig: Rig, full: OpenAIFullStub) -> None:
    full.behaviours["upstream-1"] = [Behaviour(cut_after=4)]
    with pytest.raises(httpx.RemoteProtocolError), httpx.stream(
        "POST", f"{rig.url}/audio/speech", headers=AUTH,
        json={"model": "any", "voice": "alloy", "input": "hello"},
        timeout=60,
    ) as answer:  # fmt: skip
        answer.read()
    assert rig.records()[0].error.startswith("stream_")


def test_sound_as_events_tells_its_usage(rig: Rig, full: OpenAIFullStub) -> None:
    body = {"model": "any", "voice": "alloy", "input": "hello", "stream_format": "sse"}
    answer = httpx.post(f"{rig.url}/audio/speech", json=body, headers=AUTH, timeout=60)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "speech.audio.done" in answer.text
    record = rig.records()[0]
    assert (record.usage_source, record.input_tokens, record.output_tokens) == ("provider", 3, 40)


def test_a_file_of_sound_is_passed_on_with_another_model(rig: Rig, full: OpenAIFullStub) -> None:
    file = b"RIFF" + bytes(range(256)) * 3000  # enough to be read in a thread
    with client(rig) as sdk:
        made = sdk.audio.transcriptions.create(
            model="any", file=("a.wav", io.BytesIO(file), "audio/wav"), prompt="Names: Ann"
        )
        streamed = sdk.audio.transcriptions.create(
            model="any", file=("b.wav", b"RIFFx"), stream=True
        )
        words = [e.delta for e in streamed if e.type == "transcript.text.delta"]
        plain = sdk.audio.transcriptions.create(
            model="any", file=("d.wav", b"RIFFz"), response_format="text"
        )
    english = httpx.post(  # the SDK's method is marked as deprecated
        f"{rig.url}/audio/translations",
        data={"model": "any"},
        files={"file": ("c.wav", b"RIFFy")},
        headers=AUTH,
        timeout=60,
    )
    assert made.text == english.json()["text"] == "The kettle is on."
    assert plain == "The kettle is on.\n"
    assert words == ["The", "kettle", "is", "on."]
    assert full.files == [file, b"RIFFx", b"RIFFz", b"RIFFy"]
    assert {r["model"] for r in full.requests} == {"upstream-1"}
    records = rig.records(4)
    assert [r.endpoint for r in records] == [
        "transcriptions", "transcriptions", "transcriptions", "translations",
    ]  # fmt: skip
    assert [(r.usage_source, r.input_tokens, r.output_tokens) for r in records] == [
        ("provider", 14, 6), ("provider", 14, 6), ("none", 0, 0), ("none", 0, 0),
    ]  # fmt: skip
    stored = b"".join(p.read_bytes() for p in (rig.home / "spool").glob("*/*.payload"))
    assert file[:400] not in stored


def test_images_are_made_and_edited_and_their_tokens_counted(
    rig: Rig, full: OpenAIFullStub
) -> None:
    with client(rig) as sdk:
        made = sdk.images.generate(model="any", prompt="a kettle", n=1)
        edited = sdk.images.edit(model="any", image=("a.png", PNG, "image/png"), prompt="blue")
        events = list(sdk.images.generate(model="any", prompt="a kettle", stream=True))
    for answer in (made, edited):
        assert answer.data
        assert base64.b64decode(answer.data[0].b64_json or "") == PNG
    assert [e.type for e in events] == [
        "image_generation.partial_image", "image_generation.completed",
    ]  # fmt: skip
    assert full.files == [PNG]
    records = rig.records(3)
    assert {(r.input_tokens, r.output_tokens, r.usage_source) for r in records} == {
        (9, 272, "provider")
    }


def test_moderation_and_rerank_are_routed_by_their_model(rig: Rig) -> None:
    rig.route("omni-moderation-latest", rig.target("mod-1"), endpoints=("moderations",))
    rig.route("jina", rig.target("rerank-1"), endpoints=("rerank",))
    rig.route("cohere", rig.target("cohere-rerank-3"), endpoints=("rerank",))
    rig.start()
    with client(rig) as sdk:
        assert not sdk.moderations.create(input="hello").results[0].flagged
    for model in ("jina", "cohere"):
        body = {"model": model, "query": "tea", "documents": ["a kettle", "a cat"], "top_n": 2}
        answer = httpx.post(f"{rig.url}/rerank", json=body, headers=AUTH, timeout=60)
        assert [x["index"] for x in answer.json()["results"]] == [0, 1]
    records = rig.records(3)
    assert [(r.endpoint, r.model, r.input_tokens) for r in records] == [
        ("moderations", "mod-1", 0), ("rerank", "rerank-1", 21), ("rerank", "cohere-rerank-3", 0),
    ]  # fmt: skip


def test_keys_limits_and_kinds_hold_here_too(rig: Rig) -> None:
    rig.keys = (key(limits=Limits(rpm=2), models=("voice", "chat")),)
    rig.route("voice", rig.target("upstream-1"), endpoints=("speech",))
    rig.route("chat", rig.target("upstream-2"), endpoints=("chat",))
    rig.route("secret", rig.target("upstream-3"), endpoints=("speech",))
    rig.start()

    def speak(model: str, **headers: str) -> httpx.Response:
        body = {"model": model, "voice": "alloy", "input": "hi"}
        return httpx.post(f"{rig.url}/audio/speech", json=body, headers=headers or AUTH, timeout=60)

    assert speak("voice", authorization="Bearer no").status_code == 401
    assert speak("secret").json()["error"]["code"] == "model_not_allowed"
    assert speak("chat").json()["error"]["code"] == "wrong_endpoint"
    assert [speak("voice").status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize(
    ("body", "kind", "said"),
    [
        (b"{}", "application/json", "multipart/form-data"),
        (b"--b\r\n\r\nx", "multipart/form-data; boundary=b", "cut off or malformed"),
        (b'--b\r\ncontent-disposition: form-data; name="file"; filename="; name=model"\r\n\r\nx\r\n'
         b"--b--\r\n", "multipart/form-data; boundary=b", "no field 'model'"),
        (b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nany\r\n'
         b'--b\r\ncontent-disposition: form-data; name="model"\r\n\r\nsecret\r\n--b--\r\n',
         "multipart/form-data; boundary=b", "'model' once"),
    ],
    ids=["json", "cut", "hidden", "twice"],
)  # fmt: skip
def test_a_form_that_could_be_read_in_two_ways_is_refused(
    rig: Rig, full: OpenAIFullStub, body: bytes, kind: str, said: str
) -> None:
    answer = httpx.post(
        f"{rig.url}/audio/transcriptions", content=body, headers={**AUTH, "content-type": kind}
    )
    assert (answer.status_code, full.requests) == (400, [])
    assert said in answer.json()["error"]["message"]
    assert json.loads(answer.text)["error"]["type"] == "invalid_request_error"


def test_a_wire_without_these_endpoints_says_so(rig: Rig) -> None:
    rig.route("voice", rig.target("m", wire="anthropic"), endpoints=("speech",))
    rig.start()
    body = {"model": "voice", "voice": "alloy", "input": "hi"}
    answer = httpx.post(f"{rig.url}/audio/speech", json=body, headers=AUTH, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unsupported_by_target")
