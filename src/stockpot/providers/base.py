"""The Protocol of a wire format, and what passes through it. Knows no vendor and no socket.

    Dialect   the client's side of a format: reads its requests, writes its answers and errors
    Wire      the upstream's side of a format
    Ask       what a client wants, read shallowly from the bytes it sent
    Outgoing  what goes to the upstream: path, extra headers, body
    Answer    reads one upstream answer as it arrives and says what goes on to the client

When the client's dialect is the wire's own, bytes pass untouched and an Answer only listens. Else
both sides meet in `canon`: the dialect parses the ask into a Prompt and writes Events, the wire
composes a request from a Prompt and reads Events (`translate` joins the two).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from stockpot.prices import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpot.providers.canon import Event, Loss, Prompt

Endpoint = Literal[
    "chat",
    "completions",
    "embeddings",
    "count_tokens",
    "speech",
    "transcriptions",
    "translations",
    "images",
    "image_edits",
    "moderations",
    "rerank",
]
"""What a call is for, in any dialect; `chat` has several dialects."""

Headers = Mapping[bytes, bytes]


class BadRequest(Exception):
    """The client's body is at fault. `param` is the offending field, '' when it is the whole."""

    def __init__(self, message: str, param: str = "", code: str = "invalid_request") -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises over bytes that are not JSON, or not UTF-8, or nested without end. A dialect
looks at the head of a body and skips the rest, so that whoever reads all of it meets these."""


def not_json(bad: Exception) -> BadRequest:
    """The complaint about a body that is one of `UNREADABLE`."""
    return BadRequest(f"the body is not valid JSON: {bad}", code="invalid_json")


class CannotExpress(Exception):
    """A wire has no way to say this; another target may."""


_MOST_OUTPUT, _MOST_CHOICES = 1 << 31, 1 << 10
"""What a reservation counts at most: whatever a body says, a cost fits 64 bits."""


class Ask:
    """One request as its dialect read it.

    `body` are the client's bytes; `input_tokens` is an estimate (bytes of the prompt / 4) used for
    reservations until the upstream reports usage; `max_output` is the client's own bound or 0, and
    like `choices` it is never negative: a reservation must not give room to other calls.
    `path` (with its query) and `headers` are the client's, for dialects that say something there;
    `spoken` is the dialect itself where this ask can be translated. `kept` is what is recorded as
    the payload where that is not the body itself: a file that was sent along is only described.
    """

    __slots__ = (
        "_prompt",
        "body",
        "choices",
        "dialect",
        "endpoint",
        "headers",
        "input_tokens",
        "kept",
        "max_output",
        "model",
        "path",
        "spoken",
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
        spoken: Dialect | None = None,
        path: bytes = b"",
        headers: Headers | None = None,
    ) -> None:
        self.dialect = dialect
        self.endpoint: Endpoint = endpoint
        self.body = body
        self.model = model
        self.stream = stream
        self.wants_usage = wants_usage
        self.input_tokens = input_tokens
        self.max_output = min(max_output, _MOST_OUTPUT) if max_output > 0 else 0
        self.choices = min(choices, _MOST_CHOICES) if choices > 1 else 1
        self.user = user
        self.spoken = spoken
        self.path = path
        self.headers: Headers = headers or {}
        self.kept: bytes | None = None
        self._prompt: Prompt | None = None

    @property
    def prompt(self) -> Prompt:
        """The whole request in canonical form, parsed once. Raises BadRequest."""
        if self._prompt is None:
            assert self.spoken is not None, "only asks of a dialect that translates are parsed"
            try:
                self._prompt = self.spoken.parse(self)
            except UNREADABLE as bad:
                raise not_json(bad) from None
        return self._prompt


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """What to send. `path` is appended to the target's base URL; `losses` are what the wire could
    not express. `content_type` is the body's where it is not JSON."""

    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    losses: tuple[Loss, ...] = ()
    content_type: str = ""


class UpstreamTarget(Protocol):
    """What a wire format needs to know of a target."""

    @property
    def model(self) -> str: ...
    @property
    def base_url(self) -> str: ...
    @property
    def stream_usage(self) -> str: ...
    @property
    def native(self) -> tuple[str, ...]:
        """Dialects that the upstream speaks besides its wire's own."""
        ...

    @property
    def options(self) -> Mapping[str, str]:
        """Settings of the wire, such as a region or an API version."""
        ...


class Answer(Protocol):
    """Reads one answer. Fields are final once `end` or `complete` has returned.

    `started` turns true with the first bytes that carry generated content; `ended` with the
    dialect's own end mark. `failure` is a message when the upstream reported an error inside an
    answer that began well. `content_type` is that of what goes to the client, b"" for the
    upstream's own.
    """

    content_type: bytes
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
        """A well-formed error event in the client's dialect, for a stream that cannot go on; b""
        where there is no way to say it, so that the connection is cut."""
        ...


class Reader(Protocol):
    """Reads one upstream answer into events."""

    def feed(self, data: bytes) -> Sequence[Event]:
        """Bytes of a streamed answer, as they come."""
        ...

    def end(self) -> Sequence[Event]:
        """The stream ended."""
        ...

    def complete(self, body: bytes) -> Sequence[Event]:
        """A whole answer. Raises ValueError when it is none."""
        ...


class Writer(Protocol):
    """Writes events as one answer of a dialect."""

    stream_type: bytes
    """The content type of a streamed answer."""

    def write(self, events: Sequence[Event]) -> bytes:
        """What these events add to a streamed answer."""
        ...

    def end(self) -> bytes:
        """The dialect's end of a stream that ended well."""
        ...

    def complete(self, events: Sequence[Event]) -> bytes:
        """The body of a whole answer."""
        ...

    def broken(self, message: str, code: str) -> bytes:
        """A well-formed error event for a stream that cannot go on."""
        ...


class Dialect(Protocol):
    """The client's side of a format: what its SDKs send and expect."""

    name: str
    paths: Mapping[bytes, Endpoint]
    """Paths that are POSTed to, spelled out."""
    below: bytes
    """Paths that begin like this and are not in `paths` are asked of `endpoint`; b"" is none."""

    def endpoint(self, path: bytes) -> Endpoint | None:
        """What a path below `below` is for."""
        ...

    def read(
        self, endpoint: Endpoint, body: bytes, path: bytes = b"", headers: Headers | None = None
    ) -> Ask:
        """Raises BadRequest naming the field at fault."""
        ...

    def parse(self, ask: Ask) -> Prompt:
        """The whole of a chat request. Raises BadRequest naming the field at fault."""
        ...

    def writer(self, ask: Ask) -> Writer: ...

    def error(self, status: int, message: str, code: str, param: str = "") -> bytes: ...


class Wire(Protocol):
    """One wire format: stateless, shared by all targets that speak it."""

    name: str
    dialect: str
    """The dialect that this wire is the other side of."""

    def passes(self, ask: Ask, target: UpstreamTarget) -> bool:
        """Whether the client's bytes and the upstream's pass untouched."""
        ...

    def is_stream(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether an answer with these headers is a stream of this wire."""
        ...

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing:
        """Raises BadRequest for what only a full reading of the body shows, and CannotExpress when
        this wire has nothing like the endpoint at all."""
        ...

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer: ...

    def error_message(self, body: bytes) -> str:
        """The vendor's message in an error answer, or ''."""
        ...
