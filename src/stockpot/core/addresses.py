"""Which network addresses an upstream may have. Knows networks; resolves and sends nothing.

A user who may name an upstream must not thereby read a cloud's metadata service or the host's own
neighbours. An address is looked at in every disguise that embeds an IPv4 address in an IPv6 one.
The control plane asks when a URL is given, the gateway again for each connection that it makes, so
that a name cannot change its mind in between (DNS rebinding).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal

Address = IPv4Address | IPv6Address

_NEVER = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # unspecified: means this host to many kernels
        "100.100.100.200/32",  # metadata, Alibaba
        "168.63.129.16/32",  # host channel, Azure
        "169.254.0.0/16",  # link-local, metadata of most clouds
        "192.0.0.0/24",  # protocol assignments; metadata, Oracle
        "198.18.0.0/15",  # benchmarking
        "224.0.0.0/3",  # multicast, reserved, broadcast
        "::/128",
        "2001:db8::/32",
        "fd00::/16",  # metadata, AWS (fd00:ec2::254)
        "fd20:ce::/32",  # metadata, Google
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
    )
)
_PRIVATE = tuple(
    ip_network(text)
    for text in (
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "::1/128",
        "fc00::/7",
    )
)
_NAT64 = ip_network("64:ff9b::/96")
_SIX_TO_FOUR = ip_network("2002::/16")


def refused(text: str, *, private: bool) -> Literal["never", "private"] | None:
    """Why an upstream may not be at this address, or None. `private` allows private networks.

    Raises ValueError when the text is no address.
    """
    for seen in _unwrapped(ip_address(text.partition("%")[0])):
        if any(seen in network for network in _NEVER if network.version == seen.version):
            return "never"
        if not private and any(
            seen in network for network in _PRIVATE if network.version == seen.version
        ):
            return "private"
    return None


def _unwrapped(address: Address) -> tuple[Address, ...]:
    """An address and the IPv4 address that it stands for, if any."""
    if isinstance(address, IPv4Address):
        return (address,)
    low = int(address) & 0xFFFFFFFF
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (address, IPv4Address(low))
    if address in _SIX_TO_FOUR:
        return (address, IPv4Address(int(address) >> 80 & 0xFFFFFFFF))
    if int(address) >> 32 == 0 and low > 1:  # the retired IPv4-compatible form, ::a.b.c.d
        return (address, IPv4Address(low))
    return (address,)
