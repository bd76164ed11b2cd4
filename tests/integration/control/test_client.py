"""The client of the control plane: over a socket, and in this process."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from stockpot.core import config
from stockpot.core.client import Client, ClientError
from stockpot.core.errors import Conflict, Unavailable
from stockpot.core.inprocess import InProcess
from stockpot.core.instance import Instance
from stockpot.core.web import answer_errors

pytestmark = pytest.mark.integration


class Told:
    """What the application lived through."""

    def __init__(self) -> None:
        self.started = self.ended = False
        self.cancelled = threading.Event()


def application(told: Told) -> FastAPI:
    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        told.started = True
        yield
        told.ended = True

    app = FastAPI(lifespan=life)
    answer_errors(app)

    @app.get("/given")
    async def given(a: int, b: str | None = None) -> dict[str, Any]:
        return {"a": a, "b": b}

    @app.put("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.delete("/nothing", status_code=204)
    async def nothing() -> None: ...

    @app.get("/taken")
    async def taken() -> None:
        raise Conflict("it is there", hint="look")

    @app.get("/endless")
    async def endless() -> StreamingResponse:
        async def pieces() -> AsyncIterator[str]:
            import asyncio

            try:
                yield ': a comment\n\nid: 1\nevent: trace\ndata: {"n": 1}\n\n'
                yield 'data: {"n":'
                yield " 2}\n\ndata: [DONE]\n\n"
                await asyncio.sleep(3600)
            finally:
                told.cancelled.set()

        return StreamingResponse(pieces(), media_type="text/event-stream")

    @app.get("/lines")
    async def lines() -> StreamingResponse:
        return StreamingResponse(iter(['{"n": 1}\n', '{"n": 2}\n\n']))

    return app


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def client(told: Told) -> Iterator[Client]:
    with Client("http://x", "token", transport=InProcess(application(told))) as opened:
        yield opened


def test_the_lifespan_runs_around_the_calls(told: Told) -> None:
    with Client("http://x", transport=InProcess(application(told))) as client:
        assert told.started
        assert client.get("/given", a=1) == {"a": 1, "b": None}
        assert not told.ended
    assert told.ended


def test_results_are_decoded_and_parameters_that_are_none_are_left_out(client: Client) -> None:
    assert client.get("/given", a=1, b=None) == {"a": 1, "b": None}
    assert client.put("/echo", {"x": [1, "\u00e9"]}) == {"x": [1, "\u00e9"]}
    assert client.delete("/nothing") is None


def test_an_error_keeps_its_code_its_words_and_its_hint(client: Client) -> None:
    with pytest.raises(ClientError) as error:
        client.get("/taken")
    assert (error.value.answered, error.value.answered_code) == (409, "conflict")
    assert str(error.value) == "it is there  (look)"


def test_a_stream_is_read_while_it_runs_and_closing_it_ends_it(client: Client, told: Told) -> None:
    stream = client.stream("/endless")
    began = time.monotonic()
    assert [next(stream), next(stream)] == [{"n": 1}, {"n": 2}]
    assert time.monotonic() - began < 10
    stream.close()  # type: ignore[attr-defined]
    assert told.cancelled.wait(60)


def test_json_lines_are_a_stream_too(client: Client) -> None:
    assert list(client.stream("/lines")) == [{"n": 1}, {"n": 2}]


def test_an_error_instead_of_a_stream_is_raised(client: Client) -> None:
    with pytest.raises(ClientError, match="it is there"):
        next(client.stream("/taken"))


def test_what_fails_at_the_start_is_raised_as_it_is() -> None:
    @contextlib.asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        raise Conflict("the store is of a newer version")
        yield

    with pytest.raises(Conflict, match="newer version"):
        InProcess(FastAPI(lifespan=life))


def test_without_a_control_plane_and_without_a_fallback_it_says_what_to_start(
    tmp_path: Path,
) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    with pytest.raises(Unavailable) as error:
        Client.open(settings, Instance(tmp_path))
    assert error.value.hint == "stockpot up"


@pytest.mark.parametrize(
    "facts",
    [
        {"url": "http://127.0.0.1:9", "pid": 1},
        {"url": "http://127.0.0.1:9", "pid": 2**22 + 1},
        {"url": 7},
        {},
    ],
)
def test_an_announcement_that_nobody_stands_behind_is_not_believed(
    tmp_path: Path, facts: dict[str, object], told: Told
) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    instance = Instance(tmp_path)
    instance.announce("control", facts)
    with Client.open(settings, instance, lambda: application(told)) as client:
        assert client.get("/given", a=1) == {"a": 1, "b": None}


def test_a_control_plane_that_vanishes_is_told(tmp_path: Path) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    remote = settings.replaced(control_url="http://127.0.0.1:9")
    with (
        Client.open(remote, Instance(tmp_path)) as client,
        pytest.raises(Unavailable, match=r"127\.0\.0\.1:9 does not answer"),
    ):
        client.get("/readyz")


def test_an_answer_that_is_no_error_of_ours_is_told_as_it_came() -> None:
    app = FastAPI()

    @app.get("/odd", status_code=502)
    async def odd() -> str:
        return json.dumps("a proxy")

    with (
        Client("http://x", transport=InProcess(app)) as client,
        pytest.raises(ClientError, match="502: "),
    ):
        client.get("/odd")
