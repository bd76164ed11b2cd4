"""One call to an upstream: its phases, deadlines, one repetition, and the end.

Knows the order of a receiver's callbacks; knows nothing of bytes on the wire.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from stockpot.gateway.http.dial import Dialer, DialFailed
from stockpot.gateway.http.upstream_connection import UpstreamConnection

if TYPE_CHECKING:
    from stockpot.gateway.http.calls import CallTimeouts, FailureKind, Receiver
    from stockpot.gateway.http.messages import Headers
    from stockpot.gateway.http.pool import Lane
    from stockpot.gateway.http.sweeper import Sweeper

_log = logging.getLogger(__name__)

CONNECTING, WAITING, READING, DONE = range(4)


class CallDesk(Protocol):
    """What a call needs of its client."""

    active: set[UpstreamCall]
    clock: Sweeper
    dialer: Dialer

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]: ...


class _Nobody:
    """Takes the receiver's place after the end: receivers hold their calls, and a cycle for each
    call would keep the garbage collector busy."""

    def on_connected(self, reused: bool) -> None: ...
    def on_head(self, status: int, headers: Headers) -> None: ...
    def on_body(self, data: bytes) -> None: ...
    def on_end(self) -> None: ...
    def on_failure(self, kind: FailureKind, message: str) -> None: ...


_NOBODY = _Nobody()


class UpstreamCall(msgspec.Struct, eq=False, gc=False):
    """One request on its way. After `cancel`, or the end, nothing is called back."""

    _desk: CallDesk
    _lane: Lane
    _head: bytes
    _body: bytes
    receiver: Receiver
    _timeouts: CallTimeouts
    _born: float
    since: float
    """When the present phase began, or bytes last came."""
    phase: int = CONNECTING
    paused: bool = False
    _reused: bool = False
    _connection: UpstreamConnection | None = None
    _dialing: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        """Without the head, which holds a credential."""
        return f"UpstreamCall({self._lane.origin!r}, phase={self.phase})"

    # --- for the caller -----------------------------------------------------------------------

    def pause(self) -> None:
        """Stop reading the answer (back-pressure). Silence does not count meanwhile."""
        if not self.paused and self.phase != DONE:
            self.paused = True
            if self._connection is not None:
                self._connection.set_reading(False)

    def resume(self) -> None:
        """Go on reading."""
        if self.paused and self.phase != DONE:
            self.paused = False
            self.since = self._desk.clock.now
            if self._connection is not None:
                self._connection.set_reading(True)

    def cancel(self) -> None:
        """Close the upstream connection; no callback afterwards."""
        if self.phase != DONE:
            self._finish()

    # --- for the client and the connection ----------------------------------------------------

    def send_on(self, connection: UpstreamConnection, reused: bool) -> None:
        """Write the request on a connection."""
        self._connection = connection
        self._reused = reused
        self.phase = WAITING
        self.since = self._desk.clock.now
        connection.send(self, self._head, self._body)
        if self.paused:
            # A fresh connection starts to read only after this.
            asyncio.get_running_loop().call_soon(self._pause_now)
        try:
            self.receiver.on_connected(reused)
        except Exception as error:
            asyncio.get_running_loop().call_soon(self.receiver_failed, error)

    def dial(self) -> None:
        """Send on a fresh connection."""
        self.phase = CONNECTING
        self.since = self._desk.clock.now
        self._dialing = self._desk.spawn(self._connect())

    @property
    def bodiless(self) -> bool:
        """Whether the answer to this method never has a body."""
        return self._head.startswith(b"HEAD ")

    def connected(self, connection: UpstreamConnection) -> None:
        """A fresh connection is ready."""
        self._dialing = None  # it ends by itself; to cancel it now would close the connection
        if self.phase == CONNECTING:
            self.send_on(connection, False)
        else:
            connection.drop()

    def begin(self) -> None:
        """The answer's head is here: the request will not be sent again."""
        self.phase = READING
        self._head = self._body = b""

    def end(self) -> None:
        """The answer is whole, and its connection no longer ours."""
        if self.phase != DONE:
            self.phase = DONE
            self._connection = None
            self._desk.active.discard(self)
            receiver, self.receiver = self.receiver, _NOBODY
            try:
                receiver.on_end()
            except Exception as error:
                _log_failure(error)

    def fail(self, kind: FailureKind, message: str) -> None:
        """The call failed."""
        if self.phase != DONE:
            receiver = self.receiver
            self._finish()
            try:
                receiver.on_failure(kind, message)
            except Exception as error:
                _log_failure(error)

    def connection_ended_early(self, error: Exception | None) -> None:
        """The connection closed before the first byte of an answer.

        An idle connection may be closed by the upstream at the very moment of sending: that says
        nothing about the request, which is sent once more on a fresh connection.
        """
        self._connection = None
        if self._reused:
            self.dial()
        else:
            said = f": {error}" if error else ""
            self.fail("reset", f"the upstream closed the connection without an answer{said}")

    def receiver_failed(self, error: Exception) -> None:
        """The code behind a callback raised: end the call, and say so without quoting data."""
        _log_failure(error)
        self.fail("protocol", f"the gateway failed on this answer ({type(error).__name__})")

    def check(self, now: float) -> None:
        """Fail where a bound is passed; 0 or less is no bound."""
        bounds = self._timeouts
        phase, silent = self.phase, now - self.since
        if 0 < bounds.total_s <= now - self._born:
            self.fail("timeout_total", f"no complete answer within {bounds.total_s:g} s")
        elif phase == CONNECTING:
            if 0 < bounds.connect_s <= silent:
                self.fail("timeout_connect", f"no connection within {bounds.connect_s:g} s")
        elif self.paused:
            self.since = now
        elif phase == WAITING:
            if 0 < bounds.first_byte_s <= silent:
                self.fail("timeout_first_byte", f"no answer within {bounds.first_byte_s:g} s")
        elif 0 < bounds.idle_s <= silent:
            self.fail("timeout_idle", f"silence of {bounds.idle_s:g} s inside the answer")

    # --- steps --------------------------------------------------------------------------------

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

    def _pause_now(self) -> None:
        if self.paused and self._connection is not None:
            self._connection.set_reading(False)

    def _finish(self) -> None:
        """Nothing is called back from here on, and nothing is held."""
        self.phase = DONE
        self._desk.active.discard(self)
        self._head = self._body = b""
        self.receiver = _NOBODY
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
