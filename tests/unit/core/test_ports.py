"""Who listens on a port."""

from __future__ import annotations

import os
import socket
import sys

import pytest

from stockpot.core.ports import free, owner


def test_a_port_is_free_until_somebody_listens_on_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not free("127.0.0.1", port)
        assert not free("0.0.0.0", port)
    assert free("127.0.0.1", port)


def test_a_port_shared_by_gateway_workers_counts_as_taken() -> None:
    with socket.socket() as worker:
        worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        worker.bind(("127.0.0.1", 0))
        worker.listen()
        assert not free("127.0.0.1", worker.getsockname()[1])


def test_an_address_of_another_machine_is_an_error_not_a_taken_port() -> None:
    with pytest.raises(OSError, match=r"."):
        free("192.0.2.1", 4000)


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_the_owner_of_a_port_is_named_with_its_command() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = owner(server.getsockname()[1])
    assert found is not None
    assert found.pid == os.getpid()
    assert "python" in found.command


def test_a_free_port_has_no_owner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert owner(port) is None
