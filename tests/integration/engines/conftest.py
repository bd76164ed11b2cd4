"""Starting engine processes as a supervisor does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockpot.core.config import Settings, load
from stockpot.core.instance import Instance
from stockpot.engines import EngineAddress, EngineCommand, plan, running
from stockpot.engines.process import free_port


class Engines:
    """Engine processes of one instance; all of them end with the test."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.instance = Instance(settings.home)
        self.processes: list[subprocess.Popen[bytes]] = []

    def command(self, name: str) -> EngineCommand:
        commands = plan(self.settings.replaced(engines=name), self.instance)
        return next(command for command in commands if command.name == name)

    def another_echo(self, name: str, *more: str) -> tuple[subprocess.Popen[bytes], EngineAddress]:
        """A second test model, with flags of its own."""
        argv = (sys.executable, "-m", "stockpot.engines.echo", "--name", name)
        env = {"STOCKPOT_HOME": str(self.instance.home)}
        command = EngineCommand(name, (*argv, "--port", str(free_port()), *more), env)
        process = self.start(command)
        return process, self.announced(name, process.pid)

    def start(self, command: EngineCommand) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command.argv, env={**os.environ, **command.env}, stdin=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def up(self, name: str) -> EngineAddress:
        """Start an engine and wait until it is announced."""
        process = self.start(self.command(name))
        return self.announced(name, process.pid)

    def announced(self, name: str, pid: int, within_s: float = 60.0) -> EngineAddress:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for address in running(self.instance):
                if address.name == name and address.pid == pid:
                    return address
            time.sleep(0.02)
        raise AssertionError(f"{name} was not announced within {within_s} s")

    def end(self) -> None:
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait()


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory, models_home: Path) -> Iterator[Engines]:
    """Engines that the tests of a module share."""
    fleet = _fleet(tmp_path_factory.mktemp("home"), models_home)
    yield fleet
    fleet.end()


@pytest.fixture
def own_engines(tmp_path: Path, models_home: Path) -> Iterator[Engines]:
    """Engines of one test alone, to be killed."""
    fleet = _fleet(tmp_path / "home", models_home)
    yield fleet
    fleet.end()


def _fleet(home: Path, models_home: Path) -> Engines:
    """A home of its own that shares the model files of all tests."""
    home.mkdir(exist_ok=True)
    if (models_home / "models").is_dir():
        (home / "models").symlink_to(models_home / "models")
    return Engines(load({"STOCKPOT_HOME": str(home)}))
