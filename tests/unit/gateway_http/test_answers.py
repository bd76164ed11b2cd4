"""Answers as the upstream client reads them: however they arrive, cut short, or damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.gateway.http.calls import FailureKind
from stockpot.gateway.http.messages import Headers
from stockpot.gateway.http.upstream import Origin, UpstreamCall, UpstreamClient
from stockpot.gateway.http.upstream_connection import UpstreamConnection
from stockpot.gateway.models import Timeouts
from tests.unit.gateway_http.test_requests import NASTY, chunked, fields, sizes
from tests.unit.gateway_http.wire import Wire, cut, in_loop, settle

ORIGIN = Origin("http", "upstream.example", 80)
OUR_FRAMING = (b"content-length", b"transfer-encoding", b"connection", b"keep-alive")


class Log:
    """A receiver that writes everything down."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Headers = []
        self.body = b""
        self.ends: list[str] = []
        self.heads = 0

    def on_connected(self, reused: bool) -> None:
        assert not self.heads

    def on_head(self, status: int, headers: Headers) -> None:
        assert not self.ends
        self.heads += 1
        self.status, self.headers = status, headers

    def on_body(self, data: bytes) -> None:
        assert self.heads == 1
        assert not self.ends
        assert data
        self.body += data

    def on_end(self) -> None:
        self.ends.append("end")

    def on_failure(self, kind: FailureKind, message: str) -> None:
        assert message
        self.ends.append(kind)


class Line:
    """One upstream connection in memory, and calls on it."""

    def __init__(self) -> None:
        self.client = UpstreamClient(proxy="")
        self.lane = self.client._pool.lane(ORIGIN)
        self.wire: Wire | None = None

    def call(self, method: bytes = b"POST") -> Log:
        log = Log()
        head = method + b" / HTTP/1.1\r\n\r\n"
        call = UpstreamCall(self.client, self.lane, head, b"", log, Timeouts(), 0.0, 0.0)
        if self.wire is None:
            connection = UpstreamConnection(self.lane, call)
            self.wire = Wire(connection)
            connection.connection_made(self.wire)
        else:
            connection = self.lane.take()
            assert connection is not None
            call.send_on(connection, True)
        assert self.wire.sent.endswith(head)
        return log

    def hear(self, pieces: list[bytes]) -> None:
        assert self.wire is not None
        for piece in pieces:
            if self.wire.closing:
                return
            self.wire.protocol.data_received(piece)

    async def end(self, error: Exception | None = None) -> None:
        """The upstream closes, or breaks, the connection."""
        assert self.wire is not None
        if not self.wire.closing:
            if error is None:
                self.wire.protocol.eof_received()
            self.wire.closing = True
            self.wire.protocol.connection_lost(error)
        await settle()

    @property
    def idle(self) -> int:
        return len(self.lane.idle)


@st.composite
def answers(draw: st.DrawFn, closing: bool = True) -> tuple[bytes, int, Headers, bytes, bool]:
    """A valid answer: bytes, status, headers, body, whether only a close ends it."""
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 429, 503]))
    reason = draw(st.sampled_from([b" OK", b" ", b"", b" Not \xe4 word"]))
    headers = draw(st.lists(fields.filter(lambda f: f[0].lower() not in OUR_FRAMING), max_size=4))
    body = draw(st.binary(max_size=200))
    kinds = ["length", "chunked"] + (["close"] if closing else [])
    kind = draw(st.sampled_from(kinds))
    until_close = False
    if status in (204, 304):
        body = wire = b""
    elif kind == "length":
        headers.append((b"Content-Length", b"%d" % len(body)))
        wire = body
    elif kind == "chunked":
        headers.append((b"transfer-Encoding", b"chunked"))
        wire = draw(chunked(body))
    else:
        wire = body
        until_close = True
    headers = draw(st.permutations(headers))
    interim = b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" * draw(st.integers(0, 2))
    lines = b"".join(b"%b: %b\r\n" % field for field in headers)
    head = b"HTTP/1.1 %d%b\r\n%b\r\n" % (status, reason, lines)
    lowered = [(name.lower(), value) for name, value in headers]
    return interim + head + wire, status, lowered, body, until_close


@given(answers(), sizes)
def test_any_cutting_of_an_answer_gives_the_same_callbacks(
    answer: tuple[bytes, int, Headers, bytes, bool], sizes: list[int]
) -> None:
    async def body() -> None:
        stream, status, headers, content, until_close = answer
        line = Line()
        log = line.call()
        line.hear(cut(stream, sizes))
        if until_close:
            assert log.ends == []
            await line.end()
        assert (log.status, log.headers, log.body) == (status, headers, content)
        assert log.ends == ["end"]
        assert line.idle == (0 if until_close else 1)

    in_loop(body)


@given(st.lists(answers(closing=False), min_size=2, max_size=4), sizes)
def test_a_kept_connection_serves_one_call_after_another(
    sent: list[tuple[bytes, int, Headers, bytes, bool]], sizes: list[int]
) -> None:
    async def body() -> None:
        line = Line()
        for stream, status, headers, content, _ in sent:
            log = line.call()
            line.hear(cut(stream, sizes))
            assert (log.status, log.headers, log.body) == (status, headers, content)
            assert log.ends == ["end"]
        assert line.idle == 1

    in_loop(body)


@given(answers(closing=False), sizes, st.data(), st.booleans())
def test_a_part_of_an_answer_is_never_taken_for_the_whole(
    answer: tuple[bytes, int, Headers, bytes, bool],
    sizes: list[int],
    data: st.DataObject,
    broken: bool,
) -> None:
    async def body() -> None:
        stream = answer[0]
        kept = data.draw(st.integers(0, len(stream) - 1))
        line = Line()
        log = line.call()
        line.hear(cut(stream[:kept], sizes))
        await line.end(ConnectionResetError("reset by peer") if broken else None)
        if kept == 0:
            assert log.ends == ["reset"]
        else:
            assert log.ends in (["truncated"], ["reset"])
            assert (log.ends == ["reset"]) == broken
        assert line.idle == 0

    in_loop(body)


@given(answers(), st.data(), sizes)
def test_damaged_answers_end_once_and_never_raise(
    answer: tuple[bytes, int, Headers, bytes, bool], data: st.DataObject, sizes: list[int]
) -> None:
    async def body() -> None:
        stream = bytearray(answer[0])
        for _ in range(data.draw(st.integers(1, 3))):
            at = data.draw(st.integers(0, len(stream)))
            gone = data.draw(st.integers(0, 3))
            put = data.draw(st.one_of(st.sampled_from(NASTY), st.binary(max_size=3)))
            stream[at : at + gone] = put
        line = Line()
        log = line.call()
        line.hear(cut(bytes(stream), sizes))
        await line.end()
        assert len(log.ends) == 1
        assert log.ends[0] in ("end", "protocol", "truncated", "reset")
        assert line.idle == 0

    in_loop(body)


GARBAGE = [
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    b"HTTP/2 200\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX: \0\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" * 17,
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
    b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
]


@pytest.mark.parametrize("stream", GARBAGE, ids=lambda stream: repr(stream[:60]))
def test_what_is_no_clear_answer_is_a_protocol_failure_at_once(stream: bytes) -> None:
    async def body() -> None:
        line = Line()
        log = line.call()
        line.hear([stream])
        assert log.ends == ["protocol"]
        assert line.wire is not None
        assert line.wire.closing

    in_loop(body)


KEPT = [
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na", 1),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na", 1),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\na", 0),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: x, close\r\n\r\na", 0),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", 0),
    (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\nConnection: Keep-Alive\r\n\r\na", 1),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", 0),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 1),
    (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nb", 0),
]


@pytest.mark.parametrize(("stream", "idle"), KEPT)
def test_a_connection_is_kept_only_after_a_clean_end(stream: bytes, idle: int) -> None:
    async def body() -> None:
        line = Line()
        log = line.call()
        line.hear([stream])
        assert log.ends == ["end"]
        assert log.body == b"a"
        assert line.idle == idle

    in_loop(body)


def test_an_answer_to_head_has_no_body_whatever_its_length_says() -> None:
    async def body() -> None:
        line = Line()
        log = line.call(b"HEAD")
        line.hear([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"])
        assert log.ends == ["end"]
        assert line.idle == 1

    in_loop(body)


def test_bytes_on_an_idle_connection_end_it() -> None:
    async def body() -> None:
        line = Line()
        line.call()
        line.hear([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
        assert line.idle == 1
        line.hear([b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
        await settle()
        assert line.idle == 0
        assert line.wire is not None
        assert line.wire.closing

    in_loop(body)


class Quitter(Log):
    """Cancels its call in one of the callbacks."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self.where = where
        self.given: UpstreamCall | None = None

    def on_head(self, status: int, headers: Headers) -> None:
        super().on_head(status, headers)
        self._leave("head")

    def on_body(self, data: bytes) -> None:
        super().on_body(data)
        self._leave("body")

    def _leave(self, where: str) -> None:
        if where == self.where:
            assert self.given is not None
            self.given.cancel()


@pytest.mark.parametrize("where", ["head", "body"])
@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 3\r\n\r\nabc",
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"X: until close\r\n\r\nabc",
    ],
)
def test_nothing_is_called_after_a_cancel_inside_a_callback(where: str, framing: bytes) -> None:
    async def body() -> None:
        line = Line()
        quitter = Quitter(where)
        call = UpstreamCall(line.client, line.lane, b"GET", b"", quitter, Timeouts(), 0.0, 0.0)
        quitter.given = call
        connection = UpstreamConnection(line.lane, call)
        line.wire = Wire(connection)
        connection.connection_made(line.wire)
        line.hear([b"HTTP/1.1 200 OK\r\n" + framing])
        assert quitter.ends == []
        assert quitter.body == (b"" if where == "head" else b"abc")
        assert line.wire.closing
        await line.end()
        assert quitter.ends == []

    in_loop(body)


class Faulty(Log):
    """Code behind the callbacks that has a mistake."""

    def on_body(self, data: bytes) -> None:
        raise KeyError(data)


def test_a_mistake_in_a_receiver_fails_its_call_and_quotes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def body() -> None:
        line = Line()
        log = Faulty()
        call = UpstreamCall(line.client, line.lane, b"GET", b"", log, Timeouts(), 0.0, 0.0)
        connection = UpstreamConnection(line.lane, call)
        line.wire = Wire(connection)
        connection.connection_made(line.wire)
        line.hear([b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"])
        assert log.ends == ["protocol"]
        assert line.wire.closing
        assert "KeyError" in caplog.text
        assert "abc" not in caplog.text

    in_loop(body)
