"""Giving orders to whoever writes the span log: ingest where it runs, else this process itself.

Knows orders and where ingest listens; knows no policy.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import httpx
import msgspec

from stockpot.core.errors import Unavailable
from stockpot.core.instance import Instance
from stockpot.core.urls import trusted
from stockpot.traces.store import SpanStore
from stockpot.traces.store.orders import CountAnew, Done, Order

_SLOW_S = 900.0
"""An erasure rewrites files."""


class Hand(Protocol):
    """Does one piece of an order."""

    async def __call__(self, order: Order) -> Done: ...


class WriterOf:
    """The writer of an instance's span log."""

    def __init__(self, instance: Instance, store: SpanStore) -> None:
        self._instance = instance
        self._store = store

    async def count_anew(self, project: str, experiment: str) -> None:
        """Let the units of an experiment count from their next call on. Asks nobody where no unit
        of that name was ever counted."""
        units = await asyncio.to_thread(self._store.units, project, experiment, 0)
        more = bool(units.sums or units.crossed)
        while more:
            more = (await self(CountAnew(project, experiment))).more

    async def __call__(self, order: Order) -> Done:
        told = self._instance.announced("ingest")
        url = (told or {}).get("url")
        if not isinstance(url, str):
            return await asyncio.to_thread(self._store.perform, order)
        headers = {"authorization": f"Bearer {self._instance.internal_token}"}
        try:
            async with httpx.AsyncClient(
                timeout=_SLOW_S, verify=trusted(url), trust_env=False
            ) as client:
                answer = await client.post(
                    f"{url}/internal/orders", content=msgspec.msgpack.encode(order), headers=headers
                )
        except httpx.TransportError as away:
            raise Unavailable(f"ingest does not answer: {away}", hint="stockpot doctor") from None
        if not answer.is_success:
            raise Unavailable(f"ingest could not do it: {answer.text[:300]}", hint="see its log")
        return msgspec.msgpack.decode(answer.content, type=Done)
