"""A call that is over is freed at once: garbage that waits for the collector fills the processor's
caches with what nobody needs, and the collector's rounds hold up every stream."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from stockpot.gateway.call import Call
from stockpot.gateway.models import CachePolicy, Part
from stockpot.gateway.rail_part import RailReader
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, Policy, RailsPart, Rule
from tests.unit.gateway.test_cache_flights import ANSWER, ASK, events
from tests.unit.gateway.walk import STREAM_END, STREAM_HEAD, Line, Walk, chunk, whole

if TYPE_CHECKING:
    from pathlib import Path

RULES = (
    Rule("pii", "pii", ("input", "output"), "mask", reversible=True),
    Rule("words", "words", ("input", "output"), "block", {"words": ["truffle"]}),
)


def guarded(walk: Walk) -> None:
    policies = RailsPart((Policy("p", "kitchen", RULES),), by_project={"menu": "p"})
    part = Part(RAILS_PART, RAILS_PART_VERSION, msgspec.msgpack.encode(policies))
    assert walk.gateway.view is not None
    walk.gateway.view.rails = RailReader().read((part,))


def calls() -> list[Call]:
    return [one for one in gc.get_objects() if isinstance(one, Call)]


def answered(walk: Walk, stream: bool, status: int) -> None:
    for line in walk.asked:
        line.wrote = b""
        if stream:
            line.says(STREAM_HEAD + b"".join(map(chunk, events("soup"))) + STREAM_END)
        else:
            line.says(whole(ANSWER, status))


@pytest.mark.parametrize("rails", [False, True], ids=["plain", "guarded"])
async def test_nothing_of_a_call_waits_for_the_collector(tmp_path: Path, rails: bool) -> None:
    walk = Walk(tmp_path, cache=CachePolicy(60))
    if rails:
        guarded(walk)
    lines: list[Line] = []
    refused = {**ASK, "messages": [{"role": "user", "content": "a truffle"}]}
    asks: list[tuple[dict[str, Any], bool, int, str]] = [
        (ASK, False, 200, "200"),
        (ASK, False, 200, "200"),  # out of the cache
        ({**ASK, "stream": True, "seed": 1}, True, 200, "200"),
        (refused, False, 200, "400" if rails else "200"),
        ({**ASK, "model": "no"}, False, 200, "404"),
        ({**ASK, "seed": 2}, False, 500, "500"),
    ]
    gc.disable()
    try:
        for body, stream, upstream, status in asks:
            lines.append(walk.asks(body))
            await walk.settle()
            answered(walk, stream, upstream)
            await walk.settle()
            assert lines[-1].head["status"] == status
        assert lines[1].head["x-stockpot-cache"] == "hit"
        assert calls() == []
    finally:
        gc.enable()
    await walk.close()
