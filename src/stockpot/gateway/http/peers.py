"""Who the client is when trusted proxies stand before us. Knows X-Forwarded-For; nothing else."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class TrustedProxies:
    """The networks whose `X-Forwarded-For` is believed."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Sequence[str]) -> None:
        self._networks: list[Network] = [ipaddress.ip_network(text) for text in networks]

    def trusts(self, peer: str) -> bool:
        """Whether `peer` is one of our proxies."""
        address = _address(peer) if self._networks else None
        return address is not None and self._is_trusted(address)

    def client(self, peer: str, forwarded: list[bytes]) -> str:
        """The rightmost address that is not one of our proxies.

        Each proxy appends the address that it saw, so what stands left of a stranger's address is
        that stranger's own word. What is no address ends the search: the last hop known counts.
        """
        found = peer
        for text in reversed(b",".join(forwarded).split(b",")):
            address = _address(text.decode("latin-1").strip())
            if address is None:
                break
            found = str(address)
            if not self._is_trusted(address):
                break
        return found

    def _is_trusted(self, address: Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self._networks
        )


def _address(text: str) -> Address | None:
    """An address, whether bare, with a port, or in brackets."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
