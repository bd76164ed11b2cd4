"""Composition root of the data plane: `python -m stockpot.worker [SLOT]`, or `... ship`.

Wires, once and visibly: spool, limits, upstream client, pipeline, HTTP server, control link. It
loads no database driver, no web framework and nothing of the control plane.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec

from stockpot.core import config, logs
from stockpot.core.addresses import refused
from stockpot.core.background import kept_going
from stockpot.core.instance import Instance
from stockpot.core.kv import RateAsk, RateGrant, SlotAsk, open_kv
from stockpot.gateway.account import Accountant
from stockpot.gateway.attempts import Upstreams
from stockpot.gateway.cache import AnswerCache
from stockpot.gateway.face import Gateway
from stockpot.gateway.http.server import Cors, HttpServer, ServerLimits
from stockpot.gateway.http.upstream import AddressFilter, Origin, UpstreamClient
from stockpot.gateway.leases import LeaseClient
from stockpot.gateway.link import ControlAway, ControlLink
from stockpot.gateway.meters import Meters
from stockpot.gateway.models import Heartbeat
from stockpot.gateway.rail_part import RailReader
from stockpot.gateway.rates import RateDesk
from stockpot.gateway.renewal import Renewal
from stockpot.gateway.snapshot import Carried, View
from stockpot.gateway.spool import Spool
from stockpot.providers import AwsRoles

_log = logging.getLogger("stockpot.worker")
HEARTBEAT_S = 2.0
PRIME_S = 1.0
GC_YOUNG = 20_000
MB = 1024 * 1024
encode_asks = msgspec.msgpack.Encoder().encode
decode_grants = msgspec.msgpack.Decoder(list[RateGrant]).decode
decode_slots = msgspec.msgpack.Decoder(list[int]).decode
_CORS_HEADERS = (
    "authorization, content-type, x-api-key, x-goog-api-key, traceparent, tracestate, baggage, "
    "x-stockpot-user, x-stockpot-session, x-stockpot-tags, x-stockpot-prompt, "
    "x-stockpot-prompt-used, x-stockpot-experiment-used"
)
_CORS_EXPOSE = (
    "age, retry-after, server-timing, x-stockpot-cache, x-stockpot-degraded, "
    "x-stockpot-experiment, x-stockpot-prompt, x-stockpot-trace-id, x-should-retry, "
    "x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    "x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)


class Worker:
    """One gateway process."""

    def __init__(self, settings: config.Settings, slot: str) -> None:
        self.settings = settings
        self.instance = Instance(settings.home)
        self.name = f"{socket.gethostname()}-{slot}-{int(time.time() * 1000)}"
        self.meters = Meters()
        self.to_control = UpstreamClient(proxy="")
        self.link = ControlLink(self.to_control, control_url(settings), self.instance, self.name)
        self.kv = open_kv(settings.kv_url) if settings.kv_url else None
        self.desk = RateDesk(self.kv.rates if self.kv else self._rates)
        self.rails = RailReader()
        self.slots = RateDesk(
            self.kv.slots if self.kv else self._slots, holder=self.name, settle_s=0
        )
        self.carried = Carried(self.desk, self.rails, self.slots)
        self.spool = Spool.open(
            self.instance.spool,
            self.name,
            fsync=settings.fsync,
            payload_quota=settings.spool_payload_mb * MB,
            ledger_quota=settings.spool_ledger_mb * MB,
            disk_reserve=settings.disk_reserve_mb * MB,
            loop=asyncio.get_running_loop(),
        )
        self.client = UpstreamClient(
            ca_file=settings.upstream_ca or None,
            proxy=settings.upstream_proxy or os.environ.get("HTTPS_PROXY") or None,
            address_filter=upstream_filter(private=settings.private_upstreams),
        )
        accountant = Accountant(self.spool, self.meters)
        self.upstreams = Upstreams(self.client, accountant, hands_trace_on=settings.upstream_trace)
        cache = AnswerCache(accountant, settings.cache_mb * MB)
        self.gateway = Gateway(
            self.spool, accountant, self.upstreams, self.desk, cache, self.slots,
            settings.otlp_backlog_mb * MB)  # fmt: skip
        self.renewal = Renewal(AwsRoles())
        self.leases = LeaseClient(self.name, self._lease, self.carried.purses)

    async def _lease(self, body: bytes) -> bytes:
        return await self.link.post("/internal/leases", body)

    async def _rates(self, asks: Sequence[RateAsk]) -> list[RateGrant]:
        return decode_grants(await self.link.post("/internal/rates", encode_asks(asks)))

    async def _slots(self, asks: Sequence[SlotAsk]) -> list[int]:
        return decode_slots(await self.link.post("/internal/slots", encode_asks(asks)))

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT, then drain."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        kept = self.link.last_good(self.carried)
        if kept is not None:
            await self.renewal.look(kept)
            self.gateway.view = kept
        settings = self.settings
        server = HttpServer(self.gateway, server_limits(settings), **server_options(settings))
        await server.listen(settings.host, settings.gateway_port, tls=tls(settings), backlog=4096)
        beside = [asyncio.create_task(kept_going(name, work)) for name, work in self._work()]
        await stop.wait()
        self.gateway.draining = True
        await server.drain(settings.drain_s)
        for attempts in list(self.upstreams.running):
            attempts.shut_down()
        await asyncio.sleep(0)
        await self._leave(beside)

    def _work(self) -> Iterator[tuple[str, Callable[[], Awaitable[None]]]]:
        """What runs beside the serving of requests, by name."""
        yield "following the control plane", lambda: self.link.follow(self.carried, self.adopt)
        yield "leasing budgets", self.leases.run
        yield "leasing rates", self.desk.run
        yield "leasing places", self.slots.run
        yield "heartbeats", self._heartbeats
        yield "renewing roles", lambda: self.renewal.run(lambda: self.gateway.view)

    async def _leave(self, beside: list[asyncio.Task[None]]) -> None:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        if not self.leases.away:
            await self.leases.close()
        if not self.slots.away:
            await self.slots.leave()
        self.spool.close()
        await self.rails.close()
        await asyncio.gather(self.client.close(), self.to_control.close())
        if self.kv is not None:
            await self.kv.close()

    async def adopt(self, view: View) -> None:
        """Serve from a new view from the next request on.

        New budgets get their first lease before, so that a fresh key is not refused; when the
        control plane does not answer soon, the view is served all the same.
        """
        await self.leases.prime(PRIME_S)
        self.gateway.view = view
        _log.info("serving revision %d", view.revision)

    async def _heartbeats(self) -> None:
        while True:
            try:
                await self.link.post("/internal/heartbeat", self._heartbeat())
            except ControlAway as away:
                _log.debug("no heartbeat: %s", away)
            await asyncio.sleep(HEARTBEAT_S)

    def _heartbeat(self) -> bytes:
        samples = self.meters.samples()
        for name, value in self.spool.counters.items():
            samples[f'stockpot_spool_total{{event="{name}"}}'] = float(value)
        samples |= self.carried.experiments.samples()
        view = self.gateway.view
        beat = Heartbeat(
            worker=self.name,
            pid=os.getpid(),
            revision=view.revision if view else 0,
            spool_state=self.spool.state,
            counters=samples,
            targets={ident: health.report() for ident, health in self.carried.health.items()},
        )
        return msgspec.msgpack.encode(beat)


def upstream_filter(*, private: bool) -> AddressFilter:
    """Look again at what a name resolved to. Addresses given as such, an engine's among them, were
    looked at when they were given."""

    def allowed(origin: Origin, address: str) -> bool:
        return origin.host == address or refused(address, private=private) is None

    return allowed


def control_url(settings: config.Settings) -> str:
    """Where the control plane is: told, or on this host."""
    if settings.control_url:
        return str(settings.control_url)
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::", "") else settings.host  # noqa: S104
    return f"http://{host}:{settings.port}"


def server_limits(settings: config.Settings) -> ServerLimits:
    return ServerLimits(
        max_body=settings.max_body_mb * MB,
        max_head=settings.max_header_kb * 1024,
        header_timeout_s=settings.header_timeout_s,
        body_timeout_s=settings.body_timeout_s,
        write_timeout_s=settings.write_timeout_s,
        keepalive_s=settings.keepalive_s,
        max_connections=settings.max_connections,
    )


def server_options(settings: config.Settings) -> dict[str, Any]:
    origins = _listed(settings.cors_origins)
    return {
        "trusted_proxies": _listed(settings.trusted_proxies),
        "cors": Cors(origins, headers=_CORS_HEADERS, expose=_CORS_EXPOSE) if origins else None,
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(item.strip() for item in text.split(",") if item.strip())


def tls(settings: config.Settings) -> ssl.SSLContext | None:
    if not settings.tls_cert:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
    context.set_alpn_protocols(["http/1.1"])
    return context


async def _serve(settings: config.Settings, slot: str) -> None:
    worker = Worker(settings, slot)
    # Finished calls leave no circles behind, so the collector has little to find: keep it from
    # looking at what was loaded, and from looking often.
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_YOUNG, 20, 20)
    await worker.run()


def main(arguments: list[str]) -> None:
    settings = config.load()
    logs.configure(settings.log_level)
    if arguments[:1] == ["ship"]:
        from stockpot.gateway.ship import run as ship

        ship(Instance(settings.home), settings)
        return
    slot = arguments[0] if arguments else "0"
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(settings, slot))
    else:
        uvloop.run(_serve(settings, slot))


if __name__ == "__main__":
    main(sys.argv[1:])
