"""Bedrock's binary event stream and its signatures, beside botocore's own code."""

from __future__ import annotations

import datetime
import itertools

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as TheirCredentials
from botocore.eventstream import EventStream, EventStreamBuffer
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from stockpot.providers.bedrock.frames import Message, Messages
from stockpot.providers.bedrock.sign import Credentials, signed
from tests.vendors.bedrock_stub import Behaviour, exception, frame, operation

BLOCKS = (
    {"reasoningContent": {"reasoningText": {"text": "Hm, tea.", "signature": "c2ln"}}},
    {"text": "The kettle is on: ☕."},
    {"toolUse": {"toolUseId": "t_1", "name": "boil", "input": {"cups": 2, "of": "té"}}},
)
STREAM = b"".join(Behaviour(blocks=BLOCKS, stop="tool_use").events())


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({c % (len(data) + 1) for c in cuts}), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


def read(pieces: list[bytes]) -> tuple[list[Message], str]:
    messages = Messages()
    found = [message for piece in pieces for message in messages.feed(piece)]
    messages.end()
    return found, messages.fault


def theirs(data: bytes) -> list[Message]:
    buffer = EventStreamBuffer()
    buffer.add_data(data)
    return [Message(event.headers, event.payload) for event in buffer]


@given(st.lists(st.integers(0, 100_000), max_size=20))
def test_any_chunking_gives_the_messages_that_botocore_reads(cuts: list[int]) -> None:
    assert read(cut(STREAM, cuts)) == (theirs(STREAM), "")


def test_the_stubs_stream_is_one_that_botocores_client_accepts() -> None:
    class Raw:
        def stream(self) -> list[bytes]:
            return [STREAM]

    model = operation("ConverseStream")
    shape = model.output_shape.members["stream"]
    events = list(EventStream(Raw(), shape, create_parser("rest-json")._event_stream_parser, "x"))
    assert "".join(
        e["contentBlockDelta"]["delta"].get("text", "") for e in events if "contentBlockDelta" in e
    ) == ("The kettle is on: ☕.")
    assert events[-1]["metadata"]["usage"]["cacheReadInputTokens"] == 20


@given(st.integers(0, len(STREAM) - 1), st.integers(1, 255), st.integers(1, 50))
def test_a_flipped_byte_is_found_and_nothing_behind_it_is_read(at: int, flip: int, n: int) -> None:
    damaged = bytearray(STREAM)
    damaged[at] ^= flip
    found, fault = read(cut(bytes(damaged), list(range(0, len(damaged), n * 7))))
    assert "damaged" in fault
    good = theirs(STREAM)
    assert found == good[: len(found)]
    assert len(found) < len(good)


@given(st.integers(1, len(STREAM) - 1))
def test_a_stream_that_ends_inside_a_message_is_at_fault(at: int) -> None:
    found, fault = read([STREAM[:at]])
    ends = list(itertools.accumulate(len(e) for e in Behaviour(BLOCKS, "tool_use").events()))
    assert fault == ("" if at in ends else "the event stream ended inside a message")
    assert len(found) == sum(end <= at for end in ends)


def test_headers_of_every_type_are_stepped_over() -> None:
    lines = b"".join((
        b"\x01a\x00", b"\x01b\x01", b"\x01c\x02\x07", b"\x01d\x03\x00\x07", b"\x01e\x04\0\0\0\0",
        b"\x01f\x05" + b"\0" * 8, b"\x01g\x06\x00\x02zz", b"\x01h\x07\x00\x02hi",
        b"\x01i\x08" + b"\0" * 8, b"\x01j\x09" + b"\0" * 16,
    ))  # fmt: skip
    import binascii
    import struct

    begin = struct.pack(">II", 16 + len(lines), len(lines))
    begin += struct.pack(">I", binascii.crc32(begin))
    whole = begin + lines
    whole += struct.pack(">I", binascii.crc32(whole))
    (theirs_,) = theirs(whole)
    assert set(theirs_.headers) == set("abcdefghij")
    assert read([whole]) == ([Message({"h": "hi"}, b"")], "")


def test_a_message_longer_than_any_is_refused_before_it_is_waited_for() -> None:
    import binascii
    import struct

    begin = struct.pack(">II", 1 << 31, 0)
    _, fault = read([begin + struct.pack(">I", binascii.crc32(begin))])
    assert "a message of 2147483648 bytes" in fault
    assert read([frame({"a": "b"}, b"{}"), exception("x", "y")])[1] == ""


@pytest.mark.parametrize(
    "path",
    [
        "/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse",
        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.x.y-v1%3A0"
        "/converse-stream",
        "/proxy/model/amazon.nova-lite-v1%3A0/converse",
        "/model/a~b_c-d.e/converse",
    ],
)
@pytest.mark.parametrize("token", ["", "session/token+1=="])
def test_a_signature_is_botocores(monkeypatch: pytest.MonkeyPatch, path: str, token: str) -> None:
    at = datetime.datetime(2026, 11, 22, 12, 34, 56, tzinfo=datetime.UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: at)
    host, body = "bedrock-runtime.us-east-1.amazonaws.com", b'{"messages":[]}'
    headers = {"content-type": "application/json", "host": host}
    request = AWSRequest("POST", f"https://{host}{path}", headers=headers, data=body)
    keys = TheirCredentials("AKIDEXAMPLE", "secret/+", token or None)
    SigV4Auth(keys, "bedrock", "us-east-1").add_auth(request)
    ours = dict(
        signed(
            Credentials("AKIDEXAMPLE", "secret/+", "us-east-1", token),
            "bedrock", host, path, "application/json", body, at.timestamp(),
        )
    )  # fmt: skip
    assert ours["authorization"] == request.headers["Authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"] == "20261122T123456Z"
    assert ours.get("x-amz-security-token") == (token or None)


def test_credentials_do_not_show_their_secrets() -> None:
    shown = repr(Credentials("AKID", "very-secret", "us-east-1", "token-1"))
    assert "very-secret" not in shown
    assert "token-1" not in shown
