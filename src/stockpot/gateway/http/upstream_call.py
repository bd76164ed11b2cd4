"""One call to an upstream: its phases, deadlines, one repetition, and the end.

Knows the order of a receiver's callbacks; knows nothing of bytes on the wire.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from stockpot.gateway.http.dial import Dialer, DialFailed
from stockpot.gateway.http.sweeper import FOREVER
from stockpot.gateway.http.upstream_connection import UpstreamConnection

if TYPE_CHECKING:
    from stockpot.gateway.http.calls import CallTimeouts, FailureKind, Receiver
    from stockpot.gateway.http.messages import Headers
    from stockpot.gateway.http.pool import Lane

_log = logging.getLogger(__name__)

_CONNECTING, _WAITING, _READING, _DONE = range(4)


class CallDesk(Protocol):
    """What a call needs of its client."""

    @property
    def now(self) -> float: ...
    @property
    def dialer(self) -> Dialer: ...
    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...
    def finished(self, call: UpstreamCall) -> None: ...


class UpstreamCall:
    """One request on its way. After `cancel`, or the end, nothing is called back."""

    __slots__ = (
        "_body",
        "_connection",
        "_desk",
        "_dialing",
        "_end",
        "_head",
        "_lane",
        "_phase",
        "_receiver",
        "_reused",
        "_seen",
        "_timeouts",
        "bodiless",
        "deadline",
        "paused",
    )

    def __init__(
        self,
        desk: CallDesk,
        lane: Lane,
        head: bytes,
        body: bytes,
        receiver: Receiver,
        timeouts: CallTimeouts,
    ) -> None:
        self._desk = desk
        self._lane = lane
        self._head = head
        self._body = body
        self.bodiless = head.startswith(b"HEAD ")
        self._receiver = receiver
        self._timeouts = timeouts
        self._connection: UpstreamConnection | None = None
        self._dialing: asyncio.Task[None] | None = None
        self._phase = _CONNECTING
        self.paused = False
        self._reused = False
        self._seen = 0.0
        total = timeouts.total_s
        self._end = desk.now + total if total > 0 else FOREVER
        self.deadline = self._end

    # --- for the caller -----------------------------------------------------------------------

    def pause(self) -> None:
        """Stop reading the answer (back-pressure). Silence does not count meanwhile."""
        if not self.paused and self._phase != _DONE:
            self.paused = True
            if self._connection is not None:
                self._connection.set_reading(False)

    def resume(self) -> None:
        """Go on reading."""
        if self.paused and self._phase != _DONE:
            self.paused = False
            self._seen = self._desk.now
            if self._connection is not None:
                self._connection.set_reading(True)

    def cancel(self) -> None:
        """Close the upstream connection; no callback afterwards."""
        if self._phase != _DONE:
            self._finish()

    # --- for the client and the connection ----------------------------------------------------

    def run(self) -> None:
        """Send on an idle connection, or connect."""
        connection = self._lane.take()
        if connection is not None:
            self._send(connection, True)
        else:
            self._dial()

    def connected(self, connection: UpstreamConnection) -> None:
        """A fresh connection is ready."""
        self._dialing = None  # it ends by itself; to cancel it now would close the connection
        if self._phase == _CONNECTING:
            self._send(connection, False)
        else:
            connection.drop()

    def progress(self) -> None:
        """Bytes came."""
        self._seen = self._desk.now

    def head(self, status: int, headers: Headers) -> None:
        """The answer's head is here: the request need not be sent again."""
        self._phase = _READING
        self._head = self._body = b""
        self._wait(self._timeouts.idle_s)
        self._receiver.on_head(status, headers)

    def body(self, data: bytes) -> None:
        """Some of the answer's body."""
        if self._phase != _DONE:
            self._receiver.on_body(data)

    def end(self) -> None:
        """The answer is whole, and its connection no longer ours."""
        if self._phase != _DONE:
            self._connection = None
            self._finish()
            try:
                self._receiver.on_end()
            except Exception as error:
                _log_failure(error)

    def fail(self, kind: FailureKind, message: str) -> None:
        """The call failed."""
        if self._phase != _DONE:
            self._finish()
            try:
                self._receiver.on_failure(kind, message)
            except Exception as error:
                _log_failure(error)

    def connection_ended_early(self, error: Exception | None) -> None:
        """The connection closed before the first byte of an answer.

        An idle connection may be closed by the upstream at the very moment of sending: that says
        nothing about the request, which is sent once more on a fresh connection.
        """
        self._connection = None
        if self._reused:
            self._dial()
        else:
            said = f": {error}" if error else ""
            self.fail("reset", f"the upstream closed the connection without an answer{said}")

    def receiver_failed(self, error: Exception) -> None:
        """The code behind a callback raised: end the call, and say so without quoting data."""
        _log_failure(error)
        self.fail("protocol", f"the gateway failed on this answer ({type(error).__name__})")

    def expire(self, now: float) -> None:
        """The deadline is over: extend it where bytes came since it was set, or fail."""
        timeouts = self._timeouts
        if now >= self._end:
            self.fail("timeout_total", f"no complete answer within {timeouts.total_s:g} s")
        elif self._phase == _CONNECTING:
            self.fail("timeout_connect", f"no connection within {timeouts.connect_s:g} s")
        elif self._phase == _WAITING:
            self.fail("timeout_first_byte", f"no answer within {timeouts.first_byte_s:g} s")
        elif self.paused or now < self._seen + timeouts.idle_s:
            since = now if self.paused else self._seen
            self.deadline = min(since + timeouts.idle_s, self._end)
        else:
            self.fail("timeout_idle", f"silence of {timeouts.idle_s:g} s inside the answer")

    # --- steps --------------------------------------------------------------------------------

    def _dial(self) -> None:
        self._phase = _CONNECTING
        self._wait(self._timeouts.connect_s)
        self._dialing = self._desk.spawn(self._connect())

    async def _connect(self) -> None:
        lane = self._lane
        try:
            await self._desk.dialer.dial(lane.origin, lambda: UpstreamConnection(lane, self))
        except DialFailed as failure:
            self._dialing = None
            self.fail(failure.kind, failure.message)
        except Exception as error:
            self._dialing = None
            _log_failure(error)
            self.fail("connect", f"cannot connect ({type(error).__name__})")

    def _send(self, connection: UpstreamConnection, reused: bool) -> None:
        self._connection = connection
        self._reused = reused
        self._phase = _WAITING
        self._wait(self._timeouts.first_byte_s)
        connection.send(self, self._head, self._body)
        if self.paused:
            connection.set_reading(False)
        try:
            self._receiver.on_connected(reused)
        except Exception as error:
            asyncio.get_running_loop().call_soon(self.receiver_failed, error)

    def _wait(self, seconds: float) -> None:
        end = self._end
        if seconds > 0:
            end = min(end, self._desk.now + seconds)
        self.deadline = end

    def _finish(self) -> None:
        """Nothing is called back from here on, and nothing is held."""
        self._phase = _DONE
        self._desk.finished(self)
        self._head = self._body = b""
        if self._dialing is not None:
            self._dialing.cancel()
            self._dialing = None
        if self._connection is not None:
            self._connection.drop()
            self._connection = None


def _log_failure(error: Exception) -> None:
    # The message of an exception may quote what was sent: it is left out of the log.
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s in a callback of an upstream call\n%s", type(error).__name__, where)
