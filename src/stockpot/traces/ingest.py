"""The ingest process's application: takes shipments over HTTP and answers when they are committed.

Knows HTTP and the queue in front of the one writer; knows no SQL. A single thread decodes and
commits; what waits meanwhile goes into the next transaction together, so that a burst costs one
commit and a lone shipment waits for nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import msgspec
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from stockpot.core import prometheus
from stockpot.core.errors import StockpotError, Unavailable
from stockpot.gateway import Shipment, ShipmentAck
from stockpot.traces.receiving.pricing import RowsOf, no_prices
from stockpot.traces.service import OffsetMismatch, SpanLog
from stockpot.traces.store import SpanStore
from stockpot.traces.store.orders import Order
from stockpot.traces.store.rewriting import Stretch

MAX_SHIPMENT = 512 << 20
"""Bytes of the largest shipment. Shippers send about 4 MB; a single record may be larger."""

GROUPED = 32
"""Shipments that share a transaction at most."""

_GROUPED_BYTES = 16 << 20
_WAITING_BYTES = 256 << 20
_log = logging.getLogger(__name__)
_decode = msgspec.msgpack.Decoder(Shipment).decode
_decode_stretch = msgspec.msgpack.Decoder(Stretch).decode
_order: Callable[[bytes], Order] = msgspec.msgpack.Decoder(Order).decode
_encode = msgspec.msgpack.Encoder().encode

_NOT_OURS = (ValueError, TypeError, OverflowError)
"""What a record raises that no column can hold: the shipment is at fault, not the disk."""

Answer = ShipmentAck | OffsetMismatch | Exception


class Waiting(NamedTuple):
    """A shipment in the queue, and who waits for its answer."""

    body: bytes
    answer: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop


class Committer:
    """The writer thread and the queue before it."""

    def __init__(self, log: SpanLog) -> None:
        self._log = log
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
        self._waiting_bytes = 0
        self.healthy = True
        self.counters: dict[str, float] = dict.fromkeys(
            (
                "shipments",
                "spans",
                "bytes",
                "commits",
                "commit_seconds",
                "mismatches",
                "invalid",
                "failures",
            ),
            0.0,
        )

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Commit what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def waiting_bytes(self) -> int:
        return self._waiting_bytes

    async def commit(self, body: bytes) -> Answer:
        """Queue a shipment; returns when it is committed or refused."""
        full = self._waiting_bytes and self._waiting_bytes + len(body) > _WAITING_BYTES
        if full or not self._thread.is_alive():
            return Unavailable("the span log is behind; try again in a second")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting_bytes += len(body)
        try:
            self._queue.put(Waiting(body, answer, loop))
            return await asyncio.shield(answer)
        finally:
            self._waiting_bytes -= len(body)

    def _run(self) -> None:
        while (first := self._queue.get()) is not None:
            group, ended = self._gather(first)
            self._commit(group)
            if ended:
                return

    def _gather(self, first: Waiting) -> tuple[list[Waiting], bool]:
        """The first and what waits behind it; and whether the queue's end was met."""
        group, size = [first], len(first.body)
        while len(group) < GROUPED and size < _GROUPED_BYTES:
            try:
                following = self._queue.get_nowait()
            except queue.Empty:
                break
            if following is None:
                return group, True
            group.append(following)
            size += len(following.body)
        return group, False

    def _commit(self, group: list[Waiting]) -> None:
        shipments: list[Shipment] = []
        senders: list[Waiting] = []
        for waiting in group:
            try:
                shipments.append(_decode(waiting.body))
                senders.append(waiting)
            except msgspec.DecodeError as bad:
                self.counters["invalid"] += 1
                _reply(waiting, bad)
        answers = self._store(shipments)
        for waiting, answer in zip(senders, answers, strict=True):
            _reply(waiting, answer)

    def _store(self, shipments: list[Shipment]) -> list[Answer]:
        """Commit together; if that fails, one by one, so that only what is at fault fails."""
        if not shipments:
            return []
        begun = time.monotonic()
        try:
            answers: list[Answer] = [*self._log.ingest_all(shipments)]
        except Exception as failure:
            if len(shipments) > 1:
                return [answer for shipment in shipments for answer in self._store([shipment])]
            _log.exception("a shipment of %r could not be committed", shipments[0].stream)
            self.healthy = isinstance(failure, _NOT_OURS)
            self.counters["failures"] += 1
            return [failure]
        self.healthy = True
        self._count(shipments, answers, time.monotonic() - begun)
        return answers

    def _count(self, shipments: list[Shipment], answers: list[Answer], took: float) -> None:
        counters = self.counters
        counters["commits"] += 1
        counters["commit_seconds"] += took
        for shipment, answer in zip(shipments, answers, strict=True):
            taken = isinstance(answer, ShipmentAck)
            counters["shipments" if taken else "mismatches"] += 1
            counters["spans"] += len(shipment.items) if taken else 0


def _reply(waiting: Waiting, answer: Answer) -> None:
    def set_it() -> None:
        if not waiting.answer.done():
            waiting.answer.set_result(answer)

    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
        waiting.loop.call_soon_threadsafe(set_it)


def ingest_app(store: SpanStore, token: str, prices: RowsOf = no_prices) -> Starlette:
    """The application of the ingest process; serve it with one uvicorn worker.

        store = open_store(instance, "FULL" if settings.fsync == "group" else "NORMAL")
        uvicorn.run(ingest_app(store, instance.internal_token), ...)

    `POST /internal/shipments` takes a MessagePack `Shipment` with `Authorization: Bearer TOKEN` and
    answers a MessagePack `ShipmentAck` once it is committed: 200, or 409 with the offset to go on
    from. 401 wrong token, 400 not a shipment, 413 too large, 422 holds what cannot be kept (send
    smaller ones to find it), 503 try again later. `POST /internal/renormalise` takes a `Stretch`
    and reads that piece of history again. `GET /healthz`, `GET /readyz` and `GET /metrics`
    (Prometheus) need no token. The store is closed at shutdown,
    after everything that waits has been committed. `prices` are for spans of other applications.
    """
    log = SpanLog(store, prices=prices)
    committer = Committer(log)
    expected = f"Bearer {token}".encode()

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        store.append([])  # take the writer's lock now: a second ingest fails at once, and says why
        committer.start()
        yield
        await asyncio.to_thread(committer.stop)
        store.close()

    async def shipments(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return _error(401, "not_signed_in", "this route is for the instance's own processes")
        try:
            body = await _body(request)
        except ClientDisconnect:
            return _error(400, "invalid_input", "the client left")
        if body is None:
            return _error(413, "too_large", f"a shipment has at most {MAX_SHIPMENT} bytes")
        committer.counters["bytes"] += len(body)
        return _answered(await committer.commit(body))

    async def renormalise(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return _error(401, "not_signed_in", "this route is for the instance's own processes")
        try:
            window = _decode_stretch(await request.body())
        except msgspec.DecodeError as bad:
            return _error(400, "invalid_input", f"not a stretch of history: {bad}")
        done = await asyncio.to_thread(log.renormalise, window)
        return Response(_encode(done), media_type="application/msgpack")

    async def orders(request: Request) -> Response:
        given = request.headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, expected):
            return _error(401, "not_signed_in", "this route is for the instance's own processes")
        try:
            order = _order(await request.body())
        except msgspec.DecodeError as bad:
            return _error(400, "invalid_input", f"not an order: {bad}")
        done = await asyncio.to_thread(store.perform, order)
        return Response(_encode(done), media_type="application/msgpack")

    async def readyz(_: Request) -> Response:
        state = "ready" if committer.healthy else "failing"
        return JSONResponse({"status": state}, 200 if committer.healthy else 503)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def metrics(_: Request) -> Response:
        counted = {f"stockpot_ingest_{n}_total": v for n, v in committer.counters.items()}
        counted["stockpot_ingest_waiting_bytes"] = committer.waiting_bytes
        return Response(prometheus.exposition(counted), media_type=prometheus.CONTENT_TYPE)

    routes = [
        Route("/internal/shipments", shipments, methods=["POST"]),
        Route("/internal/renormalise", renormalise, methods=["POST"]),
        Route("/internal/orders", orders, methods=["POST"]),
        Route("/readyz", readyz),
        Route("/healthz", healthz),
        Route("/metrics", metrics),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


async def _body(request: Request) -> bytes | None:
    """The whole body, or None when it is larger than a shipment may be."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MAX_SHIPMENT:
        return None
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_SHIPMENT:
            return None
        pieces.append(piece)
    return b"".join(pieces)


def _answered(answer: Answer) -> Response:
    if isinstance(answer, ShipmentAck):
        return Response(_encode(answer), media_type="application/msgpack")
    if isinstance(answer, OffsetMismatch):
        ack = ShipmentAck(answer.stream, answer.segment, answer.offset)
        return Response(_encode(ack), 409, media_type="application/msgpack")
    if isinstance(answer, msgspec.DecodeError):
        return _error(400, "invalid_input", f"not a shipment: {answer}")
    if isinstance(answer, _NOT_OURS):
        return _error(422, "invalid_input", f"a record cannot be kept: {answer}")
    message = answer.message if isinstance(answer, StockpotError) else "the commit failed; see log"
    return _error(503, "unavailable", message, {"retry-after": "1"})


def _error(
    status: int, code: str, message: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers)
