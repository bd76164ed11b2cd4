"""Starting an instance and keeping it alive until it is told to stop. Knows order, not looks."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import msgspec

from stockpot import __version__
from stockpot.core import ports
from stockpot.core.errors import Conflict, StockpotError, Unavailable
from stockpot.core.locks import Held, hold
from stockpot.core.supervise import Logs, State, Supervisor
from stockpot.core.urls import console_url, gateway_url
from stockpot.up.demo.seeding import SEEDED, seed
from stockpot.up.facts import Facts, try_to_ask

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from stockpot.core.config import Settings
    from stockpot.core.instance import Instance
    from stockpot.core.supervise import Process

Say = Callable[[str], None]

READY_S = 120.0
OPEN_FILES = 65536


@contextlib.contextmanager
def alone(settings: Settings, instance: Instance, say: Say) -> Iterator[int]:
    """Hold the instance; gives the descriptor that children inherit, so that a next start can tell
    when the last of them is gone. Raises Conflict."""
    with contextlib.ExitStack() as held:
        try:
            held.enter_context(hold(instance.run / "up.lock"))
        except Held as other:
            raise Conflict(
                f"stockpot already runs from {instance.home}, as process {other.pid}",
                hint="stockpot status; stockpot down; or STOCKPOT_HOME=... for a second instance",
            ) from None
        yield _after_orphans(held, settings, instance.run / "children.lock", say)


def _after_orphans(held: contextlib.ExitStack, settings: Settings, path: Path, say: Say) -> int:
    deadline = time.monotonic() + settings.drain_s + 10
    told = False
    while True:
        try:
            return held.enter_context(hold(path))
        except Held:
            if time.monotonic() > deadline:
                raise Unavailable(
                    "processes of an earlier run do not end", hint=f"fuser -k {path}"
                ) from None
        if not told:
            say("Waiting for processes of an earlier run to finish their calls ...")
            told = True
        time.sleep(0.1)


def check_ports(settings: Settings) -> None:
    """Raises Conflict that names who listens where this instance would."""
    for setting, port, what in (
        ("gateway_port", settings.gateway_port, "gateway"),
        ("port", settings.port, "console"),
    ):
        try:
            free = ports.free(settings.host, port)
        except OSError as bad:
            raise Conflict(
                f"cannot listen on STOCKPOT_HOST={settings.host!r}: {bad.strerror or bad}",
                hint="STOCKPOT_HOST=127.0.0.1 stockpot up",
            ) from None
        if not free:
            owner = ports.owner(port)
            who = f"process {owner.pid}: {owner.command}" if owner else "another process"
            raise Conflict(
                f"port {port}, wanted for the {what}, is taken by {who}",
                hint=f"STOCKPOT_{setting.upper()}={port + 10} stockpot up",
            )


def allow_many_connections() -> None:
    """Raise the soft limit of open files as far as this user may; children inherit it."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if most == resource.RLIM_INFINITY else min(OPEN_FILES, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))


async def run(
    settings: Settings,
    instance: Instance,
    rows: Sequence[Process],
    *,
    began: float,
    lifeline: int,
    notices: tuple[str, ...],
    say: Say,
    ready: Callable[[Facts], None],
    demo: bool = False,
) -> None:
    """Start the rows, tell when they are ready, keep them until a signal, drain. With `demo` the
    demo's project is made before.

    Raises Unavailable when no worker became ready: there is nothing to use then.
    """
    (instance.run / SEEDED).unlink(missing_ok=True)
    logs = Logs(instance.logs)
    journal = _Journal(instance, logs, say)
    async with Supervisor(
        rows, run=instance.run, logs=logs, lifeline=lifeline, on_change=journal.note
    ) as supervisor:
        late = await supervisor.ready(READY_S)
        if not supervisor.stopping:
            if not any(row.name.startswith("worker") and row.name not in late for row in rows):
                raise Unavailable(_why(late, logs), hint="stockpot doctor")
            notices += tuple(f"{name} is not ready: {_last(logs, name)}" for name in late)
            empty = _nothing_known(settings, instance, notices)
            away = "control" in late
            facts = await asyncio.to_thread(_facts, settings, instance, empty, away, demo)
            ready(_timed(facts, began))
            journal.loud = True
        await supervisor.stopped()
        journal.loud = False
        say("Stopping; calls in flight may finish. Ctrl-C again ends them.")


def _nothing_known(settings: Settings, instance: Instance, notices: tuple[str, ...]) -> Facts:
    return Facts(
        version=__version__,
        gateway_url=gateway_url(settings),
        console_url=settings.control_url or console_url(settings),
        notices=notices,
        home=str(instance.home),
        logs=str(instance.logs),
        pid=os.getpid(),
        seconds=0.0,
    )


def _facts(
    settings: Settings, instance: Instance, empty: Facts, control_is_away: bool, demo: bool
) -> Facts:
    from stockpot.core.client import Client

    if control_is_away or settings.control_url:
        return empty
    with Client(console_url(settings), instance.derive("cli")) as client:
        facts = try_to_ask(client, settings, instance, empty)
        if not demo:
            return facts
        try:
            return msgspec.structs.replace(facts, demo=seed(client, instance))
        except StockpotError as error:
            return msgspec.structs.replace(facts, notices=(*facts.notices, f"No demo: {error}"))


def _timed(facts: Facts, began: float) -> Facts:
    return msgspec.structs.replace(facts, seconds=round(time.time() - began, 2))


def _why(late: list[str], logs: Logs) -> str:
    told = [f"{name}: {_last(logs, name)}" for name in late]
    return "nothing can be served. " + "; ".join(told)


def _last(logs: Logs, name: str) -> str:
    """The last thing it said. Of a traceback, which may be half written, the line that names the
    error stands at the margin."""
    said = [line for line in logs.tail(name, 40) if line.strip()]
    lines = [x for x in said if x[0] not in " ^" and not x.startswith("Traceback")] or said
    return f"{lines[-1].strip()[:200]!r} (see {logs.path(name)})" if lines else str(logs.path(name))


class _Journal:
    """Each change of a process, as a line of `logs/supervisor.log`; crashes are said aloud too."""

    def __init__(self, instance: Instance, logs: Logs, say: Say) -> None:
        self._path = logs.path("supervisor")
        self._logs = logs
        self._say = say
        self.loud = False

    def note(self, state: State) -> None:
        line = {
            "at_ms": int(time.time() * 1000),
            "process": state.name,
            "state": state.state,
            "pid": state.pid,
            "restarts": state.restarts,
            "last_exit": state.last_exit,
        }
        with contextlib.suppress(OSError), self._path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        if self.loud and state.state == "backing-off":
            self._say(f"{state.name} ended ({state.last_exit}); starting it again.")
        elif self.loud and state.state == "running" and state.restarts:
            self._say(f"{state.name} is running again.")
