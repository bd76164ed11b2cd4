"""Upstreams that fail, and clients that leave: retries, fallbacks, broken streams, bills."""

from __future__ import annotations

import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import openai
import pytest

from stockpot.gateway import STAGES, Timeouts
from tests.integration.gateway.conftest import SECRET, Rig, free_port, key
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration


def two_targets(rig: Rig, first: Behaviour) -> None:
    rig.stub.behaviours["bad"] = [first]
    rig.route("small", rig.target("bad"), rig.target("good"))
    rig.start()


@pytest.mark.parametrize(
    ("first", "error"),
    [
        (Behaviour(status=500), "upstream_error"),
        (Behaviour(status=429), "upstream_rate_limit"),
        (Behaviour(close_early=True), "reset"),
        (Behaviour(delay_s=3.0), "timeout_first_byte"),
    ],
)
def test_a_failing_target_falls_back_to_the_next(rig: Rig, first: Behaviour, error: str) -> None:
    two_targets(rig, first)
    answer = rig.post()
    assert answer.status_code == 200
    assert answer.json()["model"] == "good-2026"
    failed, root = sorted(rig.records(2), key=lambda r: r.attempt)
    assert (failed.error, failed.is_root, failed.target) == (error, False, "bad")
    assert (root.error, root.is_root, root.target, root.attempt) == ("", True, "good", 2)
    assert failed.trace_id == root.trace_id
    assert failed.parent_id == root.span_id
    assert failed.cost_nano == 0


def test_a_stream_that_fails_before_its_first_byte_falls_back(rig: Rig) -> None:
    two_targets(rig, Behaviour(cut_after=0))
    assert rig.post(stream=True).text.endswith("data: [DONE]\n\n")
    assert {r.target for r in rig.records(2)} == {"bad", "good"}


def test_an_unreachable_target_falls_back(rig: Rig) -> None:
    nowhere = rig.target("bad", base_url=f"http://127.0.0.1:{free_port()}/v1")
    rig.route("small", nowhere, rig.target("good"))
    rig.start()
    assert rig.post().status_code == 200
    failed, root = sorted(rig.records(2), key=lambda r: r.attempt)
    assert failed.error == "connect"
    stages = dict(zip(STAGES, root.stages, strict=True))
    assert stages["upstream"] > 0, "connecting ends when an upstream is connected"


def test_a_call_waits_for_an_engine_that_is_started_again(rig: Rig) -> None:
    port = free_port()
    engine = rig.target("engine", base_url=f"http://127.0.0.1:{port}/v1", returns=True)
    rig.route("small", engine)
    rig.start()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(rig.post)
        assert rig.records()[0].error == "connect", "it was tried while nothing listened"
        with socket.create_server(("127.0.0.1", port)) as server:
            server.settimeout(30)
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")
                assert waiting.result().status_code == 200


def test_a_single_target_is_tried_again_after_the_time_it_asks_for(rig: Rig) -> None:
    busy = Behaviour(status=429, headers=(("retry-after", "1"),))
    rig.stub.behaviours["upstream-1"] = [busy, Behaviour()]
    rig.start()
    begun = time.monotonic()
    assert rig.post().status_code == 200
    assert 0.9 < time.monotonic() - begun < 10


def test_a_wait_that_is_too_long_is_left_to_the_client(rig: Rig) -> None:
    busy = Behaviour(status=429, headers=(("retry-after", "90"),))
    rig.stub.behaviours["upstream-1"] = [busy]
    rig.start()
    answer = rig.post()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "90")
    assert answer.json()["error"]["type"] == "stub_error"
    assert len(rig.stub.requests) == 1


def test_a_request_that_the_upstream_refuses_is_not_repeated(rig: Rig) -> None:
    rig.stub.behaviours["bad"] = [Behaviour(status=400)]
    rig.route("small", rig.target("bad"), rig.target("good"))
    rig.start()
    answer = rig.post()
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "as told")
    assert rig.records()[0].error == "upstream_refused"


def test_a_refused_vendor_key_is_the_gateways_fault_and_not_the_clients(rig: Rig) -> None:
    bad = rig.target("bad", headers=(("authorization", "Bearer wrong"),))
    rig.route("small", bad)
    rig.start()
    answer = rig.post()
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "upstream_authentication")


def test_when_every_target_fails_the_last_word_goes_to_the_client(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(status=503)]
    rig.start()
    answer = rig.post()
    assert answer.status_code == 503
    assert len(rig.records(3)) == 3
    assert [r.is_root for r in rig.records(3)].count(True) == 1


def test_a_stream_cut_in_the_middle_ends_in_an_error_event_and_is_billed(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(cut_after=3)]
    rig.start()
    with openai.OpenAI(base_url=rig.url, api_key=SECRET, max_retries=0) as sdk:
        stream = sdk.chat.completions.create(
            model="small", messages=[{"role": "user", "content": "hello"}], stream=True
        )
        got = []
        with pytest.raises(openai.APIError):
            got.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    raw = rig.post(stream=True).text.split("\n\n")
    assert json.loads(raw[-2].removeprefix("data: "))["error"]["type"] == "upstream_error"
    assert "[DONE]" not in "".join(raw)
    record = rig.records(2)[0]
    assert record.error.startswith("stream_")
    assert (record.usage_source, record.status) == ("estimated", 200)
    assert record.cost_nano


def test_an_error_inside_a_stream_is_an_error_on_the_record(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(error_in_stream="overloaded", interval_s=0.2)]
    rig.start()
    rig.post(stream=True)
    record = rig.records()[0]
    assert (record.error, record.error_message) == ("stream", "overloaded")


def test_a_silent_stream_is_ended_after_the_idle_time(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(interval_s=5.0)]
    rig.route("small", rig.target("upstream-1", timeouts=Timeouts(1, 2, 0.4, 10)))
    rig.start()
    assert "timeout_idle" in rig.post(stream=True).text


def leave_in_the_middle(rig: Rig, after: bytes = b"data: ") -> None:
    """Read the start of a stream, then close the connection."""
    body = json.dumps(
        {"model": "small", "stream": True, "messages": [{"role": "user", "content": "hello"}]}
    ).encode()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SECRET}\r\n"
    with socket.create_connection(("127.0.0.1", rig.port)) as client:
        client.sendall(head.encode() + b"content-length: %d\r\n\r\n%b" % (len(body), body))
        client.settimeout(60)
        while after not in client.recv(65536):
            pass


def test_a_client_that_leaves_because_of_an_error_leaves_the_error_on_the_record(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(error_in_stream="overloaded", interval_s=0.4)]
    rig.start()
    leave_in_the_middle(rig, b"overloaded")
    record = rig.records()[0]
    assert (record.error, record.error_message, record.status) == ("stream", "overloaded", 200)


@pytest.mark.parametrize(
    ("policy", "source", "cancelled"),
    [("cancel", "none", True), ("partial", "estimated", True), ("drain", "provider", False)],
)
def test_a_client_that_leaves_is_billed_by_policy(
    rig: Rig, policy: str, source: str, cancelled: bool
) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(text="one two three four", interval_s=0.08)]
    rig.keys = (key(on_disconnect=policy),)
    rig.start()
    leave_in_the_middle(rig)
    record = rig.records()[0]
    assert record.usage_source == source
    if cancelled:
        assert (record.error, record.status) == ("client_disconnect", 499)
        time.sleep(0.5)
        assert rig.stub.cancelled == 1
    else:
        assert (record.error, record.output_tokens) == ("", 5)


def test_a_worker_that_is_told_to_stop_finishes_its_streams(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(text="a b c d e f", interval_s=0.1)]
    rig.start()
    with httpx.stream(
        "POST",
        f"{rig.url}/chat/completions",
        json={"model": "small", "stream": True, "messages": []},
        headers={"authorization": f"Bearer {SECRET}"},
        timeout=60,
    ) as answer:
        lines = answer.iter_lines()
        next(lines)
        assert rig.child is not None
        rig.child.terminate()
        rest = list(lines)
    assert rest[-2:] == ["data: [DONE]", ""] or "data: [DONE]" in rest
    assert rig.child.wait(60) == 0


def test_a_routes_own_timeouts_stand_above_its_targets(rig: Rig) -> None:
    rig.stub.behaviours["upstream-1"] = [Behaviour(delay_s=1.0)]
    rig.route("small", rig.target("upstream-1"), timeouts=Timeouts(1, 0.2, 1, 5), attempts=1)
    rig.start()
    answer = rig.post()
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "timeout_first_byte")
