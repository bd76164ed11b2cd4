"""Calls that go well: bytes, usage, price, timing, streams, the stock SDK."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai
import pytest

from tests.integration.gateway.conftest import SECRET, Rig, key
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration


def client(rig: Rig, **more: Any) -> openai.OpenAI:
    return openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0, **more)


def test_the_stock_sdk_gets_the_upstreams_answer(rig: Rig) -> None:
    rig.start()
    with client(rig) as sdk:
        answer = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}], user="u-1"
        )
    assert answer.choices[0].message.content == "The kettle is on."
    assert rig.stub.requests[0]["model"] == "upstream-1"
    (record,) = rig.records()
    assert (record.is_root, record.status, record.error) == (True, 200, "")
    assert (record.route, record.model, record.served_model) == (
        "small", "upstream-1", "upstream-1-2026",
    )  # fmt: skip
    assert (record.input_tokens, record.output_tokens, record.usage_source) == (11, 5, "provider")
    assert record.cost_nano == 11 * 2000 + 5 * 8000
    assert record.cost_nano == sum(record.cost_detail)
    assert (record.user, record.project, record.environment) == ("u-1", "default", "dev")
    assert len(record.stages) == 7
    assert 0 < sum(record.stages) <= record.duration_ns + 1_000_000


async def test_the_stock_async_sdk_streams_without_an_event_it_did_not_ask_for(rig: Rig) -> None:
    rig.start()
    async with openai.AsyncOpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        stream = await sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks) == "The kettle is on."
    assert all(c.usage is None for c in chunks)
    assert rig.stub.requests[0]["stream_options"] == {"include_usage": True}
    (record,) = rig.records()
    assert (record.stream, record.output_tokens, record.finish_reason) == (True, 5, "stop")
    assert 0 < record.ttft_ns < record.duration_ns


def test_a_client_that_asks_for_usage_gets_the_stream_untouched(rig: Rig) -> None:
    rig.start()
    with client(rig) as sdk:
        stream = sdk.chat.completions.create(
            model="small",
            messages=[{"role": "user", "content": "hello"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        assert [c.usage.total_tokens for c in stream if c.usage] == [16]


def test_bytes_of_an_answer_pass_untouched(rig: Rig) -> None:
    rig.start()
    through = rig.post(model="small")
    direct = httpx.post(
        f"{rig.stub.url}/chat/completions",
        json={"model": "upstream-1", "messages": [{"role": "user", "content": "hello"}]},
        headers={"authorization": "Bearer sk-vendor-secret-1234"},
        timeout=60,
    )
    assert through.content == direct.content


def test_an_answer_names_its_trace_and_says_where_the_time_went(rig: Rig) -> None:
    rig.start()
    answer = rig.post()
    (record,) = rig.records()
    assert answer.headers["x-stockpot-trace-id"] == record.trace_id.hex()
    stages = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert list(stages) == ["read", "auth", "limits", "route", "connect", "upstream"]
    assert float(stages["upstream"]) > 0


def test_a_callers_trace_goes_on_through_the_gateway(rig: Rig) -> None:
    rig.start()
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    baggage = "session.id=table-7,user.id=ann"
    told = {"traceparent": f"00-{trace}-{parent}-01", "tracestate": "app=1", "baggage": baggage}
    rig.post(headers=told)
    (record,) = rig.records()
    assert (record.trace_id.hex(), record.parent_id.hex()) == (trace, parent)
    assert (record.session, record.user) == ("table-7", "ann")
    seen = rig.stub.heads[-1]
    assert seen["traceparent"] == f"00-{trace}-{record.span_id.hex()}-01"
    assert seen["tracestate"] == "app=1"
    assert "baggage" not in seen


def test_an_upstream_can_be_kept_from_knowing_the_trace(rig: Rig) -> None:
    rig.environ["STOCKPOT_UPSTREAM_TRACE"] = "false"
    rig.start()
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    rig.post(headers={"traceparent": f"00-{trace}-{parent}-01", "tracestate": "app=1"})
    (record,) = rig.records()
    assert record.trace_id.hex() == trace
    assert not {"traceparent", "tracestate"} & set(rig.stub.heads[-1])


def test_embeddings_and_text_completions_are_counted(rig: Rig) -> None:
    rig.start()
    with client(rig) as sdk:
        made = sdk.embeddings.create(model="small", input=["a", "b"], encoding_format="float")
    assert [len(e.embedding) for e in made.data] == [3, 3]
    (record,) = rig.records()
    assert (record.endpoint, record.input_tokens) == ("embeddings", 7)


def test_the_model_list_holds_what_the_key_may_use(rig: Rig) -> None:
    rig.route("small", rig.target("upstream-1"))
    rig.route("other", rig.target("upstream-2"))
    rig.keys = (key(models=("small",)),)
    rig.start()
    with client(rig) as sdk:
        assert [m.id for m in sdk.models.list()] == ["small"]
        with pytest.raises(openai.NotFoundError):
            sdk.models.retrieve("other")


def test_a_body_of_a_megabyte_is_served(rig: Rig) -> None:
    rig.start()
    big = "x" * 1_000_000
    answer = rig.post(messages=[{"role": "user", "content": big}])
    assert answer.status_code == 200
    assert rig.stub.requests[0]["messages"][0]["content"] == big


def test_an_upstream_with_crlf_events_is_heard(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(newline="\r\n")]
    rig.start()
    with client(rig) as sdk:
        stream = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        text = "".join(c.choices[0].delta.content or "" for c in stream)
    assert text == "The kettle is on."
    assert rig.records()[0].usage_source == "provider"


def test_a_stream_without_usage_is_estimated_and_says_so(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(usage=False)]
    rig.start()
    assert rig.post(stream=True).text.endswith("data: [DONE]\n\n")
    record = rig.records()[0]
    assert record.usage_source == "estimated"
    assert record.output_tokens >= 4
    assert record.cost_nano


def test_an_unknown_price_is_unknown_and_not_zero(rig: Rig) -> None:
    rig.route("small", rig.target("upstream-1", prices=()))
    rig.start()
    rig.post()
    assert rig.records()[0].cost_nano is None


def test_payloads_follow_the_keys_policy(rig: Rig) -> None:
    from stockpot.gateway.spool import read_bodies

    rig.keys = (key(payloads="masked"),)
    rig.start()
    rig.post(messages=[{"role": "user", "content": "write to ann@example.com"}])
    assert rig.records()[0].payload == 2
    (path,) = (rig.home / "spool").glob("*/*.payload")
    stored = path.read_bytes()
    assert b"ann@example.com" not in stored
    assert b"[EMAIL]" in stored
    assert read_bodies is not None
    assert json.loads(json.dumps(rig.stub.requests[0]["messages"]))[0]["content"].endswith("com")
