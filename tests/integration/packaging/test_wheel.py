"""What a user gets: the wheel, installed into an empty environment without Node, runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

REPO = Path(__file__).resolve().parents[3]
UV = Path(sys.executable).with_name("uv")
INSTALL_LIMIT_MB = 450
START_S = 60
STOP_S = 40

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(400)]


def run(*command: str | Path, env: dict[str, str] | None = None, cwd: Path | None = None) -> str:
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(tree: Path, into: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)]
    return subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = build(REPO, folder)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("stockpot-*.whl")
    return path


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the locked base dependencies and the wheel."""
    folder = tmp_path_factory.mktemp("installed") / "env"
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    install = [
        UV,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        folder / "bin/python",
    ]
    run(*install, "--require-hashes", "-r", REPO / "requirements/base.txt")
    run(*install, "--no-deps", wheel)
    return folder


class Instance(NamedTuple):
    """A running `stockpot up` of the installed wheel, and the only places it may know of."""

    env: dict[str, str]
    root: Path
    process: subprocess.Popen[str]

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.env['STOCKPOT_GATEWAY_PORT']}"

    @property
    def control(self) -> str:
        return f"http://127.0.0.1:{self.env['STOCKPOT_PORT']}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def started(environment: Path, root: Path) -> Iterator[Instance]:
    """No Node, no model, and a proxy that refuses everything: any call to the outside fails."""
    for folder in ("user", "tmp", "here"):
        (root / folder).mkdir()
    nowhere = "http://127.0.0.1:9"
    env = {
        "PATH": str(environment / "bin"),
        "HOME": str(root / "user"),
        "TMPDIR": str(root / "tmp"),
        "STOCKPOT_HOME": str(root / "state"),
        "STOCKPOT_GATEWAY_PORT": str(free_port()),
        "STOCKPOT_PORT": str(free_port()),
        "STOCKPOT_ENGINES": "none",
        "STOCKPOT_DISCOVER": "false",
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), nowhere),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "127.0.0.1,localhost"),
    }
    with (root / "output").open("w+") as output:
        process = subprocess.Popen(
            [environment / "bin/stockpot", "up"],
            cwd=root / "here",
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield Instance(env, root, process)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_ready(instance: Instance, url: str) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        code = instance.process.poll()
        assert code is None, f"ended with {code}: {(instance.root / 'output').read_text()}"
        with suppress(httpx.HTTPError):
            if httpx.get(f"{url}/readyz", trust_env=False, timeout=60).status_code == 200:
                return
        time.sleep(0.1)
    pytest.fail(f"{url} is not ready: {(instance.root / 'output').read_text()}")


def files_under(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if "__pycache__" not in path.parts
    }


@pytest.mark.needs("console")
def test_the_wheel_holds_the_console_and_none_of_the_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "stockpot/console/index.html" in names
    assert [name for name in names if name.startswith("stockpot/console/assets/")]
    assert {name.split("/")[0] for name in names} == {
        "stockpot",
        wheel.name.rsplit("-", 3)[0] + ".dist-info",
    }


def test_a_wheel_without_the_console_is_refused(tmp_path: Path) -> None:
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(REPO / name, tmp_path)
    for name in ("src/stockpot", "scripts"):
        ignore = shutil.ignore_patterns("__pycache__", "console")
        shutil.copytree(REPO / name, tmp_path / name, ignore=ignore)
    refused = build(tmp_path, tmp_path / "dist")
    assert refused.returncode != 0
    assert "make console" in refused.stderr
    assert not list(tmp_path.glob("dist/*.whl"))


@pytest.mark.needs("console")
def test_the_base_install_stays_small(environment: Path) -> None:
    """What the wheels hold; byte code that Python writes beside it is not counted."""
    size = sum(
        p.stat().st_size
        for p in environment.rglob("*")
        if p.is_file() and not p.is_symlink() and p.suffix != ".pyc"
    )
    print(f"base install: {size / 1e6:.0f} MB")
    assert size / 1e6 <= INSTALL_LIMIT_MB


@pytest.mark.needs("console")
def test_an_installed_product_runs_without_node_network_and_models(
    environment: Path, tmp_path: Path
) -> None:
    installed = files_under(environment)
    with started(environment, tmp_path) as instance:
        assert shutil.which("node", path=instance.env["PATH"]) is None
        wait_ready(instance, instance.gateway)
        wait_ready(instance, instance.control)
        create = [environment / "bin/stockpot", "keys", "create", "--name", "wheel", "--json"]
        key = json.loads(run(*create, env=instance.env, cwd=tmp_path / "here"))["key"]

        answer = httpx.post(
            f"{instance.gateway}/v1/chat/completions",
            headers={"authorization": f"Bearer {key}"},
            json={"model": "echo", "messages": [{"role": "user", "content": "soup"}]},
            trust_env=False,
            timeout=60,
        )
        assert answer.status_code == 200, answer.text
        assert "soup" in answer.json()["choices"][0]["message"]["content"]
        page = httpx.get(
            instance.control, trust_env=False, headers={"accept": "text/html"}, timeout=60
        )
        assert page.status_code == 200
        assert '<div id="root">' in page.text

        instance.process.send_signal(signal.SIGINT)
        assert instance.process.wait(STOP_S) == 0, (tmp_path / "output").read_text()
    assert (tmp_path / "state").is_dir()
    assert [list((tmp_path / name).rglob("*")) for name in ("user", "tmp", "here")] == [[], [], []]
    assert files_under(environment) == installed
