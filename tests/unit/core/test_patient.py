from __future__ import annotations

import ssl

import httpx
import pytest

from stockpot.core import patient
from stockpot.core.patient import Patient


def client(*statuses: int) -> tuple[httpx.AsyncClient, list[bytes]]:
    """A client of a gateway that answers so, and what that is asked."""
    asked: list[bytes] = []
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.content)
        return httpx.Response(left.pop(0) if len(left) > 1 else left[0])

    to = Patient(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), to=httpx.MockTransport(answer))
    headers = {"authorization": "Bearer sk-sp-new"}
    return httpx.AsyncClient(transport=to, base_url="http://gateway", headers=headers), asked


async def test_a_key_that_is_not_heard_of_yet_is_tried_again_and_a_known_one_never() -> None:
    http, asked = client(401, 401, 200, 401)
    async with http:
        assert (await http.post("/v1/x", content=b"soup")).status_code == 200
        assert asked == [b"soup"] * 3
        assert (await http.post("/v1/x")).status_code == 401
    assert len(asked) == 4


async def test_a_key_that_is_refused_for_good_is_waited_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patient, "_PAUSES_S", (0.0, 0.0))
    http, asked = client(401)
    async with http:
        assert (await http.get("/v1/x")).status_code == 401
        assert len(asked) == 3
        assert (await http.get("/v1/x")).status_code == 401
    assert len(asked) == 4
