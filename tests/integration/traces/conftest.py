"""Gives tests of the span log's routes and commands a control plane over a log with a few calls."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import httpx
import pytest

from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.client import Client
from stockpot.core.inprocess import InProcess
from stockpot.core.instance import Instance
from stockpot.traces import SpanLog, open_span_log
from tests.unit.traces.made import make_shipment, make_shipped

FAILED = {"error": "timeout", "status": 504, "cost_nano": None}
ITEMS = (
    make_shipped(1, said=("what soup today", "leek soup"), tags=("lunch",)),
    make_shipped(2, said=("and tomorrow", "pea soup"), key_id="key_b", user="u1", session="s1"),
    make_shipped(3, project="till", **FAILED),
    make_shipped(4, said=("thanks", "enjoy"), cost_nano=2_500_000),
)


@dataclasses.dataclass
class Asked:
    """A control plane in this process, somebody to ask it, and the log behind it."""

    client: Client
    http: httpx.Client
    log: SpanLog
    instance: Instance
    followed: SpanLog
    """The log as the control plane reads it."""


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """Four calls: two of them about soup, one failed, all of the project `menu` but that one."""
    home = tmp_path_factory.mktemp("home")
    settings = config.load({"STOCKPOT_HOME": str(home)}).replaced(discover=False)
    instance = Instance(home)
    log = open_span_log(instance)
    log.ingest(make_shipment(*ITEMS))
    app = control_app(settings, instance)
    transport = InProcess(app)
    token = instance.derive("cli")
    client = Client("http://stockpot.local", token, transport=transport)
    http = httpx.Client(
        transport=transport,
        base_url="http://stockpot.local",
        headers={"authorization": f"Bearer {token}"},
    )
    yield Asked(client, http, log, instance, app.state.control.spans)
    client.close()
    log.close()
