"""The Protocol of a wire format, and what passes through it. Knows no vendor and no socket.

    Ask       what a client wants, read shallowly from the bytes it sent
    Outgoing  what goes to the upstream: path, extra headers, body
    Answer    reads one upstream answer as it arrives and says what goes on to the client

When the client's dialect is the wire's own, bytes pass untouched and an Answer only listens.
"""

from __future__ import annotations

from typing import Literal, Protocol

import msgspec

from stockpot.prices import Usage

Endpoint = Literal["chat", "completions", "embeddings"]


class BadRequest(Exception):
    """The client's body is at fault. `param` is the offending field, '' when it is the whole."""

    def __init__(self, message: str, param: str = "", code: str = "invalid_request") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


class Ask:
    """One request as its dialect read it.

    `body` are the client's bytes; `input_tokens` is an estimate (bytes of the prompt / 4) used for
    reservations until the upstream reports usage; `max_output` is the client's own bound or 0.
    """

    __slots__ = (
        "body",
        "choices",
        "dialect",
        "endpoint",
        "input_tokens",
        "max_output",
        "model",
        "stream",
        "user",
        "wants_usage",
    )

    def __init__(
        self,
        dialect: str,
        endpoint: Endpoint,
        body: bytes,
        model: str,
        stream: bool,
        wants_usage: bool,
        input_tokens: int,
        max_output: int,
        choices: int,
        user: str,
    ) -> None:
        self.dialect = dialect
        self.endpoint: Endpoint = endpoint
        self.body = body
        self.model = model
        self.stream = stream
        self.wants_usage = wants_usage
        self.input_tokens = input_tokens
        self.max_output = max_output
        self.choices = choices
        self.user = user


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """What to send. `path` is appended to the target's base URL."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes


class UpstreamTarget(Protocol):
    """What a wire format needs to know of a target."""

    @property
    def model(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def stream_usage(self) -> str: ...


class Answer(Protocol):
    """Reads one answer. Fields are final once `end` or `complete` has returned.

    `started` turns true with the first bytes that carry generated content; `ended` with the
    dialect's own end mark. `failure` is a message when the upstream reported an error inside an
    answer that began well.
    """

    usage: Usage | None
    finish_reason: str
    model: str
    response_id: str
    started: bool
    ended: bool
    failure: str
    pieces: int

    def feed(self, data: bytes) -> bytes:
        """Bytes of a streamed answer, as they come; returns what goes on to the client now."""
        ...

    def end(self) -> bytes:
        """The stream ended; returns what was held back."""
        ...

    def complete(self, body: bytes) -> bytes:
        """A whole answer that was not streamed; returns the client's body."""
        ...

    def broken(self, message: str, code: str) -> bytes:
        """A well-formed error event in the client's dialect, for a stream that cannot go on."""
        ...


class Dialect(Protocol):
    """The client's side of a wire format: reading its requests, writing its errors."""

    name: str

    def read(self, endpoint: Endpoint, body: bytes) -> Ask:
        """Raises BadRequest naming the field at fault."""
        ...

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes: ...


class Wire(Protocol):
    """One wire format: stateless, shared by all targets that speak it."""

    name: str
    dialect: str
    """The ingress dialect whose bytes pass untouched."""

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing: ...

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer: ...

    def error_message(self, body: bytes) -> str:
        """The vendor's message in an error answer, or ''."""
        ...
