"""Requests as the server reads them: however they arrive, and whatever is wrong with them."""

from __future__ import annotations

import asyncio
import json

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stockpot.gateway.http.fields import Malformed, read_fields
from stockpot.gateway.http.messages import Request, ServerLimits
from stockpot.gateway.http.request_head import HeadReader, Refused, read_request_head
from stockpot.gateway.http.server import HttpServer
from stockpot.gateway.http.server_connection import ServerConnection
from tests.unit.gateway_http.wire import Answers, Notebook, Wire, cut, in_loop, shape, talk

TOKEN_CHARS = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
tokens = st.text(TOKEN_CHARS, min_size=1, max_size=12).map(str.encode)
values = st.text(
    st.sampled_from([chr(code) for code in [9, *range(32, 127), *range(128, 256)]]), max_size=30
).map(lambda text: text.encode("latin-1").strip(b" \t"))
FRAMING = {
    b"connection",
    b"content-length",
    b"expect",
    b"host",
    b"transfer-encoding",
    b"upgrade",
}
fields = st.tuples(tokens, values).filter(lambda field: field[0].lower() not in FRAMING)
sizes = st.lists(st.integers(1, 40), min_size=1, max_size=6)


@st.composite
def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    """A body in the chunked coding, with extensions and trailers that mean nothing."""
    coded = b""
    for piece in cut(body, draw(sizes)):
        extension = draw(st.sampled_from([b"", b";a=b", b";x", b';q="1; 2";r=s']))
        size = b"%x" if draw(st.booleans()) else b"%X"
        coded += size % len(piece) + extension + b"\r\n" + piece + b"\r\n"
    trailers = b"".join(b"%b: %b\r\n" % field for field in draw(st.lists(fields, max_size=2)))
    return coded + b"0\r\n" + trailers + b"\r\n"


@st.composite
def messages(draw: st.DrawFn) -> tuple[bytes, tuple[object, ...]]:
    """A valid request on the wire, and its shape."""
    method = draw(st.sampled_from([b"GET", b"POST", b"PUT", b"PATCH", b"X-ODD"]))
    target = b"/" + draw(st.text("abc/?&=%25-._~", max_size=20)).encode()
    body = draw(st.binary(max_size=200))
    headers = [(b"Host", b"h"), *draw(st.lists(fields, max_size=5))]
    kind = draw(st.sampled_from(["none", "length", "chunked"]))
    if kind == "none":
        body = wire = b""
    elif kind == "length":
        name = draw(st.sampled_from([b"Content-Length", b"content-length", b"CONTENT-length"]))
        headers.append((name, b"%d" % len(body)))
        wire = body
    else:
        headers.append((b"Transfer-Encoding", draw(st.sampled_from([b"chunked", b"Chunked"]))))
        wire = draw(chunked(body))
    headers = draw(st.permutations(headers))
    blanks = draw(st.sampled_from([b"", b" ", b"\t ", b"   "]))
    lines = b""
    for name, value in headers:
        blank = blanks.replace(b"\t", b"") if name == b"Transfer-Encoding" else blanks
        lines += b"%b:%b%b%b\r\n" % (name, blank, value, blank)
    lowered = sorted((name.lower(), value) for name, value in headers)
    head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, target, lines)
    return head + wire, (method, target, lowered, body)


@given(st.lists(messages(), min_size=1, max_size=4), sizes, st.booleans())
def test_any_cutting_of_the_stream_gives_the_same_requests_in_order(
    sent: list[tuple[bytes, tuple[object, ...]]], sizes: list[int], late: bool
) -> None:
    async def body() -> None:
        stream = b"".join(wire for wire, _ in sent)
        notebook, wire = await talk(cut(stream, sizes), late=late)
        assert [shape(request) for request in notebook.requests] == [want for _, want in sent]
        answers = Answers(wire.sent)
        assert answers.bodies == [b"answer %d" % (n + 1) for n in range(len(sent))]
        assert not wire.closing

    in_loop(body)


class Reference:
    """The same stream read by llhttp."""

    def __init__(self) -> None:
        self.complete: list[tuple[bytes, bytes, bytes]] = []
        self._parser = httptools.HttpRequestParser(self)  # type: ignore[no-untyped-call]
        self._target = self._body = b""

    def read(self, stream: bytes) -> None:
        self._parser.feed_data(stream)

    def on_message_begin(self) -> None:
        self._target = self._body = b""

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        self.complete.append((self._parser.get_method(), self._target, self._body))


NASTY = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 3\r\n",
    b"0\r\n\r\n",
    b"\x80",
    b"-1",
    b"0x",
    b";",
    b",",
    b"GET / HTTP/1.1\r\n",
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """One or two valid requests with some bytes changed, lost, doubled or put in."""
    stream = bytearray(b"".join(wire for wire, _ in draw(st.lists(messages(), min_size=1))))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(stream)))
        length = draw(st.integers(0, 3))
        stream[at : at + length] = draw(st.one_of(st.sampled_from(NASTY), st.binary(max_size=3)))
    return bytes(stream)


@given(damaged(), sizes)
@example(b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n\r\n\r\n", [3])
def test_damaged_bytes_end_in_a_clear_refusal_and_never_in_two_answers_for_a_request(
    stream: bytes, sizes: list[int]
) -> None:
    async def body() -> None:
        notebook, wire = await talk(cut(stream, sizes), limits=ServerLimits(max_body=10_000))
        answers = Answers(wire.sent)
        handled = len(notebook.requests)
        continued = answers.statuses.count(100)
        assert answers.statuses[: handled + continued].count(200) == handled
        for status in answers.statuses[handled + continued :]:
            assert status in (400, 405, 408, 413, 417, 431, 505)
            assert wire.ended
        assert len(answers.statuses) <= handled + continued + 1

    in_loop(body)


@given(damaged(), sizes)
def test_what_is_accepted_is_framed_as_another_parser_frames_it(
    stream: bytes, sizes: list[int]
) -> None:
    async def body() -> None:
        notebook, _ = await talk(cut(stream, sizes), limits=ServerLimits(max_body=10_000))
        ours = [(r.method, r.target, r.body) for r in notebook.requests]
        reference = Reference()
        try:
            reference.read(stream)
        except httptools.HttpParserUpgrade:
            return
        except httptools.HttpParserInvalidMethodError:
            ours = ours[: len(reference.complete)]  # it knows a list of methods, we any token
        except httptools.HttpParserError:
            pass
        # We may refuse more than it does, but what we accept it must accept in the same frame.
        assert ours == reference.complete[: len(ours)]

    in_loop(body)


@given(st.lists(messages(), min_size=1, max_size=3), st.data())
def test_a_repeated_head_reads_as_a_fresh_one(
    sent: list[tuple[bytes, tuple[object, ...]]], data: st.DataObject
) -> None:
    heads = [wire.partition(b"\r\n\r\n")[0] for wire, _ in sent]
    heads += [head.replace(b"Content-Length: ", b"Content-Length: 1", 1) for head in heads]
    heads += [head.replace(b"\r\nHost", b"\r\nContent-Length: 7\r\nHost", 1) for head in heads]
    reader = HeadReader(ServerLimits())
    for head in data.draw(st.lists(st.sampled_from(heads), max_size=12)):
        assert outcome(reader, head) == outcome(HeadReader(ServerLimits()), head)


def outcome(reader: HeadReader, data: bytes) -> object:
    try:
        head = reader.read(data)
    except Refused as refused:
        return refused.status, refused.message
    return (
        sorted(reader.fields),
        reader.length,
        (head.method, head.target, head.path, head.query, head.http_1_0),
        (head.keep_alive, head.expects, head.forwarded),
    )


@pytest.mark.parametrize("value", [b"5 ", b"\t5", b"5,5", b"1_0", b"", b"99999999999"])
def test_a_repeated_head_with_an_odd_length_reads_as_a_fresh_one(value: bytes) -> None:
    reader = HeadReader(ServerLimits())
    for number in (b"5", value, b"6", value, value):
        head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + number + b"\r\nA: b"
        assert outcome(reader, head) == outcome(HeadReader(ServerLimits()), head)


@given(st.lists(st.tuples(tokens, values), min_size=1, max_size=8), st.integers(0, 3))
def test_a_line_that_was_read_before_reads_the_same(
    sent: list[tuple[bytes, bytes]], times: int
) -> None:
    lines = [b"%b: %b" % field for field in sent]
    for _ in range(times + 1):
        fields, _ = read_fields([b"", *lines])
        assert fields == [(name.lower(), value) for name, value in sent]


def test_what_a_handler_does_to_a_request_does_not_reach_the_next() -> None:
    reader = HeadReader(ServerLimits())
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5"
    for _ in range(3):
        reader.read(head)
        assert sorted(reader.fields) == [(b"content-length", b"5"), (b"host", b"h")]
        reader.fields.clear()
    for _ in range(3):
        reader.read(b"GET / HTTP/1.1\r\nHost: h")
        assert reader.fields == [(b"host", b"h")]
        reader.fields.clear()


H = b"Host: h\r\n"
GET = b"GET / HTTP/1.1\r\n" + H
POST = b"POST / HTTP/1.1\r\n" + H
REFUSED: list[tuple[str, bytes, int]] = [
    ("CL and TE", POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked", 400),
    ("TE and CL", POST + b"Transfer-Encoding: chunked\r\nContent-Length: 4", 400),
    ("two CL", POST + b"Content-Length: 4\r\nContent-Length: 5", 400),
    ("two same CL", POST + b"Content-Length: 4\r\nContent-Length: 4", 400),
    ("CL list", POST + b"Content-Length: 4, 4", 400),
    ("CL plus", POST + b"Content-Length: +4", 400),
    ("CL minus", POST + b"Content-Length: -4", 400),
    ("CL hex", POST + b"Content-Length: 0x4", 400),
    ("CL underscore", POST + b"Content-Length: 1_0", 400),
    ("CL empty", POST + b"Content-Length:", 400),
    ("CL superscript", POST + b"Content-Length: \xb2", 400),
    ("CL huge", POST + b"Content-Length: " + b"9" * 40, 413),
    ("CL too large", POST + b"Content-Length: 999999999999", 413),
    ("TE identity", POST + b"Transfer-Encoding: identity", 400),
    ("TE gzip, chunked", POST + b"Transfer-Encoding: gzip, chunked", 400),
    ("TE chunked, chunked", POST + b"Transfer-Encoding: chunked, chunked", 400),
    ("TE twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", 400),
    ("TE xchunked", POST + b"Transfer-Encoding: xchunked", 400),
    ("TE vertical tab", POST + b"Transfer-Encoding: \x0bchunked", 400),
    ("TE after a tab", POST + b"Transfer-Encoding:\tchunked", 400),
    ("TE before a tab", POST + b"Transfer-Encoding: chunked\t", 400),
    ("TE quoted", POST + b'Transfer-Encoding: "chunked"', 400),
    ("TE blank before colon", POST + b"Transfer-Encoding : chunked", 400),
    ("TE folded", POST + b"Transfer-Encoding:\r\n chunked", 400),
    ("TE in HTTP/1.0", b"POST / HTTP/1.0\r\n" + H + b"Transfer-Encoding: chunked", 400),
    ("folded value", GET + b"X: a\r\n b", 400),
    ("folded first", b"GET / HTTP/1.1\r\n X: a\r\n" + H[:-2], 400),
    ("no colon", GET + b"nonsense", 400),
    ("no name", GET + b": x", 400),
    ("NUL in value", GET + b"X: a\0b", 400),
    ("NUL in name", GET + b"X\0: a", 400),
    ("CR in value", GET + b"X: a\rb", 400),
    ("LF in value", GET + b"X: a\nb: c", 400),
    ("DEL in value", GET + b"X: \x7f", 400),
    ("no Host", b"GET / HTTP/1.1\r\nX: y", 400),
    ("two Hosts", GET + b"Host: h", 400),
    ("Host with path", b"GET / HTTP/1.1\r\nHost: h/evil", 400),
    ("Host with user", b"GET / HTTP/1.1\r\nHost: a@h", 400),
    ("two Hosts in 1.0", b"GET / HTTP/1.0\r\n" + H + b"Host: i", 400),
    ("HTTP/2.0", b"GET / HTTP/2.0\r\n" + H[:-2], 505),
    ("HTTP/1.2", b"GET / HTTP/1.2\r\n" + H[:-2], 505),
    ("HTTP/0.9", b"GET /\r\n" + H[:-2], 400),
    ("http/1.1", b"GET / http/1.1\r\n" + H[:-2], 400),
    ("HTTP/1.10", b"GET / HTTP/1.10\r\n" + H[:-2], 400),
    ("two blanks", b"GET  / HTTP/1.1\r\n" + H[:-2], 400),
    ("tab in the line", b"GET\t/ HTTP/1.1\r\n" + H[:-2], 400),
    ("blank at the end", b"GET / HTTP/1.1 \r\n" + H[:-2], 400),
    ("blank in the target", b"GET /a b HTTP/1.1\r\n" + H[:-2], 400),
    ("fragment", b"GET /a#b HTTP/1.1\r\n" + H[:-2], 400),
    ("raw UTF-8 target", "GET /ä HTTP/1.1\r\n".encode() + H[:-2], 400),
    ("odd method", b"G@T / HTTP/1.1\r\n" + H[:-2], 400),
    ("asterisk for GET", b"GET * HTTP/1.1\r\n" + H[:-2], 400),
    ("relative target", b"GET a HTTP/1.1\r\n" + H[:-2], 400),
    ("ftp target", b"GET ftp://h/ HTTP/1.1\r\n" + H[:-2], 400),
    ("user in target", b"GET http://u@h/ HTTP/1.1\r\n" + H[:-2], 400),
    ("CONNECT", b"CONNECT h:443 HTTP/1.1\r\n" + H[:-2], 405),
    ("other expectation", POST + b"Expect: x", 417),
    ("websocket", GET + b"Connection: Upgrade\r\nUpgrade: websocket", 400),
    ("many headers", GET + b"\r\n".join([b"a: b"] * 100), 431),
]


@pytest.mark.parametrize(("name", "head", "status"), REFUSED, ids=[row[0] for row in REFUSED])
def test_ambiguous_heads_are_refused_in_the_shape_of_the_openai_api(
    name: str, head: bytes, status: int
) -> None:
    async def body() -> None:
        smuggled = head + b"\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
        notebook, wire = await talk([smuggled])
        answers = Answers(wire.sent)
        assert answers.statuses == [status]
        error = json.loads(answers.bodies[0])["error"]
        assert error["type"] == "invalid_request_error"
        assert error["message"]
        assert error["code"]
        assert error["param"] is None
        assert notebook.requests == []
        assert wire.ended
        assert b"connection: close" in wire.sent

    in_loop(body)


BODIES = [
    b"zz\r\n",
    b"-1\r\n",
    b"+1\r\n",
    b" 1\r\na\r\n",
    b"1 \r\na\r\n",
    b"0x1\r\na\r\n",
    b"1_0\r\n",
    b"123456789\r\n",
    b"1\na\r\n",
    b"1\r\nab\r\n",
    b"1\r\na\n",
    b"1;a\nb\r\na\r\n",
    b"1;\0\r\na\r\n",
    b"1;\r\na\r\n",
    b"1 ;a\r\na\r\n",
    b"1; a\r\na\r\n",
    b"1;a =b\r\na\r\n",
    b'1;a="b\r\na\r\n',
    b"1;" + b"x" * 400 + b"\r\n",
    b"0\r\nX : y\r\n\r\n",
    b"0\r\n folded\r\n\r\n",
    b"0\r\nX: y\n\r\n\r\n",
    b"0\r\n" + b"X: y\r\n" * 2000 + b"\r\n",
    b"\r\n",
    b"1;" + b"x" * 250 + b"\r\na\r\n" + (b"1;" + b"x" * 250 + b"\r\na\r\n") * 100,
]


@pytest.mark.parametrize("coded", BODIES)
@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_malformed_chunks_are_refused_however_they_arrive(coded: bytes, size: int) -> None:
    async def body() -> None:
        head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        notebook, wire = await talk(cut(head + coded, [size]))
        assert Answers(wire.sent).statuses == [400]
        assert notebook.requests == []

    in_loop(body)


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
        (b"GET / HTTP/1.1\nHost: h\n", 400),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
        (b"\0\0\0\0", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\nHost: h\r\n\r\n", 431),
        (b"GET /" + b"a" * 40_000, 431),
    ],
    ids=["TLS", "bare LF", "HTTP/2", "NUL", "endless header", "large head", "endless target"],
)
def test_what_cannot_become_a_request_is_refused_before_it_is_complete(
    first: bytes, status: int
) -> None:
    async def body() -> None:
        _, wire = await talk([first])
        assert Answers(wire.sent).statuses == [status]
        assert wire.ended

    in_loop(body)


@pytest.mark.parametrize("size", [1, 5, 4096])
def test_a_body_beyond_the_limit_is_refused_with_or_without_a_length(size: int) -> None:
    async def body() -> None:
        limits = ServerLimits(max_body=100)
        for head, sent in (
            (b"Content-Length: 101", b"x" * 101),
            (b"Transfer-Encoding: chunked", b"32\r\n" + b"x" * 50 + b"\r\n33\r\n" + b"x" * 51),
        ):
            stream = b"POST / HTTP/1.1\r\nHost: h\r\n" + head + b"\r\n\r\n" + sent
            notebook, wire = await talk(cut(stream, [size]), limits=limits)
            assert Answers(wire.sent).statuses == [413]
            assert notebook.requests == []

    in_loop(body)


def test_the_absolute_form_replaces_the_host() -> None:
    head = b"GET http://real.example:8/x?y=1 HTTP/1.1\r\nHost: other"
    read = read_request_head(head, ServerLimits())
    assert read.path == b"/x"
    assert read.query == b"y=1"
    assert read.fields == [(b"host", b"real.example:8")]


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a?b?c", b"/a", b"b?c"),
        (b"/%2e%2e/?", b"/%2e%2e/", b""),
        (b"http://h", b"/", b""),
        (b"http://h?q", b"/", b"q"),
        (b"HTTPS://h/p", b"/p", b""),
    ],
)
def test_a_target_is_split_into_path_and_query(target: bytes, path: bytes, query: bytes) -> None:
    head = b"GET " + target + b" HTTP/1.1\r\nHost: h"
    read = read_request_head(head, ServerLimits())
    assert (read.path, read.query) == (path, query)
    assert read.target == target


@pytest.mark.parametrize(
    ("line", "keeps"),
    [
        (b"HTTP/1.1\r\nHost: h", True),
        (b"HTTP/1.1\r\nHost: h\r\nConnection: close", False),
        (b"HTTP/1.1\r\nHost: h\r\nConnection: x, Close", False),
        (b"HTTP/1.1\r\nHost: h\r\nConnection: close\r\nConnection: keep-alive", False),
        (b"HTTP/1.0", False),
        (b"HTTP/1.0\r\nConnection: keep-alive", True),
        (b"HTTP/1.0\r\nConnection: keep-alive, close", False),
    ],
)
def test_the_connection_is_kept_as_the_client_asks(line: bytes, keeps: bool) -> None:
    assert read_request_head(b"GET / " + line, ServerLimits()).keep_alive is keeps


def test_blank_lines_before_a_request_are_ignored() -> None:
    async def body() -> None:
        stream = b"\r\n\r\nGET /1 HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n"
        for size in (1, 3, 200):
            notebook, wire = await talk(cut(stream, [size]))
            assert [request.path for request in notebook.requests] == [b"/1", b"/2"]
            assert not wire.closing

    in_loop(body)


def test_a_request_shows_no_secret_when_printed() -> None:
    request = Request(b"POST", b"/p?token=s", b"/p", b"token=s", [(b"authorization", b"secret")])
    request.body = b"private"
    shown = repr(request)
    assert "secret" not in shown
    assert "private" not in shown
    assert "token" not in shown


def test_a_fault_in_a_header_is_named_without_its_value() -> None:
    for line in (b"Authorization: sk-secret\x01", b"Authorization : sk-secret", b" sk-secret"):
        with pytest.raises(Malformed) as caught:
            read_fields([b"", line])
        assert "sk-secret" not in str(caught.value)


async def test_a_burst_of_requests_leaves_turns_to_others() -> None:
    notebook = Notebook()
    server = HttpServer(notebook)
    connection = ServerConnection(server)
    wire = Wire(connection)
    connection.connection_made(wire)
    connection.data_received(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * 100)
    handled = len(notebook.requests)
    assert handled < 50
    await asyncio.sleep(0)
    assert handled < len(notebook.requests) < 100
    for _ in range(10):
        await asyncio.sleep(0)
    assert Answers(wire.sent).bodies == [b"answer %d" % (n + 1) for n in range(100)]
    server.clock.stop()
