"""One tenant's slow and huge traffic does not move another's latency."""

from __future__ import annotations

import asyncio
import json
import time

import httpx
import pytest

from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors.openai_stub import Behaviour

pytestmark = pytest.mark.integration
SLOW_S = 4.0
BOUND_S = 0.5
"""Of the 99th percentile. A gateway that held up the quiet tenant behind the other's calls would
show seconds; between processes on a busy machine, hundreds of milliseconds are noise."""


async def quiet(client: httpx.AsyncClient, calls: int) -> list[float]:
    """Seconds of small calls, one after the other."""
    taken = []
    for _ in range(calls):
        begun = time.perf_counter()
        body = {"model": "quick", "messages": [{"role": "user", "content": "hello"}]}
        answer = await client.post("/chat/completions", json=body)
        taken.append(time.perf_counter() - begun)
        assert answer.status_code == 200
        await asyncio.sleep(0.005)
    return sorted(taken)


async def noisy(client: httpx.AsyncClient, model: str, text: str, *, stream: bool) -> None:
    """Calls of another tenant, one after the other until the test is done."""
    messages = [{"role": "user", "content": text}]
    body = json.dumps({"model": model, "stream": stream, "messages": messages})
    while True:
        await client.post("/chat/completions", content=body)


def test_a_tenant_with_slow_and_huge_calls_does_not_slow_another_down(rig: Rig) -> None:
    rig.stub.behaviours["slow"] = [Behaviour(delay_s=SLOW_S)]
    rig.stub.behaviours["drip"] = [Behaviour(text="a b c d e f g h", interval_s=0.05)]
    for name in ("quick", "slow", "drip", "huge"):
        rig.route(name, rig.target(name))
    rig.start()

    async def both() -> tuple[list[float], list[float]]:
        headers = {"authorization": f"Bearer {SECRET}"}
        async with httpx.AsyncClient(
            base_url=rig.url, headers=headers, timeout=30, limits=httpx.Limits(max_connections=200)
        ) as client:
            alone = await quiet(client, 100)
            kinds = [("slow", "x", False)] * 40 + [("drip", "x", True)] * 8
            kinds += [("huge", "lorem " * 150_000, False)]
            others = [
                asyncio.create_task(noisy(client, model, text, stream=stream))
                for model, text, stream in kinds
            ]
            await asyncio.sleep(0.3)
            beside = await quiet(client, 200)
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
            return alone, beside

    alone, beside = asyncio.run(both())
    p99 = beside[int(len(beside) * 0.99)]
    assert p99 < max(BOUND_S, 10 * alone[int(len(alone) * 0.99)]), (alone[-3:], beside[-5:])
    assert p99 < SLOW_S / 2
