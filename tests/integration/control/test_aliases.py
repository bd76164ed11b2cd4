"""Defining how a route chooses, from the command line to the snapshot that workers get."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from stockpot.app import control_app
from stockpot.catalog.cli import aliases, providers
from stockpot.core import config
from stockpot.core.client import Client
from stockpot.core.instance import Instance

pytestmark = pytest.mark.integration


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DISCOVER": "no"})
    instance = Instance(settings.home)
    with Client.open(settings, instance, lambda: control_app(settings, instance)) as opened:
        yield opened


def test_a_route_keeps_how_it_chooses(client: Client) -> None:
    def run(group: object, *arguments: str) -> str:
        done = CliRunner().invoke(group, arguments, obj=client, catch_exceptions=False)  # type: ignore[arg-type]
        assert done.exit_code == 0, done.output
        return done.stdout

    run(
        providers, "connect", "lab", "--vendor", "vllm", "--base-url", "http://127.0.0.1:9/v1",
        "--model", "m", "--model", "new",
    )  # fmt: skip
    run(
        aliases, "set", "fast", "--target", "lab/m=3", "--target", "lab/new=0",
        "--strategy", "least_latency", "--sticky", "session", "--hedge", "0.1",
        "--rule", "beta: header:X-Beta=yes => lab/new", "--shadow", "lab/new=0.5",
    )  # fmt: skip
    (alias,) = json.loads(run(aliases, "list", "--json"))
    assert (alias["strategy"], alias["sticky"], alias["degrade"]) == (
        "least_latency", "session", "hints",
    )  # fmt: skip
    assert alias["hedge"] == {"share": 0.1, "min_ms": 20, "max_ms": 10_000, "burst": 5.0}
    assert alias["shadow"]["share"] == 0.5
    (rule,) = alias["rules"]
    assert (rule["name"], rule["targets"], rule["only"]) == ("beta", ["lab/new"], True)
    assert [target["breaker"] for target in alias["targets"]] == ["closed", "closed"]
    run(aliases, "set", "fast", "--target", "lab/m")
    (alias,) = json.loads(run(aliases, "list", "--json"))
    assert (alias["strategy"], alias["rules"], alias["hedge"]) == ("weighted", [], None)
    refused = CliRunner().invoke(aliases, ["move", "fast", "--target", "/m"], obj=client)
    assert str(refused.exception).startswith("targets.0.provider: must have at least 1 character")
