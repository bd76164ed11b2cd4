"""How fast an evaluation is when nothing has to wait for a model, and how well it uses one.

    .venv/bin/python bench/evals.py [--rows 10000] [--json]

Starts a control plane and the process of jobs on a fresh home and times whole runs from the request
to `done`, in seconds and in CPU seconds of both processes: one whose answers are recorded in the
rows, and one whose answers are known from earlier calls. Then asks a stand-in for a gateway that
allows 16 calls at once, each of half a second, and tells the share of that which was in use, and
how many calls were turned away.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the stand-in is the tests'

from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.clock import now_ms
from stockpot.core.instance import Instance
from stockpot.evals import Row, SuiteSpec, store
from stockpot.evals.engine import Engine, Plan
from stockpot.evals.scorers import made
from stockpot.evals.targets import Answer, Gateway
from tests.integration.evals.stand_in import StandIn
from tests.unit.evals.kept import Kept

SCORERS = [{"use": "exact"}, {"use": "edit_distance"}, {"use": "regex",
           "options": {"pattern": "dish"}}]  # fmt: skip
LAB = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1", "models": ["m"],
       "secret": "sk-0000"}  # fmt: skip


def rows(count: int) -> list[dict[str, Any]]:
    return [
        {"id": f"r{n}", "input": {"text": f"describe dish {n}"}, "expected": f"A dish, number {n}.",
         "output": f"A dish, number {n}.", "metadata": {"kind": "soup" if n % 3 else "salad"}}
        for n in range(count)
    ]  # fmt: skip


class Took(NamedTuple):
    """How long a run took, and how much of the processors."""

    seconds: float
    cpu_s: float


class Bench:
    """A control plane in this process, and the process of jobs beside it."""

    def __init__(self, home: Path) -> None:
        settings = config.load({"STOCKPOT_HOME": str(home)}).replaced(discover=False)
        self.instance = Instance(home)
        self.app = control_app(settings, self.instance, watch=False)
        gc.freeze()  # as the control plane's own process does
        self.home = home

    @contextlib.asynccontextmanager
    async def open(self) -> Any:
        async with self.app.router.lifespan_context(self.app):
            transport = httpx.ASGITransport(self.app)
            token = self.instance.derive("cli")
            async with httpx.AsyncClient(
                transport=transport, base_url="http://bench", timeout=120,
                headers={"authorization": f"Bearer {token}"},
            ) as self.client:  # fmt: skip
                await self.ok("PUT", "/api/v1/providers/lab", LAB)
                environ = {**os.environ, "STOCKPOT_HOME": str(self.home)}
                jobs = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "stockpot.jobs", env=environ
                )
                self.jobs = jobs.pid
                while not (self.instance.run / "jobs.json").exists():
                    await asyncio.sleep(0.05)
                try:
                    yield
                finally:
                    jobs.terminate()
                    await jobs.wait()

    def cpu_s(self) -> float:
        """CPU seconds of the control plane and of the process of jobs so far."""
        stat = Path(f"/proc/{self.jobs}/stat").read_text("ascii").rpartition(")")[2].split()
        ticks = int(stat[11]) + int(stat[12])
        return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")

    async def ok(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.client.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def timed(self, target: dict[str, Any], digest: str) -> tuple[Took, Any]:
        """From the request to `done`, and the run."""
        spec = {"name": "bench", "target": target, "scorers": SCORERS,
                "slices": ["metadata.kind"]}  # fmt: skip
        began, used = time.perf_counter(), self.cpu_s()
        new = {"spec": spec, "rowset": digest}
        run = await self.ok("POST", "/api/v1/evals/runs", new)
        while run["state"] not in ("done", "failed"):
            await asyncio.sleep(0.1)
            run = await self.ok("GET", f"/api/v1/evals/runs/{run['id']}")
        assert run["state"] == "done", run["error"]
        assert run["progress"]["done"] == run["progress"]["rows"]
        assert run["metrics"][0]["value"] == 1.0
        return Took(time.perf_counter() - began, self.cpu_s() - used), run

    async def know(self, run: Any, made_rows: list[dict[str, Any]]) -> None:
        """Keep an answer for each call that a run will make."""
        caller = Gateway(SuiteSpec(**run["spec"]).target, httpx.AsyncClient(), "", run["arm"])
        answers = {}
        for told in made_rows:
            key = caller.key(Row(**told), 0)
            assert key is not None
            answer = Answer(output=told["output"], trace_id="0" * 31 + "1", latency_ms=1.0)
            answers[key] = store.deflated(msgspec.json.encode(answer))
        db = self.app.state.control.db
        keys = list(answers)
        for start in range(0, len(keys), 500):
            part = {key: answers[key] for key in keys[start : start + 500]}
            await db.write(lambda c, p=part: store.put_answers(c, "default", p, now_ms()))


async def passes(count: int) -> dict[str, float]:
    """Seconds of a run on recorded, and of one on known answers."""
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder) / "home")
        async with bench.open():
            made_rows = rows(count)
            kept = await bench.ok(
                "POST", "/api/v1/evals/rowsets", {"name": "bench", "rows": made_rows}
            )
            recorded, _ = await bench.timed({"kind": "recorded"}, kept["hash"])
            small = await bench.ok(
                "POST", "/api/v1/evals/rowsets", {"name": "one", "rows": made_rows[:1]}
            )
            target = {"kind": "model", "model": "m"}
            spec = {"name": "probe", "target": target, "scorers": SCORERS}
            new = {"spec": spec, "rowset": small["hash"]}
            probe = await bench.ok("POST", "/api/v1/evals/runs", new)
            await bench.ok("POST", f"/api/v1/evals/runs/{probe['id']}/cancel")
            await bench.know(probe, made_rows)
            known, run = await bench.timed(target, kept["hash"])
            assert run["progress"]["cached"] == count
    return {
        "recorded_s": recorded.seconds, "recorded_cpu_s": recorded.cpu_s,
        "known_s": known.seconds, "known_cpu_s": known.cpu_s,
    }  # fmt: skip


async def share(count: int = 320) -> dict[str, float]:
    """The share of a stand-in's places in use, from when all were first taken until the rows ran
    out."""
    spec = SuiteSpec(name="share", target={"kind": "model", "model": "m"}, scorers=SCORERS[:1])
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with StandIn(took_s=0.5, most=16) as gateway:
        kept = Kept()
        url = f"http://127.0.0.1:{gateway.port}"
        client = httpx.AsyncClient(base_url=url, timeout=60, trust_env=False, limits=limits)
        caller = Gateway(spec.target, client, "run_1", {})
        plan = Plan(spec, [Row(**row) for row in rows(count)])
        await Engine(plan, kept, caller, [made(s) for s in spec.scorers], kept).run()
        await client.aclose()
    return {"share": gateway.share_used(), "refused": gateway.refused, "calls": gateway.calls}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = {"rows": options.rows, **asyncio.run(passes(options.rows)), **asyncio.run(share())}
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for name, words in (("recorded", "recorded rows"), ("known", "known answers")):
        print(f"{options.rows} {words}  {found[f'{name}_s']:6.2f} s from request to metrics, "
              f"{found[f'{name}_cpu_s']:.2f} s of CPU")  # fmt: skip
    print(f"share of 16 places      {100 * found['share']:6.1f} %, {found['refused']:.0f} refused "
          f"in {found['calls']:.0f} calls")  # fmt: skip


if __name__ == "__main__":
    main()
