"""The control plane's way of spans into the span log: to ingest at once, into a spool when it is
away. Knows ingest's address and the spool; reads no span.

Whoever gets an answer of 200 has his spans committed, or on this host's disk where the shipper
finds them. While ingest answers that it cannot keep up nothing is taken: the sender has them still.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from typing import TYPE_CHECKING

import httpx
import msgspec

from stockpot.core.errors import InvalidInput, StockpotError, Unavailable
from stockpot.gateway import Record, Shipment, ShipmentAck, Shipped, otlp, spool
from stockpot.traces.receiving.again import Renormalised
from stockpot.traces.store.rewriting import Stretch

if TYPE_CHECKING:
    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance

_log = logging.getLogger("stockpot.traces.door")
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(ShipmentAck).decode

_decode_done = msgspec.msgpack.Decoder(Renormalised).decode

_TIMEOUT_S = 20.0
_READING_S = 120.0
_AT_ONCE = 32
_WAITING_BYTES = 256 << 20
MB = 1 << 20


class Behind(Unavailable):
    """Nothing more can be taken just now."""

    retry_after_s = otlp.RETRY_AFTER_S


class TooMuchWaits(StockpotError):
    """More spans come than are committed; those who send have to wait."""

    code, status = "too_much_waits", 429
    retry_after_s = otlp.RETRY_AFTER_S


class Door:
    """Takes requests full of spans. `close` it, for the spool's sake."""

    def __init__(self, instance: Instance, settings: Settings) -> None:
        self._instance = instance
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._spool: spool.Spool | None = None
        self._waiting = 0
        self.spooled = 0
        """Requests that went into the spool."""

    async def take(self, record: Record, body: bytes) -> ShipmentAck:
        """Commit a request, or have it on the disk. Raises InvalidInput, Behind or TooMuchWaits."""
        if self._waiting and self._waiting + len(body) > _WAITING_BYTES:
            raise TooMuchWaits("too many spans wait for the span log; send them again later")
        self._waiting += len(body)
        try:
            clean = await otlp.cleaned(record, body)
            ack = await self._committed(record, clean)
        finally:
            self._waiting -= len(body)
        if ack is None:
            await self._keep(record, clean)
            return ShipmentAck("", 0, 0)
        if ack.rejected < 0:
            raise InvalidInput(ack.message)
        return ack

    async def _committed(self, record: Record, body: bytes) -> ShipmentAck | None:
        """What ingest says; None when it is away, or silent for so long that nobody knows."""
        url = self._ingest()
        if url is None:
            return None
        shipment = Shipment("", 0, 0, 0, (Shipped(record, body),))
        try:
            answer = await self._to_ingest().post(
                f"{url}/internal/shipments", content=_encode(shipment)
            )
        except httpx.TransportError as away:
            _log.warning("spans go into the spool, ingest is away: %r", away)
            return None
        if answer.is_success:
            return _decode(answer.content)
        if answer.status_code == 503:
            raise TooMuchWaits("the span log is behind; send these spans again later")
        _log.error("ingest answers %d: %s", answer.status_code, answer.text[:300])
        raise InvalidInput("the span log cannot keep what this request holds")

    async def renormalise(self, stretch: Stretch) -> Renormalised:
        """Have ingest read a piece of history again."""
        url = self._ingest()
        if url is None:
            raise Unavailable("ingest is away", hint="stockpot up")
        try:
            answer = await self._to_ingest().post(
                f"{url}/internal/renormalise", content=_encode(stretch), timeout=_READING_S
            )
        except httpx.TransportError as away:
            raise Unavailable(f"ingest is away: {away!r}", hint="stockpot doctor") from None
        if not answer.is_success:
            raise Unavailable(f"ingest answers {answer.status_code}", hint="stockpot doctor")
        return _decode_done(answer.content)

    def _ingest(self) -> str | None:
        told = str(self._settings.ingest_url)
        url = told or (self._instance.announced("ingest") or {}).get("url")
        return url if isinstance(url, str) and url else None

    def _to_ingest(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=_TIMEOUT_S,
                trust_env=False,
                limits=httpx.Limits(max_connections=_AT_ONCE),
                headers={
                    "authorization": f"Bearer {self._instance.internal_token}",
                    "content-type": "application/msgpack",
                },
            )
        return self._client

    async def _keep(self, record: Record, body: bytes) -> None:
        """Write a request into the spool, as the gateway does; the shipper brings it to ingest."""
        into = self._spool or self._open()
        if into.state != "ok":
            raise Behind("the spool has no room; send these spans again later")
        if into.waiting_bytes + len(body) > self._settings.otlp_backlog_mb * MB:
            raise TooMuchWaits("too many spans wait in the spool; send them again later")
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        asked = record.payload
        into.finish(record, body, None, lambda: _set(written))
        await asyncio.shield(written)
        if record.payload != asked:  # shed: there was no room after all
            raise Behind("the spool has no room; send these spans again later")
        self.spooled += 1

    def _open(self) -> spool.Spool:
        settings = self._settings
        name = f"{socket.gethostname()}-control-{time.time_ns() // 1_000_000}"
        self._spool = spool.Spool.open(
            self._instance.spool,
            name,
            fsync=settings.fsync,
            payload_quota=settings.spool_payload_mb * MB,
            ledger_quota=settings.spool_ledger_mb * MB,
            disk_reserve=settings.disk_reserve_mb * MB,
            loop=asyncio.get_running_loop(),
        )
        return self._spool

    async def close(self) -> None:
        """Let go of the spool, so that the shipper may finish it, and of the connections."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None
        if self._client is not None:
            await self._client.aclose()
            self._client = None


def _set(written: asyncio.Future[None]) -> None:
    if not written.done():
        written.set_result(None)
