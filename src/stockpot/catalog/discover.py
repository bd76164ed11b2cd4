"""Finding what is already there: vendor keys in the environment, model servers on this machine.

Knows the vendors' table and one question, GET /v1/models; writes nothing. A server that is started
later is found within half a minute, one that is gone is dropped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

import httpx

from stockpot.catalog.offers import Offer, offer_of
from stockpot.providers import Vendor, vendors

PROBE_TIMEOUT_S = 0.5
LIST_TIMEOUT_S = 5.0
MOST_MODELS = 500
MOST_BYTES = 4 * 1024 * 1024


def from_environment(environ: Mapping[str, str], since_ms: int) -> tuple[Offer, ...]:
    """An offer for each vendor whose key is set. Nothing is asked of the vendor."""
    return tuple(
        offer_of(
            vendor,
            name=vendor.name,
            base_url=vendor.base_url,
            origin="environment",
            secret=environ[vendor.env].strip(),
            secret_hint=vendor.env,
            created_ms=since_ms,
        )
        for vendor in vendors()
        if vendor.env and environ.get(vendor.env, "").strip()
    )


async def local_servers(since_ms: int, own_ports: frozenset[int]) -> tuple[Offer, ...]:
    """An offer for each known local server that answers; our own ports are not asked."""
    rows = [v for v in vendors() if v.probe and httpx.URL(v.probe).port not in own_ports]
    timeout = httpx.Timeout(PROBE_TIMEOUT_S)
    async with httpx.AsyncClient(timeout=timeout, trust_env=False) as client:
        found = await asyncio.gather(*(_probed(client, row, since_ms) for row in rows))
    return tuple(offer for offer in found if offer is not None)


async def _probed(client: httpx.AsyncClient, vendor: Vendor, since_ms: int) -> Offer | None:
    models = await _ask(client, vendor.probe, ())
    if not models:
        return None
    return offer_of(
        vendor,
        name=vendor.name,
        base_url=vendor.base_url,
        origin="local",
        models=models,
        created_ms=since_ms,
    )


async def listed_models(offer: Offer) -> tuple[str, ...]:
    """The models that a provider says it has; none when it does not answer."""
    async with httpx.AsyncClient(timeout=LIST_TIMEOUT_S) as client:
        return await _ask(client, f"{offer.base_url}/models", offer.headers())


async def _ask(
    client: httpx.AsyncClient, url: str, headers: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    try:
        async with client.stream("GET", url, headers=list(headers)) as answer:
            answer.raise_for_status()
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    return ()
        names = [str(row["id"]) for row in json.loads(body)["data"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return ()
    return tuple(n for n in sorted(set(names)) if 0 < len(n) <= 200)[:MOST_MODELS]
