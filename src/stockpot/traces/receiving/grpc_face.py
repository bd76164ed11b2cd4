"""OTLP over gRPC, for senders that speak nothing else. Knows gRPC's frames; a door takes the bytes.

An extra: without the package `grpcio` there is no such port. Requests are handed on as bytes, so
that no class of OpenTelemetry's is needed.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from stockpot.core.errors import ConfigError, InvalidInput, NotSignedIn, StockpotError
from stockpot.gateway import otlp
from stockpot.traces.receiving.door import Door
from stockpot.traces.receiving.sender import Sender

if TYPE_CHECKING:
    import grpc

_log = logging.getLogger("stockpot.traces.grpc")

SERVICE, METHOD = "opentelemetry.proto.collector.trace.v1.TraceService", "Export"
SenderOfKey = Callable[[str, str], Awaitable[Sender | None]]
"""Whose spans they are, from a virtual key and the caller's address; None for what is no key.
Raises StockpotError for a key that may not be used."""

_CODES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class GrpcFace:
    """A server on a port of its own, until `stop`."""

    def __init__(self, door: Door, sender_of: SenderOfKey, most_bytes: int) -> None:
        try:
            import grpc.aio
        except ImportError:
            raise ConfigError(
                "otlp_grpc_port is set, and the package grpcio is not installed",
                hint="pip install 'stockpot[grpc]'",
            ) from None
        self._door = door
        self._sender_of = sender_of
        self._grpc = grpc
        self._server = grpc.aio.server(options=[("grpc.max_receive_message_length", most_bytes)])
        handler = grpc.unary_unary_rpc_method_handler(self._export)
        generic = grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})
        self._server.add_generic_rpc_handlers((generic,))

    async def start(self, address: str) -> int:
        """Listen on `host:port`; gives the port. Raises ConfigError where that is taken."""
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError as taken:
            raise ConfigError(f"cannot listen on {address}: {taken}") from None
        await self._server.start()
        _log.info("OTLP over gRPC on port %d", port)
        return port

    async def stop(self) -> None:
        """Let requests end, for a moment."""
        await self._server.stop(grace=3)

    async def _export(self, body: bytes, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
        told = dict(context.invocation_metadata() or ())
        try:
            sender = await self._sender(told, context.peer())
            record = otlp.entry(
                sender.project, sender.environment, sender.key_id, sender.payloads,
                ("protobuf", ""), len(body),
            )  # fmt: skip
            ack = await self._door.take(record, body)
        except StockpotError as refused:
            await self._refuse(context, refused)
            raise
        return otlp.partial_body(ack.rejected, ack.message, "protobuf")

    async def _sender(self, told: dict[str, Any], peer: str) -> Sender:
        scheme, _, secret = str(told.get("authorization", "")).partition(" ")
        bearer = secret.strip() if scheme.lower() == "bearer" else ""
        found = await self._sender_of(bearer, address_of(peer)) if bearer else None
        if found is None:
            raise NotSignedIn("send 'authorization: Bearer sk-sp-...' with a virtual key")
        return found

    async def _refuse(
        self, context: grpc.aio.ServicerContext[Any, Any], refused: StockpotError
    ) -> None:
        name = _CODES.get(refused.status, "INVALID_ARGUMENT")
        if isinstance(refused, InvalidInput):
            name = "INVALID_ARGUMENT"
        later = getattr(refused, "retry_after_s", None)
        if later is not None:  # google.rpc.RetryInfo is what exporters look for
            context.set_trailing_metadata((("grpc-status-details-bin", _details(refused, later)),))
        await context.abort(getattr(self._grpc.StatusCode, name), refused.message)


def address_of(peer: str) -> str:
    """The address in gRPC's name of a caller: `ipv4:127.0.0.1:5` or `ipv6:%5B::1%5D:5`."""
    _, _, place = unquote(peer).partition(":")
    return place.rpartition(":")[0].strip("[]")


def _details(refused: StockpotError, seconds: int) -> bytes:
    """A google.rpc.Status with a RetryInfo, of RESOURCE_EXHAUSTED or UNAVAILABLE."""
    code = b"\x08\x08" if refused.status == 429 else b"\x08\x0e"
    return code + otlp.retry_info(seconds)


async def serve_grpc(door: Door, sender_of: SenderOfKey, address: str, most_bytes: int) -> None:
    """Serve until cancelled. Without the package, or without the port, says so and ends: nothing
    else depends on this."""
    try:
        face = GrpcFace(door, sender_of, most_bytes)
        await face.start(address)
    except ConfigError as wrong:
        _log.error("no OTLP over gRPC: %s (%s)", wrong.message, wrong.hint)
        return
    try:
        await asyncio.Event().wait()
    finally:
        await face.stop()
