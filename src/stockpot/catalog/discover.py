"""Finding what is already there: vendor keys in the environment, model servers on this machine.

Knows the vendors' table and one question, GET /v1/models; writes nothing. A server that is started
later is found within half a minute, one that is gone is dropped.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from stockpot.catalog.offers import Offer, offer_of
from stockpot.providers import Vendor, vendors

PROBE_TIMEOUT_S = 0.5
LIST_TIMEOUT_S = 5.0
MOST_MODELS = 500
MOST_BYTES = 4 * 1024 * 1024
LISTED = {
    "anthropic": ("/models?limit=1000", (("anthropic-version", "2023-06-01"),)),
}
"""How a wire format lists its models, where that is not plain GET /models."""
UNLISTED = frozenset({"bedrock"})
"""Wire formats without a list at their own address."""


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
    models = (await _ask(client, vendor.probe, ())).models
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


class Listing(NamedTuple):
    """A provider's answer to which models it has. Status 0: it did not answer as it should."""

    status: int = 0
    models: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """The secret is not accepted."""
        return self.status in (401, 403)


async def listed_models(offer: Offer) -> Listing:
    """Ask a provider which models it has."""
    if offer.wire in UNLISTED:
        return Listing()
    async with httpx.AsyncClient(timeout=LIST_TIMEOUT_S) as client:
        path, headers = LISTED.get(offer.wire, ("/models", ()))
        return await _ask(client, offer.base_url + path, (*offer.headers(), *headers))


async def _ask(
    client: httpx.AsyncClient, url: str, headers: tuple[tuple[str, str], ...]
) -> Listing:
    try:
        async with client.stream("GET", url, headers=list(headers)) as answer:
            if not answer.is_success:
                return Listing(answer.status_code)
            body = b""
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MOST_BYTES:
                    return Listing()
        names = [str(row["id"]) for row in json.loads(body)["data"]]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return Listing()
    named = tuple(n for n in sorted(set(names)) if 0 < len(n) <= 200)
    return Listing(200, named[:MOST_MODELS])
