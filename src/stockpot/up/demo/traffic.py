"""Guests of the demo: they ask through the gateway and say whether the answer pleased them.

Knows the gateway and the feedback API by their addresses, as an application does. Each guest is a
new user; every fourth question goes to the alias instead of the prompt, as of a second application.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from typing import NamedTuple

import httpx

from stockpot.up.demo import story
from stockpot.up.demo.story import Question, pleased

_AT_ONCE = 8
_DIRECT = 4


class Sent(NamedTuple):
    """How a stretch of traffic went. `unrated` counts feedback that could not be given."""

    calls: int
    failed: int
    thumbs_up: int
    unrated: int


class Guests:
    """Asks with the application's key; a `seed` brings the same guests and questions again."""

    def __init__(self, gateway: str, console: str, key: str, seed: int | None = None) -> None:
        self._gateway = gateway
        self._console = console
        self._headers = {"authorization": f"Bearer {key}"}
        self._chance = random.Random(seed)  # noqa: S311 - guests, not secrets

    async def ask(self, calls: int, per_second: float = 0.0) -> Sent:
        """So many questions, at this rate or as fast as the answers come."""
        tally = [0, 0, 0, 0]
        gate = asyncio.Semaphore(_AT_ONCE)
        async with httpx.AsyncClient(timeout=60, trust_env=False, headers=self._headers) as http:
            tasks = []
            for number in range(calls):
                await gate.acquire()
                tasks.append(asyncio.create_task(self._one(http, number, tally, gate)))
                if per_second:
                    await asyncio.sleep(1 / per_second)
            await asyncio.gather(*tasks)
        return Sent(*tally)

    async def _one(
        self, http: httpx.AsyncClient, number: int, tally: list[int], gate: asyncio.Semaphore
    ) -> None:
        question = self._chance.choice(story.questions())
        guest = f"guest-{uuid.UUID(int=self._chance.getrandbits(128)).hex[:10]}"
        tally[0] += 1
        try:
            direct = number % _DIRECT == _DIRECT - 1
            url = f"{self._gateway}/v1/chat/completions"
            answer = await http.post(url, json=_body(question, guest, direct=direct))
            answer.raise_for_status()
            text = answer.json()["choices"][0]["message"]["content"] or ""
            up = pleased(question, text, self._chance)
            tally[2] += up
            tally[3] += not await self._rated(
                http, answer.headers["x-stockpot-trace-id"], guest, up
            )
        except httpx.HTTPError:
            tally[1] += 1
        finally:
            gate.release()

    async def _rated(self, http: httpx.AsyncClient, trace: str, guest: str, up: bool) -> bool:
        """Whether the thumb was taken; the control plane may be away while calls go on."""
        told = {"trace_id": trace, "thumb": "up" if up else "down", "user": guest}
        try:
            return (await http.post(f"{self._console}/api/v1/feedback", json=told)).is_success
        except httpx.TransportError:
            return False


def _body(question: Question, guest: str, *, direct: bool) -> dict[str, object]:
    if direct:
        asked = [{"role": "user", "content": question.text}]
        return {"model": story.ALIAS, "messages": asked, "user": guest}
    return {
        "model": f"prompt:{story.PROMPT}@{story.LABEL}",
        "messages": [],
        "prompt_variables": {"question": question.text},
        "user": guest,
    }
