"""Records and spools for the tests of the spool."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stockpot.gateway.models import Record, Start
from stockpot.gateway.spool import Spool
from tests.unit.gateway_spool.made import make_record, make_start, record_of


@pytest.fixture
def starts() -> Callable[..., Start]:
    return make_start


@pytest.fixture
def records() -> Callable[..., Record]:
    return make_record


@pytest.fixture
def end_of() -> Callable[..., Record]:
    """A record that ends a given Start."""
    return record_of


@pytest.fixture
async def spools(tmp_path: Path) -> Any:
    """Opens spools below `tmp_path` and closes those that the test left open."""
    opened: list[Spool] = []

    def open_spool(stream: str = "host-0-1", **options: Any) -> Spool:
        options = {
            "fsync": "never", "payload_quota": 1 << 30, "ledger_quota": 1 << 30,
            "disk_reserve": 0, "loop": asyncio.get_running_loop(), **options,
        }  # fmt: skip
        spool = Spool.open(tmp_path, stream, **options)
        opened.append(spool)
        return spool

    yield open_spool
    for spool in opened:
        if not spool.closed:
            spool.close()


@pytest.fixture
def collected() -> list[Any]:
    """What callbacks put into it, in order."""
    return []
