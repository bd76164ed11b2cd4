"""Failures and snapshots, without any I/O."""

import msgspec
import pytest

from stockpot.core.errors import ConfigError
from stockpot.gateway import (
    GatewayPart,
    Key,
    Limits,
    Part,
    Snapshot,
)
from stockpot.gateway.outcome import retry_after
from stockpot.gateway.snapshot import Carried, compile_view


def packed(part: GatewayPart, version: int = 1, name: str = "gateway") -> bytes:
    parts = (Part(name, version, msgspec.msgpack.encode(part)),)
    return msgspec.msgpack.encode(Snapshot(3, 0, parts))


EMPTY = GatewayPart((), (), (), ())


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(b"3", 3.0), (b"0.5", 0.5), (b"-4", 0.0), (b"soon", 0.0),
     (b"Thu, 01 Jan 1970 00:00:00 GMT", 0.0), (b"99999999999", 86_400.0), (b"nan", 0.0)],
)  # fmt: skip
def test_retry_after_is_read_in_both_forms(value: bytes, seconds: float) -> None:
    assert retry_after([(b"retry-after", value)]) == seconds


def test_limits_survive_a_new_snapshot() -> None:
    carried = Carried()
    key = Key("k", b"h" * 32, "k", "p", "dev", limits=Limits(rpm=2))
    part = GatewayPart((key,), (), (), ())
    first = compile_view(packed(part), carried).keys[b"h" * 32].gates[0]
    assert first.reserve(10**12, 1) is None
    assert first.reserve(10**12, 1) is None
    second = compile_view(packed(part), carried).keys[b"h" * 32].gates[0]
    assert second.reserve(10**12, 1) is not None


@pytest.mark.parametrize(
    "data",
    [b"", b"rubbish", packed(EMPTY, version=2), packed(EMPTY, name="other")],
)
def test_a_snapshot_that_cannot_be_trusted_is_refused(data: bytes) -> None:
    with pytest.raises(ConfigError):
        compile_view(data, Carried())


def test_a_field_of_a_newer_control_plane_is_ignored() -> None:
    newer = {**msgspec.to_builtins(EMPTY), "later": {"x": 1}}
    parts = [{"name": "gateway", "version": 1, "data": msgspec.msgpack.encode(newer)}]
    data = msgspec.msgpack.encode({"revision": 9, "created_ms": 0, "parts": parts, "more": 1})
    assert compile_view(data, Carried()).revision == 9
