"""Answers out of the gateway's cache, through a real worker: bytes, headers, records, limits."""

from __future__ import annotations

import hashlib
import time

import httpx
import openai
import pytest

from stockpot.gateway import CachePolicy, Limits, Project
from tests.integration.gateway.conftest import SECRET, Rig, key
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration

KEPT = CachePolicy(60)
OTHER_SECRET = "sk-sp-" + "o" * 43
FRESH = {"cache-control": "no-cache"}


def said(answer: httpx.Response) -> str | None:
    told: str | None = answer.headers.get("x-stockpot-cache")
    return told


def start(rig: Rig, policy: CachePolicy = KEPT, **more: object) -> Rig:
    rig.keys = (key(cache=policy, **more),)
    return rig.start()


def test_the_same_request_is_answered_with_the_same_bytes_and_costs_nothing(rig: Rig) -> None:
    start(rig)
    first, again = rig.post(), rig.post(user="somebody else")
    assert (said(first), said(again)) == ("miss", "hit")
    assert again.content == first.content
    assert again.headers["content-type"] == first.headers["content-type"]
    assert int(again.headers["age"]) < 20
    assert "age" not in first.headers
    assert len(rig.stub.requests) == 1
    one, two = sorted(rig.records(2), key=lambda record: record.start_ns)
    assert (one.cache, two.cache) == ("miss", "hit")
    assert (two.cost_nano, two.saved_nano) == (0, one.cost_nano)
    assert (two.input_tokens, two.output_tokens, two.status, two.error) == (0, 0, 200, "")
    assert (two.provider, two.model, two.finish_reason) == ("cache", "upstream-1", "stop")
    assert again.headers["x-stockpot-trace-id"] == two.trace_id.hex()
    assert two.user == "somebody else"


def test_nothing_is_kept_unless_the_key_says_so(rig: Rig) -> None:
    rig.start()
    assert [said(rig.post()), said(rig.post())] == [None, None]
    assert len(rig.stub.requests) == 2
    assert {record.cache for record in rig.records(2)} == {""}


def test_a_stream_is_repeated_as_a_stream_that_the_stock_sdk_reads(rig: Rig) -> None:
    start(rig)
    with openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        told = []
        for _ in range(2):
            stream = sdk.chat.completions.create(
                model="small", messages=[{"role": "user", "content": "hello"}], stream=True
            )
            told.append([chunk.model_dump() for chunk in stream])
    assert told[0] == told[1]
    assert len(told[0]) > 2
    assert len(rig.stub.requests) == 1
    whole = rig.post()  # made of the stream
    assert said(whole) == "hit"
    assert whole.json()["usage"]["prompt_tokens"] > 0
    hit = next(record for record in rig.records(3) if record.cache == "hit" and record.stream)
    assert hit.ttft_ns > 0


def test_a_translated_answer_is_repeated_in_the_clients_format(rig: Rig) -> None:
    start(rig)
    body = {
        "model": "small", "max_tokens": 50, "stream": True,
        "messages": [{"role": "user", "content": "hello"}],
    }  # fmt: skip
    headers = {"x-api-key": SECRET, "anthropic-version": "2023-06-01"}
    url = f"http://127.0.0.1:{rig.port}/v1/messages"
    first, again = (httpx.post(url, json=body, headers=headers, timeout=60) for _ in range(2))
    assert (said(first), said(again)) == ("miss", "hit")
    assert again.content == first.content
    assert b"event: message_stop" in again.content
    assert again.headers["content-type"].startswith("text/event-stream")


def test_a_client_may_ask_for_a_fresh_answer_or_for_no_keeping(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(text=text) for text in ("one", "two", "three")]
    start(rig)
    rig.post()
    assert said(rig.post(headers=FRESH)) == "miss"
    again = rig.post()
    assert (said(again), again.json()["choices"][0]["message"]["content"]) == ("hit", "two")
    apart = rig.post(headers={"cache-control": "no-store"})
    assert (said(apart), apart.json()["choices"][0]["message"]["content"]) == (None, "three")
    assert rig.post().json()["choices"][0]["message"]["content"] == "two"


def test_an_answer_is_forgotten_when_its_time_is_over(rig: Rig) -> None:
    start(rig, CachePolicy(3))
    rig.post()
    assert said(rig.post()) == "hit"
    time.sleep(3.1)
    assert said(rig.post()) == "miss"


def test_errors_and_broken_streams_are_not_kept(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [
        Behaviour(status=400), Behaviour(text="a b c d", cut_after=2),
        Behaviour(error_in_stream="overloaded"), Behaviour(),
    ]  # fmt: skip
    rig.route("small", rig.target("upstream-1"), attempts=1)
    start(rig)
    assert rig.post().status_code == 400
    for _ in range(2):
        assert b"error" in rig.post(stream=True).content
    assert said(rig.post(stream=True)) == "miss"
    assert said(rig.post()) == "hit"


def test_an_answer_that_is_larger_than_the_policy_allows_is_not_kept(rig: Rig) -> None:
    start(rig, CachePolicy(60, max_entry=300))
    for stream in (False, True):
        assert [said(rig.post(stream=stream)) for _ in range(2)] == ["miss", "miss"]


def test_keys_share_answers_only_within_a_project_that_says_so(rig: Rig) -> None:
    other = hashlib.sha256(OTHER_SECRET.encode()).digest()
    shared = CachePolicy(60, scope="project")
    rig.projects = (Project("prj", "default", cache=shared),)
    rig.keys = (key(), key(id="key_o", hash=other), key(id="key_p", hash=b"p" * 32, cache=KEPT))
    rig.start()
    rig.post()
    assert said(rig.post(headers={"authorization": f"Bearer {OTHER_SECRET}"})) == "hit"
    rig.stop()
    rig.keys = (key(cache=KEPT), key(id="key_o", hash=other, cache=KEPT))
    rig.start()
    rig.post()
    assert said(rig.post(headers={"authorization": f"Bearer {OTHER_SECRET}"})) == "miss"


def test_a_hit_counts_as_a_request_and_takes_no_tokens(rig: Rig) -> None:
    start(rig, limits=Limits(rpm=3, tpm=600))
    texts = [rig.post(max_tokens=100) for _ in range(4)]
    assert [answer.status_code for answer in texts] == [200, 200, 200, 429]
    assert [said(answer) for answer in texts] == ["miss", "hit", "hit", None]
    left = [int(answer.headers["x-ratelimit-remaining-tokens"]) for answer in texts[1:3]]
    assert min(left) > 400  # 16 tokens were used once; each call had reserved 100 and more


def test_what_a_hit_said_is_in_its_record_as_the_key_wants_it(rig: Rig) -> None:
    start(rig, payloads="masked")
    rig.post()
    rig.post()
    assert [record.payload for record in rig.records(2)] == [2, 2]
