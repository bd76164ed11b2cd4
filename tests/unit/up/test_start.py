"""One instance per home, and clear words about taken ports."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from stockpot.core import config
from stockpot.core.errors import Conflict, Unavailable
from stockpot.core.instance import Instance
from stockpot.core.locks import hold
from stockpot.up.start import alone, check_ports

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_start_is_told_which_process_runs(tmp_path: Path) -> None:
    settings, instance = config.load({"STOCKPOT_HOME": str(tmp_path)}), Instance(tmp_path)
    with (
        alone(settings, instance, print),
        pytest.raises(Conflict, match=f"as process {os.getpid()}") as refused,
        alone(settings, instance, print),
    ):
        pass
    assert "stockpot down" in refused.value.hint


def test_a_start_waits_for_processes_of_an_earlier_run_and_says_so(tmp_path: Path) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DRAIN_S": "-9.5"})
    instance, said = Instance(tmp_path), []
    with (
        hold(instance.run / "children.lock"),
        pytest.raises(Unavailable, match="do not end"),
        alone(settings, instance, said.append),
    ):
        pass
    assert said == ["Waiting for processes of an earlier run to finish their calls ..."]


@pytest.mark.parametrize("setting", ["GATEWAY_PORT", "PORT"])
def test_a_taken_port_is_an_error_that_says_who_and_what_to_do(
    tmp_path: Path, setting: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        ports = {"GATEWAY_PORT": other.getsockname()[1], "PORT": other.getsockname()[1]}
        other.close()
        port = ports[setting] = server.getsockname()[1]
        settings = config.load(
            {"STOCKPOT_HOME": str(tmp_path), **{f"STOCKPOT_{k}": str(v) for k, v in ports.items()}}
        )
        with pytest.raises(Conflict, match=f"port {port}.*process {os.getpid()}") as refused:
            check_ports(settings)
    assert refused.value.hint == f"STOCKPOT_{setting}={port + 10} stockpot up"


def test_an_address_that_is_not_ours_is_named(tmp_path: Path) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_HOST": "192.0.2.1"})
    with pytest.raises(Conflict, match=r"192\.0\.2\.1"):
        check_ports(settings)
