"""Which engine processes an instance needs, and which of them run."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from stockpot.core.config import Settings, load
from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance
from stockpot.engines import EngineAddress, gguf, plan, pull, running
from stockpot.engines.process import HOST, claim, free_port, is_free


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"STOCKPOT_HOME": str(tmp_path / "home")})


@pytest.fixture
def instance(settings: Settings) -> Instance:
    return Instance(settings.home)


def address(name: str, pid: int, port: int = 1) -> EngineAddress:
    return EngineAddress(name, f"http://{HOST}:{port}/v1", name, "chat", pid, "echo", False, 0)


def announce(instance: Instance, engine: EngineAddress) -> None:
    instance.announce(f"engines/{engine.name}", msgspec.to_builtins(engine))


def option(argv: tuple[str, ...], name: str) -> str:
    return argv[argv.index(name) + 1]


def test_an_empty_instance_runs_the_test_model_alone(
    settings: Settings, instance: Instance
) -> None:
    (echo,) = plan(settings, instance)
    assert echo.name == "echo"
    assert echo.argv[:3] == (sys.executable, "-m", "stockpot.engines.echo")
    assert echo.env == {"STOCKPOT_HOME": str(instance.home)}


def test_an_installed_model_that_the_settings_name_gets_a_process_of_its_own(
    settings: Settings, instance: Instance, tmp_path: Path
) -> None:
    file = tmp_path / "enc.gguf"
    gguf.write(file, {"general.architecture": "bert", "bert.pooling_type": 1,
                      "bert.context_length": 256}, [])  # fmt: skip
    pull(settings, instance, str(file))
    assert [c.name for c in plan(settings, instance)] == ["echo"]
    _, command = plan(settings.replaced(engines="enc,smollm2-135m"), instance)
    assert command.name == "enc"
    assert option(command.argv, "--model-path") == str(instance.models / "enc" / "enc.gguf")
    assert option(command.argv, "--ctx") == "1024"
    assert option(command.argv, "--parallel") == "4"
    assert "--embedding" in command.argv
    assert "--smoke" not in command.argv


def test_a_name_that_nobody_knows_is_an_error_with_the_nearest_one(
    settings: Settings, instance: Instance
) -> None:
    with pytest.raises(ConfigError, match="Did you mean 'minilm-l6-v2'"):
        plan(settings.replaced(engines="minilm-l6"), instance)


def test_an_engine_keeps_its_port_until_somebody_else_takes_it(
    settings: Settings, instance: Instance
) -> None:
    port = int(option(plan(settings, instance)[0].argv, "--port"))
    assert option(plan(settings, instance)[0].argv, "--port") == str(port)
    with socket.create_server((HOST, port)):
        announce(instance, address("echo", os.getpid(), port))
        assert option(plan(settings, instance)[0].argv, "--port") == str(port)
        (instance.run / "engines" / "echo.json").unlink()
        assert option(plan(settings, instance)[0].argv, "--port") != str(port)


def test_only_announced_engines_whose_process_lives_are_running(instance: Instance) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    announce(instance, address("a", os.getpid()))
    announce(instance, address("b", gone.pid))
    (instance.run / "engines" / "c.json").write_bytes(b"{")
    assert running(instance) == (address("a", os.getpid()),)


def test_a_port_in_use_is_given_up_for_a_free_one() -> None:
    port = free_port()
    assert claim(port) == port
    with socket.create_server((HOST, port)):
        assert not is_free(port)
        assert claim(port, wait_s=0.1) != port
