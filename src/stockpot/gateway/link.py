"""A worker's link to the control plane: snapshots in, heartbeats and lease reports out.

Knows the internal routes and the sealed copy on disk; decides nothing about traffic. When the
control plane is away, the worker serves from its last good snapshot, and at a start from the sealed
copy of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from stockpot.core.errors import StockpotError
from stockpot.core.instance import Instance
from stockpot.gateway.http.messages import Headers
from stockpot.gateway.http.upstream import Origin, UpstreamClient
from stockpot.gateway.models import Timeouts
from stockpot.gateway.snapshot import Carried, View, compile_view

_log = logging.getLogger("stockpot.gateway.link")

POLL_TIMEOUTS = Timeouts(connect_s=3.0, first_byte_s=35.0, idle_s=10.0, total_s=60.0)
PUSH_TIMEOUTS = Timeouts(connect_s=3.0, first_byte_s=5.0, idle_s=5.0, total_s=10.0)
AWAY_FIRST_S, AWAY_MOST_S = 0.1, 2.0

Adopt = Callable[[View], Awaitable[None]]


class ControlAway(StockpotError):
    """The control plane did not answer; traffic goes on."""

    code, status = "control_away", 503


class _Reply:
    """Collects one small answer of the control plane."""

    def __init__(self) -> None:
        self.done: asyncio.Future[tuple[int, Headers, bytes]] = (
            asyncio.get_running_loop().create_future()
        )
        self._status = 0
        self._headers: Headers = []
        self._parts: list[bytes] = []

    def on_connected(self, reused: bool) -> None:
        return None

    def on_head(self, status: int, headers: Headers) -> None:
        self._status, self._headers = status, headers

    def on_body(self, data: bytes) -> None:
        self._parts.append(data)

    def on_end(self) -> None:
        if not self.done.done():
            self.done.set_result((self._status, self._headers, b"".join(self._parts)))

    def on_failure(self, kind: str, message: str) -> None:
        if not self.done.done():
            self.done.set_exception(ControlAway(f"{kind}: {message}"))


class ControlLink:
    """Asks and tells the control plane; all its coroutines run beside requests."""

    def __init__(
        self, client: UpstreamClient, url: str, instance: Instance, worker: str = ""
    ) -> None:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        self._origin = Origin(parts.scheme, parts.hostname or "127.0.0.1", port)
        self._client = client
        self._worker = quote(worker, safe="")
        self._token = instance.internal_token
        self._instance = instance
        self._copy: Path = instance.run / "snapshot.sealed"

    async def ask(
        self, method: str, path: str, body: bytes = b"", timeouts: Timeouts = PUSH_TIMEOUTS
    ) -> tuple[int, bytes]:
        """One request. Raises ControlAway when no answer comes."""
        head = (
            f"{method} {path} HTTP/1.1\r\n"
            f"host: {self._origin.host_header.decode()}\r\n"
            f"authorization: Bearer {self._token}\r\n"
            f"content-type: application/msgpack\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        reply = _Reply()
        call = self._client.send(self._origin, head.encode(), body, reply, timeouts)
        try:
            status, _, answer = await reply.done
        except asyncio.CancelledError:
            call.cancel()
            raise
        return status, answer

    async def post(self, path: str, body: bytes) -> bytes:
        """Post MessagePack, get MessagePack. Raises ControlAway on anything but 200."""
        status, answer = await self.ask("POST", path, body)
        if status != 200:
            raise ControlAway(f"the control plane answered {status} to {path}")
        return answer

    def last_good(self, carried: Carried) -> View | None:
        """The view of the sealed copy, or None when there is none that can be used."""
        try:
            return compile_view(self._instance.unseal(self._copy.read_bytes()), carried)
        except FileNotFoundError:
            return None
        except Exception as bad:
            _log.warning("the kept snapshot cannot be used: %s", bad)
            return None

    async def follow(self, carried: Carried, adopt: Adopt) -> None:
        """Take every new snapshot, for ever. A bad one is refused and the last good one stays."""
        revision, away = 0, AWAY_FIRST_S
        while True:
            try:
                path = f"/internal/snapshot?after={revision}&worker={self._worker}"
                status, data = await self.ask("GET", path, timeouts=POLL_TIMEOUTS)
            except ControlAway:
                status, data = 0, b""
            if status == 200:
                away = AWAY_FIRST_S
                revision = await self._take(data, carried, adopt, revision)
            elif status == 304:
                away = AWAY_FIRST_S
            else:
                await asyncio.sleep(away)
                away = min(away * 2, AWAY_MOST_S)

    async def _take(self, data: bytes, carried: Carried, adopt: Adopt, revision: int) -> int:
        try:
            view = compile_view(data, carried)
        except Exception as bad:  # whatever is wrong with it, the next one is waited for
            _log.error("a new snapshot was refused, the last good one stays: %s", bad)
            return revision + 1
        await adopt(view)
        if not view.trial:
            try:
                self._keep(data)
            except OSError as full:
                # What is served counts, such as a key that was revoked; the copy is for a restart.
                _log.error("revision %d is served, its copy was not kept: %s", view.revision, full)
        return view.revision

    def _keep(self, data: bytes) -> None:
        draft = self._copy.with_suffix(f".{id(self)}")
        draft.touch(mode=0o600)
        draft.write_bytes(self._instance.seal(data))
        draft.replace(self._copy)
