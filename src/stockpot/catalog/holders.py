"""Who a virtual key is at the control plane's own routes. Knows what is published; asks no table.

An application that may call the gateway may also fetch its prompts and tell what its users said of
an answer, with the one secret that it has. It is a principal of its key's project alone.
"""

from __future__ import annotations

import time
from ipaddress import ip_address, ip_network

from stockpot.access import Principal, Role, digest
from stockpot.catalog.publish import Publisher
from stockpot.core.errors import Forbidden, NotSignedIn
from stockpot.gateway import Key


class KeyHolders:
    """As a callable it is the `KeyHolder` that routes with `key=True` ask."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._revision = -1
        self._keys: dict[bytes, Key] = {}
        self._by_id: dict[str, Key] = {}

    async def named(self, key_id: str) -> Key | None:
        """What is published of a key, by its id."""
        await self._look()
        return self._by_id.get(key_id)

    async def _look(self) -> None:
        published = await self._publisher.current()
        if published.revision != self._revision:
            self._keys = {key.hash: key for key in published.compiled.part.keys}
            self._by_id = {key.id: key for key in published.compiled.part.keys}
            self._revision = published.revision

    async def __call__(self, secret: str, address: str, role: Role) -> Principal | None:
        await self._look()
        key = self._keys.get(digest(secret))
        if key is None:
            return None
        _check(key, address)
        return Principal(
            user_id=key.id,
            label=f"key {key.name}",
            role="own",
            via="key",
            grants={key.project: role},
            scopes=("read", "write"),
            project=key.project,
            address=address,
        )


def _check(key: Key, address: str) -> None:
    """The gateway's own rules: active, in date, from an allowed address."""
    if key.state != "active":
        raise NotSignedIn(f"the key {key.name!r} is disabled")
    if key.expires_ms and key.expires_ms < time.time() * 1000:
        raise NotSignedIn(f"the key {key.name!r} has expired")
    if key.networks and not _admits(key.networks, address):
        raise Forbidden(f"the key {key.name!r} may not be used from {address}")


def _admits(networks: tuple[str, ...], client: str) -> bool:
    try:
        address = ip_address(client)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in ip_network(network, strict=False) for network in networks)
