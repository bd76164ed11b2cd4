"""What no route could keep or tell again is refused before any of them sees it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Query, Request

from stockpot.core.web import MOST_DEPTH, answer_errors, keepable


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI(dependencies=[Depends(keepable)])
    answer_errors(app)

    async def keep(body: dict[str, Any]) -> str:
        return str(len(body))

    async def stream(request: Request) -> str:
        return str(len([piece async for piece in request.stream() if piece]))

    app.add_api_route("/things/{name}", keep, methods=["POST"])

    async def items(
        limit: Annotated[int, Query(ge=1)], name: Annotated[str, Query(pattern="^[a-z]*$")] = ""
    ) -> str:
        return f"{limit} {name}"

    app.add_api_route("/items", items, methods=["POST"])
    app.add_api_route("/streams", stream, methods=["POST"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url="http://stockpot",
        headers={"content-type": "application/json"},
    ) as opened:
        yield opened


def nested(depth: int) -> bytes:
    return b'{"a":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


HALF = b'{"a": ["\\ud83d"]}'


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/things/a%00b", b"{}", "NUL"),
        ("/things/a?q=x%00", b"{}", "NUL"),
        ("/things/a", nested(MOST_DEPTH + 1), "nested deeper than 100"),
        ("/things/a", HALF, "\\ud83d alone"),
        ("/things/a", b'{"\\uDE00": 1}', "\\ude00 alone"),
        ("/things/a", b'{"a": "\xed\xa0\xbd"}', "\\ud83d alone"),
        ("/things/a", HALF.decode().encode("utf-16"), "\\ud83d alone"),
    ],
)
async def test_what_nobody_could_keep_is_refused(
    client: httpx.AsyncClient, path: str, body: bytes, told: str
) -> None:
    answer = await client.post(path, content=body)
    assert answer.status_code == 422
    assert told in answer.json()["error"]["message"]


async def test_what_is_merely_odd_is_left_to_the_routes(client: httpx.AsyncClient) -> None:
    whole = '{"a": "\\ud83d\\ude00 \U0001f600 \\u0000 \\\\ud83d"}'.encode()
    for body in (whole, nested(MOST_DEPTH)):
        answer = await client.post("/things/%25a?q=%2500", content=body)
        assert (answer.status_code, answer.json()) == (200, "1"), answer.text
    answer = await client.post("/streams", content=HALF)
    assert (answer.status_code, answer.json()) == (200, "1"), answer.text


async def test_what_is_missing_or_wrong_is_told_without_the_validators_words(
    client: httpx.AsyncClient,
) -> None:
    asked = ("/items?limit=0", "/items", "/items?limit=1&name=No%20Name")
    told = [(await client.post(path)).json()["error"]["message"] for path in asked]
    assert told == [
        "limit: must be greater than or equal to 1", "limit: is missing",
        "name: 'No Name' must match pattern '^[a-z]*$'",
    ]  # fmt: skip
    wrong = await client.post("/things/a", content=b"[]")
    assert wrong.json()["error"]["message"] == "body: must be an object"
