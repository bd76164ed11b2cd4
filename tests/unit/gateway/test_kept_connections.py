"""Connections to an upstream outlive the calls that they were made for."""

from __future__ import annotations

from pathlib import Path

from tests.unit.gateway.test_cache_flights import ANSWER, ASK
from tests.unit.gateway.walk import Walk, whole

AT_ONCE = 300


async def test_hundreds_of_calls_at_once_find_their_connections_again(tmp_path: Path) -> None:
    walk = Walk(tmp_path, upstreams=AT_ONCE)
    for _ in range(2):
        lines = [walk.asks(ASK) for _ in range(AT_ONCE)]
        assert len(walk.asked) == AT_ONCE
        for line in walk.asked:
            line.wrote = b""
            line.says(whole(ANSWER))
        await walk.settle()
        assert {line.head["status"] for line in lines} == {"200"}
    assert not any(line.closed for line in walk.upstreams)
    await walk.close()
