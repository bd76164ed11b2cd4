"""The commands `stockpot up`, `stockpot status` and `stockpot down`."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from typing import TYPE_CHECKING, Any

import click

from stockpot.core import certificates, config
from stockpot.core.errors import StockpotError, Unavailable
from stockpot.core.instance import Instance
from stockpot.core.locks import holder
from stockpot.core.terminal import json_option, print_json, show, when

if TYPE_CHECKING:
    from stockpot.up.facts import Facts


@click.command()
@json_option
@click.option("--pull/--no-pull", default=True, help="Fetch models that are wanted and missing.")
@click.option("--demo", is_flag=True, help="Set up a project with traffic and an experiment.")
def up(as_json: bool, pull: bool, demo: bool) -> None:
    """Start everything and print how to use it; Ctrl-C stops.

    Settings are environment variables (STOCKPOT_PORT) or [settings] in STOCKPOT_HOME/stockpot.toml.
    With --json one line of JSON is printed on standard output when the instance is ready.

    \b
    Example:
      stockpot up
      stockpot up --demo
      STOCKPOT_GATEWAY_PORT=4010 STOCKPOT_PORT=4011 stockpot up
    """
    from stockpot.core.processors import worker_count
    from stockpot.engines import plan, player
    from stockpot.up import start
    from stockpot.up.pull import pull_missing
    from stockpot.up.table import process_table

    settings = config.load()
    settings = settings.replaced(workers=worker_count(settings))
    instance = Instance(settings.home)
    _check_home(instance)
    start.allow_many_connections()
    with start.alone(settings, instance, _say) as lifeline:
        certificates.check(settings)
        start.check_ports(settings)
        whole = not settings.control_url  # else the models are where the control plane is
        notices = pull_missing(settings, instance, allowed=pull, say=_say) if whole else ()
        began = time.time()
        engines = (*plan(settings, instance), player(instance)) if whole else ()
        rows = process_table(settings, instance, engines, demo=demo and whole)
        running = start.run(
            settings,
            instance,
            rows,
            began=began,
            lifeline=lifeline,
            notices=notices,
            say=_say,
            ready=lambda facts: _ready(facts, as_json),
            demo=demo,
        )
        asyncio.run(running)
    _say(f"Goodbye. Everything is kept in {instance.home}")


@click.command()
@json_option
def status(as_json: bool) -> None:
    """Show the processes of the running instance; exit 1 when it does not run.

    \b
    Example:
      stockpot status
    """
    instance = Instance(config.load().home)
    pid = holder(instance.run / "up.lock")
    rows: list[dict[str, Any]] = _states(instance) if pid is not None else []
    if as_json:
        print_json({"running": pid is not None, "pid": pid, "processes": rows})
    elif pid is None:
        click.echo(f"stockpot does not run from {instance.home}.  Start it:  stockpot up")
    else:
        click.echo(f"stockpot runs from {instance.home} as process {pid}.")
        columns = (
            ("PROCESS", lambda r: r["name"]),
            ("PID", lambda r: r["pid"] or "-"),
            ("STATE", lambda r: r["state"]),
            ("SINCE", lambda r: when(r["since_ms"])),
            ("RESTARTS", lambda r: r["restarts"]),
            ("LAST EXIT", lambda r: r["last_exit"] or "-"),
        )
        show(rows, columns, as_json=False, empty="It is just starting.")
    if pid is None:
        raise SystemExit(1)


@click.command()
@click.option("--timeout", default=60.0, show_default=True, help="Seconds to wait for the drain.")
@click.option("--now", is_flag=True, help="End calls in flight instead of letting them finish.")
def down(timeout: float, now: bool) -> None:
    """Stop the running instance, letting calls in flight finish.

    \b
    Example:
      stockpot down
    """
    instance = Instance(config.load().home)
    lock = instance.run / "up.lock"
    pid = holder(lock)
    if pid is None:
        click.echo(f"stockpot does not run from {instance.home}.")
        return
    deadline = time.monotonic() + timeout
    os.kill(pid, signal.SIGTERM)
    if now:
        time.sleep(0.3)
        _kill_if_there(pid)
    while holder(lock) == pid:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"process {pid} still drains after {timeout:g} s", hint="stockpot down --now"
            )
        time.sleep(0.1)
    click.echo("Stopped.")


def _kill_if_there(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return


def _states(instance: Instance) -> list[dict[str, Any]]:
    try:
        return list(json.loads((instance.run / "supervisor.json").read_bytes()))
    except (FileNotFoundError, ValueError):
        return []


def _check_home(instance: Instance) -> None:
    try:
        instance.run.mkdir(parents=True, exist_ok=True)
        _ = instance.secrets
    except OSError as bad:
        raise _HomeNotWritable(
            f"STOCKPOT_HOME={str(instance.home)!r} cannot be used: {bad.strerror}",
            hint="STOCKPOT_HOME=$HOME/stockpot stockpot up",
        ) from None


class _HomeNotWritable(StockpotError):
    code = "home_not_writable"


def _say(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be gone, which is no reason to fail
        click.echo(text, err=True)


def _ready(facts: Facts, as_json: bool) -> None:
    from stockpot.up import screen

    if as_json:
        click.echo(screen.as_json(facts))
    else:
        screen.show(screen.lines(facts))
