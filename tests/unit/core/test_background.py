"""Work beside requests goes on after a failure, and ends when it is told to."""

from __future__ import annotations

import asyncio
import logging

import pytest

from stockpot.core.background import kept_going


async def test_work_that_fails_begins_anew_is_told_in_the_log_and_can_be_cancelled(
    caplog: pytest.LogCaptureFixture,
) -> None:
    began, waiting = 0, asyncio.Event()

    async def work() -> None:
        nonlocal began
        began += 1
        if began < 3:
            raise OSError("no space left on device")
        waiting.set()
        await asyncio.Event().wait()

    with caplog.at_level(logging.ERROR, "stockpot.background"):
        task = asyncio.create_task(kept_going("retention", work, pause_s=0))
        await asyncio.wait_for(waiting.wait(), 30)
    assert began == 3
    assert [record.getMessage()[:16] for record in caplog.records] == ["retention failed"] * 2
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_that_ends_by_itself_is_over() -> None:
    ended = []

    async def work() -> None:
        ended.append(True)

    await kept_going("OTLP over gRPC", work)
    assert ended == [True]
