"""Failures and snapshots, without any I/O."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance
from stockpot.gateway import (
    GatewayPart,
    Key,
    Limits,
    Part,
    Snapshot,
)
from stockpot.gateway.http.upstream import UpstreamClient
from stockpot.gateway.link import ControlLink
from stockpot.gateway.outcome import retry_after
from stockpot.gateway.snapshot import Carried, View, compile_view


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


class Told(ControlLink):
    """A link that is given its answers; at their end it says so and waits."""

    def __init__(self, instance: Instance, *answers: bytes) -> None:
        super().__init__(UpstreamClient(proxy=""), "http://127.0.0.1:1", instance)
        self._answers = list(answers)
        self.read = asyncio.Event()

    async def ask(self, *_: Any, **__: Any) -> tuple[int, bytes]:
        if self._answers:
            return 200, self._answers.pop(0)
        self.read.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_worker_takes_what_comes_also_where_its_copy_cannot_be_kept(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    (instance.run / "snapshot.sealed" / "in-the-way").mkdir(parents=True)
    link = Told(instance, packed(EMPTY), b"rubbish", packed(EMPTY))
    taken: list[int] = []

    async def adopt(view: View) -> None:
        taken.append(view.revision)

    following = asyncio.create_task(link.follow(Carried(), adopt))
    await asyncio.wait({following, asyncio.create_task(link.read.wait())},
                       timeout=30, return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
    assert taken == [3, 3]
    following.cancel()
