"""What passes between the upstream client and its callers: origins, callbacks, timeouts.

Knows the shape of one call to an upstream; knows no socket and no parser.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from stockpot.gateway.http.messages import Headers

FailureKind = Literal[
    "connect",
    "tls",
    "dns",
    "timeout_connect",
    "timeout_first_byte",
    "timeout_idle",
    "timeout_total",
    "reset",
    "truncated",
    "protocol",
]


class Origin(msgspec.Struct, frozen=True, cache_hash=True):
    """Where connections go: `http` or `https`, a host name or address, a port."""

    scheme: str
    host: str
    port: int

    def __post_init__(self) -> None:
        if self.scheme not in ("http", "https"):
            raise ValueError(f"scheme {self.scheme!r} is neither 'http' nor 'https'")
        if not self.host.isascii():
            host = self.host.encode("idna").decode("ascii")
            msgspec.structs.force_setattr(self, "host", host)

    @property
    def authority(self) -> bytes:
        """Host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}".encode("ascii")

    @property
    def host_header(self) -> bytes:
        """The value of the `Host` header: the port is left out where it is the scheme's own."""
        usual = b":443" if self.scheme == "https" else b":80"
        return self.authority.removesuffix(usual)


class CallTimeouts(Protocol):
    """Seconds; `gateway.models.Timeouts` is one. 0 or less means no bound."""

    @property
    def connect_s(self) -> float: ...
    @property
    def first_byte_s(self) -> float: ...
    @property
    def idle_s(self) -> float: ...
    @property
    def total_s(self) -> float: ...


class Receiver(Protocol):
    """Callbacks of one call, all synchronous, in this order:
    `on_connected`, `on_head`, any number of `on_body`, then `on_end`; or `on_failure` at any point.
    """

    def on_connected(self, reused: bool) -> None:
        """A connection is ready and the request is being written. With a reused connection this
        comes before `send` returns. It comes a second time, with False, when a reused connection
        turns out to be dead and the request is sent again on a fresh one."""
        ...

    def on_head(self, status: int, headers: Headers) -> None:
        """The final head (1xx are skipped), names lower-cased, framing headers included."""
        ...

    def on_body(self, data: bytes) -> None:
        """Bytes of the body, without chunk framing, never empty."""
        ...

    def on_end(self) -> None:
        """The answer is complete and well-formed."""
        ...

    def on_failure(self, kind: FailureKind, message: str) -> None:
        """The call failed. Called at most once, never after `on_end`, never inside `send`."""
        ...
