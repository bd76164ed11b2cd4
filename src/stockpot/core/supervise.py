"""Keeping a table of child processes alive. Knows processes, probes and logs; knows no capability.

Children die with their supervisor: on Linux the kernel sends them their stop signal, elsewhere they
watch their parent. Each writes to `<logs>/<name>.log` by a descriptor of its own, so that neither a
slow disk nor the supervisor's death stops it. `<run>/supervisor.json` always tells the present
states.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

if TYPE_CHECKING:
    import ssl

States = Literal["running", "starting", "backing-off", "stopped"]

_LOOK_EVERY_S = 0.25
_TIED = """\
import ctypes, os, signal, sys
signo, parent, *argv = sys.argv[1:]
ctypes.CDLL(None).prctl(1, ctypes.c_ulong(int(signo)), 0, 0, 0)
if os.getppid() != int(parent): sys.exit("its supervisor is gone")
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
try: os.execvp(argv[0], argv)
except OSError as bad: sys.stderr.write(f"cannot run {argv[0]!r}: {bad}\\n"); os._exit(127)
"""  # PR_SET_PDEATHSIG survives exec; a preexec_fn would not be safe beside threads


class Ready(msgspec.Struct, frozen=True):
    """What shows that a process works: a file that it writes, a URL that answers 200, or both."""

    url: str = ""
    file: Path | None = None


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the process table.

    `after` names processes whose first readiness is awaited (a process that keeps crashing is not
    waited for); at shutdown, lower `stop_order` goes first and equal ones go together. A process
    with `wanted` is started when that file is there, and left alone when it ended in order and the
    file is gone.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    ready: Ready | None = None
    ready_timeout_s: float = 120.0
    restart: Literal["always", "failure", "never"] = "always"
    after: tuple[str, ...] = ()
    wanted: Path | None = None
    stop_order: int = 0
    stop_signal: int = signal.SIGTERM
    grace_s: float = 10.0


class State(msgspec.Struct, frozen=True):
    """What a process is doing, since when, and how it last ended (empty: it never did)."""

    name: str
    pid: int | None
    state: States
    restarts: int
    since_ms: float
    last_exit: str


class Backoff(msgspec.Struct, frozen=True):
    """Seconds before a restart: doubling, with jitter; forgotten after `healthy_s` of running."""

    first_s: float = 0.2
    most_s: float = 30.0
    healthy_s: float = 10.0

    def delay(self, failures: int) -> float:
        longest = min(self.most_s, self.first_s * float(2 ** min(failures, 16)))
        return longest * random.uniform(0.5, 1.0)  # noqa: S311


class Logs(msgspec.Struct, frozen=True):
    """Where output goes and how much of it is kept: `name.log`, `name.log.1`, ... `.keep`."""

    folder: Path
    max_bytes: int = 10 * 1024 * 1024
    keep: int = 3

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def tail(self, name: str, lines: int = 5) -> list[str]:
        """The last lines that a process wrote."""
        with suppress(FileNotFoundError), self.path(name).open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            return log.read().decode("utf-8", "replace").splitlines()[-lines:]
        return []

    def rotate(self, name: str) -> None:
        """Copy and truncate, since the writer appends and keeps its descriptor."""
        path = self.path(name)
        if not path.exists() or path.stat().st_size <= self.max_bytes:
            return
        for i in range(self.keep - 1, 0, -1):
            with suppress(FileNotFoundError):
                path.with_name(f"{path.name}.{i}").replace(path.with_name(f"{path.name}.{i + 1}"))
        with suppress(OSError):  # on a full disk the old lines go, and make room
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
        os.truncate(path, 0)


class Supervisor:
    """Runs the rows while its `async with` block lasts; leaving the block drains them in order.

    The first SIGINT, SIGTERM or SIGHUP ends `stopped()`, the second kills what is still there.
    `lifeline` is a descriptor that every child inherits, such as a lock's.
    """

    def __init__(
        self,
        rows: Iterable[Process],
        *,
        run: Path,
        logs: Logs,
        backoff: Backoff | None = None,
        lifeline: int | None = None,
        on_change: Callable[[State], None] | None = None,
    ) -> None:
        self._file = run / "supervisor.json"
        self._logs = logs
        self._on_change = on_change
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._children = {
            row.name: _Child(row, self, backoff or Backoff(), lifeline) for row in rows
        }
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def states(self) -> list[State]:
        return [child.state for child in self._children.values() if not child.resting]

    async def __aenter__(self) -> Supervisor:
        loop = asyncio.get_running_loop()
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(signo, self.stop)
        self._tasks = [asyncio.create_task(child.keep()) for child in self._children.values()]
        self._tasks.append(asyncio.create_task(self._rotate()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stop.set()
        for order in sorted({child.row.stop_order for child in self._children.values()}):
            group = [c for c in self._children.values() if c.row.stop_order == order]
            await asyncio.gather(*(child.end() for child in group))
        self._tasks.pop().cancel()
        await asyncio.gather(*self._tasks)
        for signo in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(signo)

    def stop(self) -> None:
        """Ask for the drain; asked a second time, kill."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    @property
    def stopping(self) -> bool:
        """Whether the end was asked for."""
        return self._stop.is_set()

    async def stopped(self) -> None:
        """Returns when a signal or `stop` asked for the end."""
        await self._stop.wait()

    async def ready(self, timeout_s: float = 60.0) -> list[str]:
        """Wait for every row's first readiness; gives the names that are not ready.

        Returns early when the end is asked for, and does not wait for a row that crashed three
        times without having been ready.
        """
        await _first(self.settled(self._children), self._stop.wait(), timeout_s=timeout_s)
        return [name for name, child in self._children.items() if not child.was_ready]

    async def settled(self, names: Iterable[str]) -> None:
        for name in names:
            await self._children[name].settled.wait()

    def changed(self, state: State) -> None:
        """Publish the states, atomically, and tell whoever listens."""
        draft = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        with suppress(OSError):  # a full disk must not stop the supervision
            draft.write_bytes(msgspec.json.encode(self.states))
            draft.replace(self._file)
        if self._on_change is not None:
            self._on_change(state)

    @property
    def logs(self) -> Logs:
        return self._logs

    @property
    def hurry(self) -> asyncio.Event:
        return self._hurry

    async def _rotate(self) -> None:
        while True:
            for name in self._children:
                self._logs.rotate(name)
            await asyncio.sleep(2)


class _Child:
    """One row and the process that runs for it; only `keep` starts and ends processes."""

    def __init__(
        self, row: Process, owner: Supervisor, backoff: Backoff, lifeline: int | None
    ) -> None:
        self.row = row
        self.state = State(row.name, None, "starting", 0, time.time() * 1000, "")
        self.resting = row.wanted is not None
        """Not wanted now: it is not spoken of."""
        self.settled = asyncio.Event()
        self.was_ready = self.resting
        self._owner = owner
        self._backoff = backoff
        self._fds = () if lifeline is None else (lifeline,)
        self._ending = asyncio.Event()
        self._ended = asyncio.Event()
        self._too_late = False
        self._last_exit = ""

    async def end(self) -> None:
        self._ending.set()
        await self._ended.wait()

    async def keep(self) -> None:
        """Start, watch and restart until `end`."""
        failures = 0
        await self._before_first()
        while not self._ending.is_set():
            await self._wanted()
            if self._ending.is_set():
                break
            began = time.monotonic()
            code = await self._live()
            if self._ending.is_set() or not self._again(code):
                break
            if code == 0 and self.row.wanted is not None:
                failures = 0
                continue
            healthy = time.monotonic() - began >= self._backoff.healthy_s
            failures = 0 if healthy else failures + 1
            if failures >= 3:
                self.settled.set()
            self._show("backing-off", None, restarts=self.state.restarts + 1)
            await self._pause(self._backoff.delay(failures))
        self.settled.set()
        self._show("stopped", None)
        self._ended.set()

    async def _wanted(self) -> None:
        """Wait until somebody wants it."""
        if self.row.wanted is None:
            return
        if not self._is_wanted():
            self.resting = True
            self._owner.changed(self.state)
        while not self._ending.is_set() and not self._is_wanted():
            await self._pause(_LOOK_EVERY_S)
        self.resting = False

    def _is_wanted(self) -> bool:
        return self.row.wanted is not None and self.row.wanted.exists()

    async def _before_first(self) -> None:
        if self.resting:
            self.settled.set()
            return
        self._show("starting", None)
        await _first(self._owner.settled(self.row.after), self._ending.wait())

    def _again(self, code: int) -> bool:
        return self.row.restart == "always" or (self.row.restart == "failure" and code != 0)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), seconds)

    async def _live(self) -> int:
        """One life of the process; gives its exit code."""
        try:
            process = await self._spawn()
        except OSError as bad:
            self._last_exit = f"cannot start: {bad}"
            return 127
        self._too_late = False
        self._show("starting", process.pid)
        probe = asyncio.create_task(self._await_ready(process.pid))
        await _first(process.wait(), self._ending.wait())
        probe.cancel()
        if process.returncode is None:
            await self._ask_to_end(process)
        code = await process.wait()
        _kill_group(process.pid)  # what it started must not keep its port
        self._last_exit = self._how(code)
        return code

    async def _spawn(self) -> asyncio.subprocess.Process:
        if self.row.ready is not None and self.row.ready.file is not None:
            self.row.ready.file.unlink(missing_ok=True)
        argv: tuple[str, ...] = self.row.argv
        if sys.platform == "linux":
            tie = (str(int(self.row.stop_signal)), str(os.getpid()))
            argv = (sys.executable, "-I", "-S", "-c", _TIED, *tie, *argv)
        with self._owner.logs.path(self.row.name).open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *argv,
                env={**os.environ, **self.row.env},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self._fds,
                process_group=0,  # a terminal's Ctrl-C reaches the supervisor alone
            )

    async def _await_ready(self, pid: int) -> None:
        deadline = time.monotonic() + self.row.ready_timeout_s
        pause = 0.02
        while not await _is_ready(self.row.ready):
            if time.monotonic() > deadline:
                self._too_late = True
                _kill_group(pid)
                return
            await asyncio.sleep(pause)
            pause = min(0.5, pause * 1.3)
        self.was_ready = True
        self.settled.set()
        self._show("running", pid)

    async def _ask_to_end(self, process: asyncio.subprocess.Process) -> None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, self.row.stop_signal)
        await _first(process.wait(), self._owner.hurry.wait(), timeout_s=self.row.grace_s)
        if process.returncode is None:
            _kill_group(process.pid)

    def _how(self, code: int) -> str:
        if self._too_late:
            return f"killed: not ready within {self.row.ready_timeout_s:g} s"
        return f"exit code {code}" if code >= 0 else f"killed by {signal.Signals(-code).name}"

    def _show(self, state: States, pid: int | None, *, restarts: int | None = None) -> None:
        old = self.state
        self.state = State(
            name=self.row.name,
            pid=pid,
            state=state,
            restarts=old.restarts if restarts is None else restarts,
            since_ms=old.since_ms if state == old.state else time.time() * 1000,
            last_exit=self._last_exit,
        )
        self._owner.changed(self.state)


async def _first(*things: Coroutine[Any, Any, object], timeout_s: float | None = None) -> None:
    """Wait until one of them is done, or for so long; what is not done then is cancelled."""
    tasks = [asyncio.ensure_future(thing) for thing in things]
    await asyncio.wait(tasks, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _kill_group(pid: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


async def _is_ready(ready: Ready | None) -> bool:
    if ready is None:
        return True
    if ready.file is not None and not ready.file.exists():
        return False
    return not ready.url or await _answers(ready.url)


async def _answers(url: str) -> bool:
    """One GET; an HTTP client library would cost more start time than all else here."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection(
                parts.hostname,
                parts.port or 80,
                ssl=_trusting() if parts.scheme == "https" else None,
            )
            head = f"GET {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
            writer.write(f"{head}connection: close\r\n\r\n".encode("ascii"))
            status = (await reader.readline()).split(b" ")
            writer.close()
    except (OSError, TimeoutError, ValueError):
        return False
    return status[1:2] == [b"200"]


def _trusting() -> ssl.SSLContext:
    """Our own port on our own host: whether it answers is asked, not who it is."""
    import ssl

    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
