"""Calling an ASGI application without a server, from synchronous code. Knows ASGI; knows no routes.

The command line uses it when no control plane runs: the same application answers, in a thread of
this process. Answers stream, so that `tail` works here as it does over a socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, MutableMapping
from concurrent.futures import Future
from typing import Any, TypeVar

import httpx

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
T = TypeVar("T")

_END = object()


class InProcess(httpx.BaseTransport):
    """An httpx transport whose requests are answered by `app`, its lifespan included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._lifespan = _Lifespan(app)
        try:
            self._call(self._lifespan.startup())
        except BaseException:
            self._stop_loop()
            raise

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer: queue.Queue[Any] = queue.Queue()
        serving = self._submit(_serve(self._app, _scope(request), request.read(), answer))
        head = answer.get()
        if isinstance(head, BaseException):
            raise head
        return httpx.Response(
            head["status"], headers=head["headers"], stream=_Body(answer, serving), request=request
        )

    def close(self) -> None:
        with contextlib.suppress(RuntimeError):
            self._call(self._lifespan.shutdown())
        self._stop_loop()

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        return self._submit(work).result()

    def _stop_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class _Body(httpx.SyncByteStream):
    """The rest of an answer, as the application sends it; closing it early cancels the call."""

    def __init__(self, answer: queue.Queue[Any], serving: Future[None]) -> None:
        self._answer = answer
        self._serving = serving

    def __iter__(self) -> Iterator[bytes]:
        while (piece := self._answer.get()) is not _END:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def close(self) -> None:
        self._serving.cancel()


class _Lifespan:
    """The ASGI lifespan protocol, in one task so that its context managers stay in one place."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._inbox: asyncio.Queue[Message] = asyncio.Queue()
        self._outbox: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        self._task = asyncio.create_task(self._run())
        await self._say("lifespan.startup")

    async def shutdown(self) -> None:
        await self._say("lifespan.shutdown")
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        try:
            await self._app(scope, self._inbox.get, self._outbox.put)
        except Exception as error:
            await self._outbox.put({"type": "raised", "error": error})

    async def _say(self, kind: str) -> None:
        await self._inbox.put({"type": kind})
        reply = await self._outbox.get()
        if reply["type"] == "raised":
            raise reply["error"]
        if reply["type"].endswith(".failed"):  # the application says so, then raises
            raise (await self._outbox.get())["error"]


def _scope(request: httpx.Request) -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(k.lower(), v) for k, v in request.headers.raw],
        "server": (request.url.host, request.url.port or 80),
        "client": ("127.0.0.1", 0),
        "state": {},
    }


async def _serve(
    app: ASGIApp, scope: MutableMapping[str, Any], body: bytes, answer: queue.Queue[Any]
) -> None:
    sent = False

    async def receive() -> Message:
        nonlocal sent
        if not sent:
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}
        await asyncio.Event().wait()  # the caller never hangs up except by cancelling this task
        raise AssertionError

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.put(message)
        elif message.get("body"):
            answer.put(message["body"])

    try:
        await app(scope, receive, send)
    except Exception as error:
        answer.put(error)
    finally:
        answer.put(_END)
