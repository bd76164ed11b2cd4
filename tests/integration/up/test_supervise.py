"""The supervisor with real child processes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from stockpot.core.locks import hold, holder
from stockpot.core.supervise import Backoff, Logs, Process, Ready, State, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.integration

QUICK = Backoff(first_s=0.02, most_s=0.1, healthy_s=10)
SLEEP = "import time; time.sleep(60)"


def python(name: str, code: str, **fields: Any) -> Process:
    argv = (sys.executable, "-I", "-S", "-u", "-c", textwrap.dedent(code))
    return Process(name=name, argv=argv, **fields)


def supervisor(tmp_path: Path, *rows: Process, **options: Any) -> Supervisor:
    return Supervisor(rows, run=tmp_path, logs=Logs(tmp_path), **{"backoff": QUICK, **options})


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_killed_process_is_started_again_and_the_state_file_says_so(
    tmp_path: Path,
) -> None:
    async with supervisor(tmp_path, python("a", SLEEP)) as sup:
        assert await sup.ready(10) == []
        first = sup.states[0].pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: sup.states[0].restarts == 1 and sup.states[0].state == "running")
        (told,) = json.loads((tmp_path / "supervisor.json").read_bytes())
        assert told["pid"] not in (None, first)
        assert told["last_exit"] == "killed by SIGKILL"
        assert told["restarts"] == 1
        assert abs(told["since_ms"] / 1000 - time.time()) < 10
    (told,) = json.loads((tmp_path / "supervisor.json").read_bytes())
    assert (told["state"], told["pid"], told["last_exit"]) == ("stopped", None, "killed by SIGTERM")


async def test_a_process_that_keeps_crashing_backs_off_and_does_not_hold_up_the_others(
    tmp_path: Path,
) -> None:
    rows = (
        python(
            "bad",
            "print('no such model'); raise SystemExit(3)",
            ready=Ready(url="http://x.invalid"),
        ),
        python("good", SLEEP, after=("bad",)),
    )
    async with supervisor(tmp_path, *rows) as sup:
        assert await sup.ready(10) == ["bad"]
        bad, good = sup.states
        assert bad.restarts >= 2
        assert bad.last_exit == "exit code 3"
        assert good.state == "running"
        assert sup.logs.tail("bad", 1) == ["no such model"]


async def test_restart_policies_decide_who_is_started_again(tmp_path: Path) -> None:
    rows = (
        python("never", "raise SystemExit(1)", restart="never"),
        python("failure-ok", "", restart="failure"),
        python("failure-bad", "raise SystemExit(1)", restart="failure"),
    )
    async with supervisor(tmp_path, *rows) as sup:
        await until(lambda: sup.states[2].restarts >= 2)
        never, ok, _ = sup.states
        assert (never.state, never.restarts, never.last_exit) == ("stopped", 0, "exit code 1")
        assert (ok.state, ok.restarts, ok.last_exit) == ("stopped", 0, "exit code 0")


async def test_a_process_is_running_once_its_url_answers(tmp_path: Path) -> None:
    server = """
        import http.server, pathlib, sys, time
        class H(http.server.BaseHTTPRequestHandler):
            asked = 0
            def do_GET(self):
                H.asked += 1
                self.send_response(503 if H.asked < 3 else 200); self.end_headers()
        s = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), H)
        s.serve_forever()
    """
    port = free_port()
    row = python("web", server, ready=Ready(url=f"http://127.0.0.1:{port}/readyz"))
    row = Process(name="web", argv=(*row.argv, str(port)), ready=row.ready)
    seen: list[str] = []
    async with supervisor(tmp_path, row, on_change=lambda s: seen.append(s.state)) as sup:
        assert await sup.ready(20) == []
        assert sup.logs.path("web").read_text().count('"GET /readyz') == 3
    assert [s for i, s in enumerate(seen) if i == 0 or seen[i - 1] != s] == [
        "starting", "running", "stopped",
    ]  # fmt: skip


async def test_an_old_announcement_does_not_make_a_new_process_ready(tmp_path: Path) -> None:
    file = tmp_path / "ingest.json"
    file.write_text("{}")
    row = python("ingest", SLEEP, ready=Ready(file=file), ready_timeout_s=0.5)
    async with supervisor(tmp_path, row) as sup:
        assert await sup.ready(0.3) == ["ingest"]
        await until(lambda: sup.states[0].last_exit == "killed: not ready within 0.5 s")


async def test_a_process_is_running_once_it_has_announced_itself(tmp_path: Path) -> None:
    file = tmp_path / "ingest.json"
    row = python(
        "ingest", f"open({str(file)!r}, 'w').write('{{}}'); {SLEEP}", ready=Ready(file=file)
    )
    async with supervisor(tmp_path, row) as sup:
        assert await sup.ready(10) == []


async def test_a_process_waits_for_those_it_comes_after(tmp_path: Path) -> None:
    file = tmp_path / "base.json"
    slow = f"import time; time.sleep(.3); open({str(file)!r}, 'w').close(); time.sleep(60)"
    order: list[tuple[str, str]] = []
    rows = (python("b", SLEEP, after=("a",)), python("a", slow, ready=Ready(file=file)))
    async with supervisor(
        tmp_path, *rows, on_change=lambda s: order.append((s.name, s.state))
    ) as sup:
        assert await sup.ready(10) == []
    assert order.index(("a", "running")) < order.index(("b", "running"))


async def test_the_drain_goes_by_stop_order_and_waits_for_each_group(tmp_path: Path) -> None:
    drains = """
        import signal, sys, time
        def end(*_): time.sleep(.2); print("drained"); sys.exit(0)
        signal.signal(signal.SIGTERM, end)
        open(sys.argv[1], "w").close()
        time.sleep(60)
    """
    rows = []
    for name, stop_order in (("engine", 4), ("worker-0", 0), ("worker-1", 0), ("control", 3)):
        row = python(name, drains, stop_order=stop_order, ready=Ready(file=tmp_path / f"{name}.ok"))
        rows.append(
            Process(name=name, argv=(*row.argv, str(tmp_path / f"{name}.ok")), ready=row.ready,
                    stop_order=stop_order)
        )  # fmt: skip
    ended: list[str] = []

    def note(state: State) -> None:
        if state.state == "stopped":
            ended.append(state.name)

    async with supervisor(tmp_path, *rows, on_change=note) as sup:
        assert await sup.ready(10) == []
    assert set(ended[:2]) == {"worker-0", "worker-1"}
    assert ended[2:] == ["control", "engine"]
    assert all(s.last_exit == "exit code 0" for s in sup.states)
    assert sup.logs.tail("engine") == ["drained"]


STUBBORN = """
    import signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1], "w").close()
    time.sleep(60)
"""


def stubborn(tmp_path: Path, **fields: Any) -> Process:
    row = python("stubborn", STUBBORN)
    argv = (*row.argv, str(tmp_path / "ok"))
    return Process(name="stubborn", argv=argv, ready=Ready(file=tmp_path / "ok"), **fields)


async def test_a_process_that_ignores_its_stop_signal_is_killed_after_its_grace(
    tmp_path: Path,
) -> None:
    async with supervisor(tmp_path, stubborn(tmp_path, grace_s=0.2)) as sup:
        assert await sup.ready(10) == []
    assert sup.states[0].last_exit == "killed by SIGKILL"


async def test_the_second_signal_kills_at_once(tmp_path: Path) -> None:
    began = time.monotonic()
    async with supervisor(tmp_path, stubborn(tmp_path, grace_s=60)) as sup:
        assert await sup.ready(10) == []
        os.kill(os.getpid(), signal.SIGINT)
        await sup.stopped()
        asyncio.get_running_loop().call_later(0.2, os.kill, os.getpid(), signal.SIGINT)
    assert sup.states[0].last_exit == "killed by SIGKILL"
    assert time.monotonic() - began < 20


async def test_what_a_dead_process_had_started_goes_with_it(tmp_path: Path) -> None:
    parent = f"""
        import os, subprocess, sys, time
        p = subprocess.Popen([sys.executable, "-c", {SLEEP!r}])
        print(p.pid)
        time.sleep(60)
    """
    async with supervisor(tmp_path, python("a", parent)) as sup:
        await until(lambda: bool(sup.logs.tail("a")))
        grandchild = int(sup.logs.tail("a")[0])
        pid = sup.states[0].pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        await until(lambda: sup.states[0].restarts == 1)
        await until(lambda: not alive(grandchild) or zombie(grandchild))


def zombie(pid: int) -> bool:
    return ") Z " in Path(f"/proc/{pid}/stat").read_text("ascii")


async def test_a_command_that_does_not_exist_is_told_in_the_log(tmp_path: Path) -> None:
    async with supervisor(tmp_path, Process(name="a", argv=("/no/such/thing",))) as sup:
        await until(lambda: sup.states[0].restarts >= 1)
        assert sup.states[0].last_exit == "exit code 127"
        assert "cannot run '/no/such/thing'" in sup.logs.tail("a")[0]


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children on Linux alone")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    child = python("a", f"print('up', flush=True); {SLEEP}")
    code = f"""
        import asyncio, pathlib
        from stockpot.core.locks import hold
        from stockpot.core.supervise import Logs, Process, Supervisor
        async def main():
            home = pathlib.Path({str(tmp_path)!r})
            with hold(home / "children.lock") as fd:
                rows = [Process(name="a", argv={child.argv!r})]
                async with Supervisor(rows, run=home, logs=Logs(home), lifeline=fd) as sup:
                    await sup.stopped()
        asyncio.run(main())
    """
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)])
    try:
        wait_for(lambda: Logs(tmp_path).tail("a") == ["up"])
        parent.kill()
        parent.wait(60)
        wait_for(lambda: holder(tmp_path / "children.lock") is None)
    finally:
        parent.kill()
    with hold(tmp_path / "children.lock"):
        (state,) = json.loads((tmp_path / "supervisor.json").read_bytes())
        assert not alive(state["pid"]) or zombie(state["pid"])


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
