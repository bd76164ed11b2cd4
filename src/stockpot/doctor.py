"""`stockpot doctor`: what is wrong with this environment, and the command that mends it.

Knows what a healthy installation and instance look like; changes nothing, and calls nobody but the
stores that settings name, to see whether somebody listens.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

import click

from stockpot.core import certificates, config, ports
from stockpot.core.config import Settings
from stockpot.core.errors import ConfigError, StockpotError, did_you_mean
from stockpot.core.instance import Instance
from stockpot.core.locks import holder
from stockpot.core.terminal import print_json

Level = Literal["ok", "note", "wrong"]

OLDEST_PYTHON = (3, 11)
RELEASED_S = 1_767_225_600  # 2026-01-01: a clock before this is not set
ENOUGH_DISK_MB = 1024
ENOUGH_FILES = 4096


class Finding(NamedTuple):
    """What a check saw. `remedy` replaces the table's where the exact command depends on it."""

    level: Level
    text: str
    remedy: str = ""


class Place(NamedTuple):
    """What is examined: the settings (defaults when they cannot be read) and the instance."""

    settings: Settings
    instance: Instance
    settings_error: ConfigError | None
    supervisor: int | None


class Check(NamedTuple):
    """One row: its name, what looks, and the command that mends it."""

    name: str
    look: Callable[[Place], Finding]
    remedy: str


def _python(_: Place) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    present = tuple(sys.version_info[:2])
    if present < OLDEST_PYTHON:
        return Finding("wrong", f"Python {version} is too old; 3.11 or later is needed")
    return Finding("ok", f"Python {version}")


def _settings(place: Place) -> Finding:
    if place.settings_error is not None:
        said = place.settings_error.message
        variable = said.partition(" ")[0]
        if variable in os.environ:
            return Finding("wrong", said, f"unset {variable}")
        return Finding("wrong", said, f"edit {place.instance.home / 'stockpot.toml'}")
    known = {row.env for row in config.SETTINGS}
    for name in sorted(name for name in os.environ if name.startswith("STOCKPOT_")):
        if name not in known:
            return Finding("note", f"no setting is called {name}.{did_you_mean(name, known)}")
    return Finding("ok", "every setting can be read")


def _certificates(place: Place) -> Finding:
    named = [place.settings.tls_cert, place.settings.tls_key, place.settings.upstream_ca]
    if not any(named):
        return Finding("ok", "none are named; the gateway speaks plain HTTP")
    certificates.check(place.settings)
    return Finding("ok", "can be read and belong together")


def _sqlite(_: Place) -> Finding:
    from stockpot.core.db import OLDEST_SAFE_SQLITE, sqlite_library

    library = sqlite_library()
    if not library.safe:
        oldest = ".".join(map(str, OLDEST_SAFE_SQLITE))
        return Finding("wrong", f"SQLite {library.version} can corrupt its log; {oldest} is needed")
    return Finding("ok", f"SQLite {library.version}")


def _stores(place: Place) -> Finding:
    named = (
        ("STOCKPOT_DATABASE_URL", place.settings.database_url, 5432),
        ("STOCKPOT_KV_URL", place.settings.kv_url, 6379),
    )
    reached = []
    for variable, url, usual in named:
        parts = urlsplit(url)
        if not parts.hostname:
            continue
        where = f"{parts.hostname}:{parts.port or usual}"
        try:
            socket.create_connection((parts.hostname, parts.port or usual), 2.0).close()
        except OSError as bad:
            return Finding("wrong", f"nobody answers at {where} ({bad}), which {variable} names")
        reached.append(where)
    return Finding("ok", f"listening: {', '.join(reached)}" if reached else "SQLite, in the home")


def _event_loop(_: Place) -> Finding:
    missing = [m for m in ("uvloop", "httptools") if importlib.util.find_spec(m) is None]
    if missing:
        return Finding("wrong", f"not installed: {', '.join(missing)}")
    return Finding("ok", "uvloop and httptools are installed")


def _home(place: Place) -> Finding:
    home = place.instance.home
    nearest = next(p for p in (home, *home.parents) if p.exists())
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as refused:
        return Finding("wrong", f"{nearest} cannot be written: {refused.strerror}")
    return Finding("ok", f"{home} can be written")


def _disk(place: Place) -> Finding:
    home = place.instance.home
    nearest = next(p for p in (home, *home.parents) if p.exists())
    free = shutil.disk_usage(nearest).free // 2**20
    reserve = place.settings.disk_reserve_mb
    if free <= reserve:
        return Finding("wrong", f"{free} MB free, at or under disk_reserve_mb = {reserve}")
    if free < ENOUGH_DISK_MB:
        return Finding("note", f"only {free} MB free")
    return Finding("ok", f"{free:,} MB free")


def _key_file(place: Place) -> Finding:
    path = place.instance.home / "instance.key"
    if not path.exists():
        return Finding("ok", "no instance.key yet; the first start creates it")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return Finding("wrong", f"{path} can be read by others (mode {mode:o})")
    return Finding("ok", f"{path} is private")


def _ports(place: Place) -> Finding:
    wanted = (("gateway_port", place.settings.gateway_port), ("port", place.settings.port))
    if place.supervisor is not None:
        return Finding("ok", "in use by this instance")
    for setting, port in wanted:
        try:
            if ports.free(place.settings.host, port):
                continue
        except OSError as bad:
            return Finding("wrong", f"cannot listen on {place.settings.host}: {bad.strerror}",
                           "STOCKPOT_HOST=127.0.0.1 stockpot up")  # fmt: skip
        owner = ports.owner(port)
        who = f"process {owner.pid} ({owner.command})" if owner else "another process"
        return Finding("wrong", f"port {port} is taken by {who}",
                       f"STOCKPOT_{setting.upper()}={port + 10} stockpot up")  # fmt: skip
    return Finding("ok", " and ".join(str(port) for _, port in wanted) + " are free")


def _models(place: Place) -> Finding:
    from stockpot.engines import verify, wanted

    names = wanted(place.settings)
    for name in names:
        mend = f"stockpot models pull {name}"
        if not place.instance.home.exists() or verify(place.instance, name) is None:
            return Finding("wrong", f"{name!r} is not installed; calls to it are refused", mend)
    return Finding("ok", f"{', '.join(names) or 'none wanted'}: present, sha256 right")


def _engine(place: Place) -> Finding:
    if place.settings.engines == "none":
        return Finding("ok", "engines are switched off (STOCKPOT_ENGINES=none)")
    command = [sys.executable, "-c", "import xllamacpp"]  # a crash there must not be one here
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return Finding("wrong", f"llama.cpp does not load: {why}")
    return Finding("ok", "llama.cpp loads")


def _open_files(_place: Place) -> Finding:
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and most < ENOUGH_FILES:
        return Finding("wrong", f"a process may open only {most} files and connections")
    return Finding("ok", "unlimited" if most == resource.RLIM_INFINITY else f"up to {most:,}")


def _clock(place: Place) -> Finding:
    now = time.time()
    if now < RELEASED_S:
        return Finding("wrong", f"the clock says {time.strftime('%Y-%m-%d')}")
    record = place.instance.home / "control.db"
    if record.exists() and record.stat().st_mtime > now + 60:
        ahead = record.stat().st_mtime - now
        return Finding("wrong", f"the clock is {ahead:.0f} s behind what was already written")
    return Finding("ok", time.strftime("%Y-%m-%d %H:%M:%S %Z"))


def _console(_: Place) -> Finding:
    if not Path(str(files("stockpot"))).joinpath("console", "index.html").is_file():
        source = (Path(__file__).parents[2] / "Makefile").exists()
        mend = "make console" if source else "pip install --force-reinstall stockpot"
        return Finding("wrong", "the console is not built; the API works without it", mend)
    return Finding("ok", "built")


def _network(place: Place) -> Finding:
    from stockpot.providers import vendors

    named = [v.env for v in vendors() if v.env and os.environ.get(v.env)]
    if named and place.settings.discover:
        return Finding("note", f"calls leave this machine for the vendors of {', '.join(named)}")
    return Finding("ok", "nothing leaves this machine but calls to providers that you connect")


def _processes(place: Place) -> Finding:
    if place.supervisor is None:
        return Finding("ok", "not running")
    states = json.loads((place.instance.run / "supervisor.json").read_bytes())
    for state in states:
        if state["state"] == "backing-off" or state["restarts"] > 3:
            log = place.instance.logs / f"{state['name']}.log"
            why = f"{state['name']} was restarted {state['restarts']} times: {state['last_exit']}"
            return Finding("wrong", why, f"tail -n 50 {log}")
    return Finding("ok", f"{len(states)} processes under process {place.supervisor}")


CHECKS: tuple[Check, ...] = (
    Check("python", _python, "python3.11 -m venv venv && venv/bin/pip install stockpot"),
    Check("sqlite", _sqlite, "pip install --upgrade pysqlite3"),
    Check("event loop", _event_loop, "pip install uvloop httptools"),
    Check("engine", _engine, "pip install --force-reinstall xllamacpp"),
    Check("console", _console, "pip install --force-reinstall stockpot"),
    Check("settings", _settings, "edit {home}/stockpot.toml"),
    Check(
        "certificates", _certificates, "name PEM files in STOCKPOT_TLS_CERT and STOCKPOT_TLS_KEY"
    ),
    Check("stores", _stores, "start it, or correct the variable"),
    Check("home", _home, "STOCKPOT_HOME=$HOME/stockpot stockpot up"),
    Check("disk", _disk, "STOCKPOT_HOME=/a/larger/disk stockpot up"),
    Check("instance key", _key_file, "chmod 600 {home}/instance.key"),
    Check("ports", _ports, "stockpot down"),
    Check("models", _models, "stockpot models pull {model}"),
    Check("open files", _open_files, "ulimit -Hn 65536"),
    Check("clock", _clock, "sudo timedatectl set-ntp true"),
    Check("network", _network, ""),
    Check("processes", _processes, "stockpot down && stockpot up"),
)


def examine(place: Place, checks: Sequence[Check] = CHECKS) -> list[tuple[Check, Finding]]:
    """What each check saw; one that fails itself is a finding too."""
    findings = []
    for check in checks:
        try:
            found = check.look(place)
        except StockpotError as refused:
            found = Finding("wrong", refused.message, refused.hint)
        except Exception as broken:  # the doctor works where nothing else does
            found = Finding("wrong", f"{type(broken).__name__}: {broken}")
        if found.level == "wrong" and not found.remedy:
            home, model = place.instance.home, place.settings.default_model
            found = found._replace(remedy=check.remedy.format(home=home, model=model))
        findings.append((check, found))
    return findings


def here() -> Place:
    """The environment of this process. Settings that cannot be read are examined as defaults."""
    error = None
    try:
        settings = config.load()
    except ConfigError as bad:
        error = bad
        home = Path(os.environ.get("STOCKPOT_HOME") or "~/.stockpot").expanduser().absolute()
        settings = Settings({row.name: row.default for row in config.SETTINGS}).replaced(home=home)
    return Place(
        settings, Instance(settings.home), error, holder(settings.home / "run" / "up.lock")
    )


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def doctor(as_json: bool) -> None:
    """Say what is wrong with this environment and how to mend it; exit 1 if anything is.

    \b
    Example:
      stockpot doctor
      stockpot doctor --json
    """
    findings = examine(here())
    healthy = all(found.level != "wrong" for _, found in findings)
    if as_json:
        rows = [
            {"name": c.name, "level": f.level, "found": f.text, "remedy": f.remedy}
            for c, f in findings
        ]
        print_json({"healthy": healthy, "checks": rows})
    else:
        _print(findings)
    if not healthy:
        raise SystemExit(1)


def _print(findings: list[tuple[Check, Finding]]) -> None:
    colours = {"ok": "green", "note": "yellow", "wrong": "red"}
    for check, found in findings:
        level = click.style(f"{found.level:5}", fg=colours[found.level])
        click.echo(f"{level}  {check.name:12}  {found.text}")
        if found.remedy:
            click.echo(f"{'':21}mend it with:  {click.style(found.remedy, bold=True)}")
