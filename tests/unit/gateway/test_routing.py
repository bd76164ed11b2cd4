"""Routing, health, failures and snapshots, without any I/O."""

from collections import Counter

import msgspec
import pytest

from stockpot.core.errors import ConfigError
from stockpot.gateway import (
    GatewayPart,
    Key,
    Limits,
    Part,
    Route,
    Snapshot,
    Target,
    WeightedTarget,
)
from stockpot.gateway.health import FAILURES_TO_COOL
from stockpot.gateway.outcome import retry_after
from stockpot.gateway.route import candidates
from stockpot.gateway.snapshot import Carried, RouteEntry, View, compile_view


def target(name: str) -> Target:
    return Target(name, "p", "openai", f"http://{name}.test/v1", name)


def route(*shares: WeightedTarget, carried: Carried | None = None) -> RouteEntry:
    part = GatewayPart(
        (), (), (Route("r", ("chat",), shares),), tuple(target(s.target) for s in shares)
    )
    return View(1, part, carried or Carried()).routes["r"]


def packed(part: GatewayPart, version: int = 1, name: str = "gateway") -> bytes:
    parts = (Part(name, version, msgspec.msgpack.encode(part)),)
    return msgspec.msgpack.encode(Snapshot(3, 0, parts))


EMPTY = GatewayPart((), (), (), ())


def test_first_choices_follow_the_weights() -> None:
    entry = route(WeightedTarget("a", 9), WeightedTarget("b", 1))
    firsts = Counter(candidates(entry)[0].id for _ in range(5000))
    assert 4300 < firsts["a"] < 4700  # 4500 +- 9 standard deviations


def test_a_higher_tier_is_tried_only_after_the_lower_ones() -> None:
    entry = route(WeightedTarget("spare", 1, 1), WeightedTarget("a", 1, 0), WeightedTarget("b"))
    for _ in range(50):
        assert candidates(entry)[-1].id == "spare"


def test_a_cooling_target_is_tried_last_but_not_never() -> None:
    carried = Carried()
    entry = route(WeightedTarget("a", 1, 0), WeightedTarget("b", 1, 1), carried=carried)
    for _ in range(FAILURES_TO_COOL):
        carried.health["a"].failed("down")
    assert [t.id for t in candidates(entry)] == ["b", "a"]
    carried.health["a"].succeeded(0)
    assert [t.id for t in candidates(entry)] == ["a", "b"]


def test_a_target_without_weight_gets_nothing() -> None:
    entry = route(WeightedTarget("a", 0), WeightedTarget("b", 1))
    assert [t.id for t in candidates(entry)] == ["b"]


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
