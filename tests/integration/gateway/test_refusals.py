"""Calls that the gateway refuses: who erred, in the dialect's own shape."""

from __future__ import annotations

import hashlib
import time

import httpx
import openai
import pytest

from stockpot.gateway import Key, Limits, Project
from tests.integration.gateway.conftest import SECRET, Rig, key

pytestmark = pytest.mark.integration


def error(answer: httpx.Response) -> dict[str, str]:
    body = answer.json()["error"]
    assert set(body) == {"message", "type", "param", "code"}
    return dict(body)


def test_an_unknown_key_is_refused_and_leaves_no_span(rig: Rig) -> None:
    rig.start()
    with (
        openai.OpenAI(base_url=rig.url, api_key="sk-sp-wrong", max_retries=0) as sdk,
        pytest.raises(openai.AuthenticationError) as refused,
    ):
        sdk.chat.completions.create(model="small", messages=[])
    assert refused.value.code == "invalid_api_key"
    assert httpx.post(f"{rig.url}/chat/completions", json={}, timeout=60).status_code == 401
    assert rig.records(0) == []


def test_a_key_that_is_disabled_expired_or_elsewhere_is_refused(rig: Rig) -> None:
    def other(name: str, **changes: object) -> tuple[str, Key]:
        secret = f"sk-sp-{name}"
        return secret, key(
            id=name, name=name, hash=hashlib.sha256(secret.encode()).digest(), **changes
        )

    cases = [
        (*other("off", state="disabled"), 401, "key_disabled"),
        (*other("old", expires_ms=int(time.time() * 1000) - 1), 401, "key_expired"),
        (*other("far", networks=("10.0.0.0/8",)), 403, "address_not_allowed"),
        (*other("near", networks=("127.0.0.0/8", "::1/128")), 200, ""),
    ]
    rig.keys = tuple(case[1] for case in cases)
    rig.start()
    for secret, _, status, code in cases:
        answer = rig.post(headers={"authorization": f"Bearer {secret}"})
        assert answer.status_code == status
        if code:
            assert error(answer)["code"] == code
    assert [r.error for r in rig.records(4) if r.status != 200] == [c[3] for c in cases[:3]]


def test_an_unknown_model_gets_the_nearest_name(rig: Rig) -> None:
    rig.start()
    answer = rig.post(model="smal")
    assert answer.status_code == 404
    assert "Did you mean 'small'?" in error(answer)["message"]


def test_a_model_outside_the_keys_list_is_refused(rig: Rig) -> None:
    rig.keys = (key(models=("other",)),)
    rig.start()
    answer = rig.post()
    assert (answer.status_code, error(answer)["code"]) == (403, "model_not_allowed")


def test_a_model_on_the_wrong_endpoint_is_refused(rig: Rig) -> None:
    rig.route("small", rig.target("upstream-1"), endpoints=("embeddings",))
    rig.start()
    answer = rig.post()
    assert (answer.status_code, error(answer)["code"]) == (400, "wrong_endpoint")


def test_a_bad_body_names_the_field(rig: Rig) -> None:
    rig.start()
    answer = rig.post(stream="yes")
    assert (answer.status_code, error(answer)["param"]) == (400, "stream")
    assert rig.post("/nothing").status_code == 404
    assert httpx.get(f"{rig.url}/chat/completions", timeout=60).status_code == 405


@pytest.mark.parametrize("wire", ["openai", "anthropic"])
def test_bytes_that_are_no_json_are_the_clients_fault_wherever_they_stand(
    rig: Rig, wire: str
) -> None:
    rig.route("small", rig.target("m", wire=wire), endpoints=("chat", "completions", "embeddings"))
    rig.start()
    turns = b'"messages": [{"role": "user", "content": "hi%b"}]'
    said = turns % b""
    asked = {
        "/v1/chat/completions": [b'"odd\xe4": 1, ' + said, turns % b"\xff"],
        "/v1/messages": [b'"max_tokens": 5, "odd\xe4": 1, ' + said, turns % b"\xff"],
        "/v1/responses": [b'"input": "hi", "odd\xe4": 1', b'"input": [{"content": "\xff"}]'],
        "/v1beta/models/small:generateContent": [b'"contents": [{"parts": [{"text": "\xff"}]}]'],
        "/v1/embeddings": [b'"input": "hi", "odd\xe4": 1'],
        "/v1/completions": [b'"prompt": "hi", "odd\xe4": 1'],
    }
    deep = b'"odd": ' + b"[" * 50_000 + b"]" * 50_000
    with httpx.Client(headers={"authorization": f"Bearer {SECRET}"}, timeout=60) as client:
        for path, bodies in asked.items():
            for body in (*bodies, bodies[0].replace(b'"odd\xe4": 1', deep)):
                whole = b"{" + body + b', "temperature": 1, "model": "small"}'
                answer = client.post(f"http://127.0.0.1:{rig.port}{path}", content=whole)
                assert answer.status_code in (400, 502), (path, body[:80], answer.text)
                assert "gateway failed" not in answer.text, (path, body[:80])


def test_requests_per_minute_are_limited_with_a_wait(rig: Rig) -> None:
    rig.keys = (key(limits=Limits(rpm=3)),)
    rig.start()
    statuses = [rig.post().status_code for _ in range(5)]
    assert statuses == [200, 200, 200, 429, 429]
    last = rig.post()
    assert error(last)["code"] == "rate_limit_exceeded"
    assert 1 <= int(last.headers["retry-after"]) <= 20
    assert "key 'test'" in error(last)["message"]
    assert sum(r.status == 429 for r in rig.records(6)) == 3


def test_an_admitted_call_says_what_is_left(rig: Rig) -> None:
    rig.keys = (key(limits=Limits(rpm=10, tpm=100_000)),)
    rig.start()
    headers = rig.post().headers
    assert headers["x-ratelimit-limit-requests"] == "10"
    assert headers["x-ratelimit-remaining-requests"] == "9"
    assert headers["x-ratelimit-limit-tokens"] == "100000"


def test_a_projects_limit_binds_all_its_keys(rig: Rig) -> None:
    second = "sk-sp-second"
    digest = hashlib.sha256(second.encode()).digest()
    rig.projects = (Project("prj", "default", Limits(rpm=2)),)
    rig.keys = (key(), key(id="key_2", name="second", hash=digest))
    rig.start()
    assert rig.post().status_code == 200
    assert rig.post(headers={"authorization": f"Bearer {second}"}).status_code == 200
    refused = rig.post()
    assert refused.status_code == 429
    assert "project 'default'" in error(refused)["message"]


def test_a_call_larger_than_the_whole_token_limit_is_not_worth_retrying(rig: Rig) -> None:
    rig.keys = (key(limits=Limits(tpm=100)),)
    rig.start()
    answer = rig.post(max_tokens=5000)
    assert answer.status_code == 429
    assert answer.headers["x-should-retry"] == "false"


def test_no_secret_is_stored_with_a_record(rig: Rig) -> None:
    rig.start()
    rig.post()
    rig.records()
    rig.stop()
    kept = b"".join(p.read_bytes() for p in rig.home.rglob("*") if p.is_file())
    assert SECRET.encode() not in kept
    assert b"sk-vendor-secret-1234" not in kept
