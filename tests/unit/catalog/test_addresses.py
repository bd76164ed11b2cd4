"""Which provider URLs the gateway may call."""

from __future__ import annotations

import pytest

from stockpot.catalog.addresses import checked_base_url, resolve
from stockpot.core.errors import InvalidInput

ALWAYS_REFUSED = [
    "169.254.169.254", "169.254.0.1", "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1",
    "240.0.0.1", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1",
    "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fd20:ce::254", "ff02::1", "fec0::1",
    "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "::169.254.169.254",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "::1", "fc00::1", "fd12:3456::1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::1",
]  # fmt: skip
PUBLIC = ["93.184.215.14", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111"]


def at(*addresses: str):  # type: ignore[no-untyped-def]
    async def found(host: str, port: int) -> tuple[str, ...]:
        return addresses

    return found


@pytest.mark.parametrize("address", ALWAYS_REFUSED)
@pytest.mark.parametrize("private", [True, False])
async def test_metadata_and_link_local_addresses_are_never_called(
    address: str, private: bool
) -> None:
    with pytest.raises(InvalidInput, match="never calls"):
        await checked_base_url("https://host/v1", private=private, resolve=at(address))


@pytest.mark.parametrize("address", PRIVATE)
async def test_private_addresses_need_the_setting(address: str) -> None:
    with pytest.raises(InvalidInput, match="private"):
        await checked_base_url("https://host/v1", private=False, resolve=at(address))
    assert await checked_base_url("https://host/v1", private=True, resolve=at(address))


@pytest.mark.parametrize("address", PUBLIC)
async def test_public_addresses_may_be_called(address: str) -> None:
    got = await checked_base_url("https://host/v1/", private=False, resolve=at(address))
    assert got == "https://host/v1"


async def test_one_bad_address_among_good_ones_is_enough() -> None:
    with pytest.raises(InvalidInput):
        await checked_base_url(
            "https://host/v1", private=True, resolve=at("1.1.1.1", "169.254.169.254")
        )


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/v1", "http://0x7f000001/v1", "http://0177.0.0.1/v1", "http://127.1/v1",
        "http://localhost/v1", "http://[::1]/v1", "http://[::ffff:127.0.0.1]/v1",
    ],
)  # fmt: skip
async def test_this_host_is_recognised_in_every_spelling(url: str) -> None:
    with pytest.raises(InvalidInput, match="private"):
        await checked_base_url(url, private=False, resolve=resolve)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://host/v1", "http://"),
        ("file:///etc/passwd", "http://"),
        ("gopher://host", "http://"),
        ("//host/v1", "http://"),
        ("host/v1", "http://"),
        ("", "http://"),
        ("http://", "no host"),
        ("http:///v1", "no host"),
        ("http://user:secret@host/v1", "password"),
        ("http://user@host/v1", "password"),
        ("http://host/v1?x=1", "path"),
        ("http://host/v1#x", "path"),
        ("http://host\\@evil/v1", "password"),
        ("http://host/v1\r\nx: y", "ASCII"),
        ("http://ho st/v1", "ASCII"),
        ("http://h\u00f6st/v1", "ASCII"),
        ("http://host:99999/v1", "not a URL"),
        ("http://host:abc/v1", "not a URL"),
        ("http://[::1/v1", "not a URL"),
    ],
)
async def test_a_base_url_is_plain(url: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        await checked_base_url(url, private=True, resolve=at("1.1.1.1"))


async def test_a_name_that_nobody_knows_is_refused_with_a_reason() -> None:
    async def nobody(host: str, port: int) -> tuple[str, ...]:
        raise OSError("Name or service not known")

    with pytest.raises(InvalidInput, match="cannot be resolved"):
        await checked_base_url("http://nope.invalid/v1", private=True, resolve=nobody)
