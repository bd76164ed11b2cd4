"""A process that is started when somebody wants it, and rests when it ended in order."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from stockpot.core.supervise import Logs, Process, Supervisor

pytestmark = pytest.mark.integration


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.02)


async def test_it_starts_when_it_is_wanted_and_is_not_spoken_of_before(tmp_path: Path) -> None:
    wanted, began = tmp_path / "wanted", tmp_path / "began"
    code = (
        f"import pathlib; pathlib.Path({str(began)!r}).open('a').write('x'); "
        f"pathlib.Path({str(wanted)!r}).unlink()"
    )
    row = Process(name="jobs", argv=(sys.executable, "-c", code), wanted=wanted)
    async with Supervisor([row], run=tmp_path, logs=Logs(tmp_path)) as supervisor:
        assert await supervisor.ready(5) == []
        assert supervisor.states == []
        for times in (1, 2):
            wanted.touch()
            await until(lambda n=times: began.exists() and len(began.read_text()) == n)
            await until(lambda: supervisor.states == [])
