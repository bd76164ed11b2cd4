"""The process table of an instance."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from stockpot.core import config
from stockpot.core.instance import Instance
from stockpot.core.processors import worker_count
from stockpot.core.urls import console_url, gateway_url
from stockpot.engines import EngineCommand
from stockpot.up.table import process_table

if TYPE_CHECKING:
    from pathlib import Path

    from stockpot.core.config import Settings


def settings_of(home: Path, **more: str) -> Settings:
    environ = {"STOCKPOT_HOME": str(home), **{f"STOCKPOT_{k.upper()}": v for k, v in more.items()}}
    return config.load(environ)


def test_workers_stop_first_and_engines_last(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, workers="2")
    engine = EngineCommand("echo", (sys.executable, "-c", ""), {"A": "1"})
    rows = process_table(settings, Instance(tmp_path), [engine])
    assert [row.name for row in sorted(rows, key=lambda row: row.stop_order)] == [
        "jobs", "worker-0", "worker-1", "shipper", "ingest", "control", "engine-echo",
    ]  # fmt: skip


def test_every_process_gets_the_settings_and_an_engine_its_own_environment(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, workers="1", gateway_port="4321")
    engine = EngineCommand("echo", (sys.executable, "-c", ""), {"A": "1"})
    rows = process_table(settings, Instance(tmp_path), [engine])
    assert all(row.env["STOCKPOT_GATEWAY_PORT"] == "4321" for row in rows)
    assert all(row.env["STOCKPOT_HOME"] == str(tmp_path) for row in rows)
    assert [row.name for row in rows if "A" in row.env] == ["engine-echo"]


def test_a_draining_process_has_longer_than_its_calls_may_take(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, workers="1", drain_s="40")
    rows = {row.name: row for row in process_table(settings, Instance(tmp_path), [])}
    assert rows["worker-0"].grace_s > 40


def test_the_number_of_workers_is_the_setting_or_follows_the_cores(tmp_path: Path) -> None:
    assert worker_count(settings_of(tmp_path, workers="7")) == 7
    assert worker_count(settings_of(tmp_path)) >= 1


def test_an_address_that_means_everywhere_is_reached_on_loopback(tmp_path: Path) -> None:
    assert gateway_url(settings_of(tmp_path, host="0.0.0.0")) == "http://127.0.0.1:4000"
    assert console_url(settings_of(tmp_path, host="::")) == "http://[::1]:4001"


def test_a_certificate_makes_the_gateway_https(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, tls_cert="c.pem", tls_key="k.pem")
    assert gateway_url(settings) == "https://127.0.0.1:4000"
