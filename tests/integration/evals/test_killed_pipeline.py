"""A pipeline whose process is killed goes on where it was."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from stockpot.access import SYSTEM
from tests.integration.control.plane import running
from tests.integration.evals.checks import listening, ok, worked
from tests.integration.evals.stand_in import StandIn
from tests.integration.evals.test_jobs_process import process, until
from tests.integration.evals.test_watching import PIPELINE, prepared, pytestmark, states

__all__ = ["pytestmark"]
ROWS = 40
LINES = [f'{{"id": "r{n}", "input": {{"dish": "soup {n}"}}}}\n' for n in range(ROWS)]


async def test_after_kill_9_finished_steps_are_not_repeated_and_no_call_is_asked_for_thrice(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "home" / "pipelines"
    async with (
        StandIn(took_s=0.05, most=4) as gateway,
        running(tmp_path / "home") as plane,
        listening(plane),
    ):
        admin = await prepared(plane, folder)
        gateway.says = lambda _: "The soup."
        (folder / "dishes.jsonl").write_text("".join(LINES))
        check = await ok(admin, "PUT", "/pipelines", PIPELINE)
        run = await ok(admin, "POST", f"/checks/{check['id']}/runs")

        first = await process(tmp_path / "home", gateway.port)
        await until(lambda: asyncio.sleep(0, gateway.calls > ROWS // 4))
        first.send_signal(signal.SIGKILL)
        await first.wait()
        cut_off = await ok(admin, "GET", f"/check-runs/{run['id']}")
        assert states(cut_off) == ["done", "running", "waiting", "waiting"]
        asked = gateway.calls

        await worked(plane, gateway, folder)
        told = await ok(admin, "GET", f"/check-runs/{run['id']}")
        assert states(told) == ["done"] * 4, told["words"]
        before, after = cut_off["result"]["steps"], told["result"]["steps"]
        assert after[0] == before[0], "the data set was not read in again"
        assert after[1]["ref"] == before[1]["ref"], "the evaluation went on, it did not start anew"
        assert len(await ok(admin, "GET", "/evals/runs")) == 1
        assert len(await ok(admin, "GET", "/datasets/dishes/versions?project=default")) == 1
        assert ROWS <= gateway.calls <= ROWS + gateway.most + 8, asked
        assert max(gateway.asked.values()) <= 2
        history = await plane.app.state.control.prompts.labels.history(
            SYSTEM, "default", "menu", None, 10
        )
        assert [(move.before, move.after) for move in history] == [(None, 1)]
