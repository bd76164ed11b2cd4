"""A name that points into a private network is refused when the connection is made."""

import pytest

from stockpot.gateway.http.upstream import Origin
from stockpot.worker import upstream_filter


@pytest.mark.parametrize(
    ("host", "address", "private", "allowed"),
    [
        ("api.vendor.test", "93.184.216.34", False, True),
        ("api.vendor.test", "169.254.169.254", True, False),
        ("api.vendor.test", "::ffff:169.254.169.254", True, False),
        ("api.vendor.test", "10.1.2.3", False, False),
        ("api.vendor.test", "10.1.2.3", True, True),
        ("127.0.0.1", "127.0.0.1", False, True),
    ],
)
def test_a_resolved_address_is_looked_at_again(
    host: str, address: str, private: bool, allowed: bool
) -> None:
    look = upstream_filter(private=private)
    assert look(Origin("https", host, 443), address) is allowed
