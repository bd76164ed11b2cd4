"""A whole instance, started by `stockpot up` on free ports, for tests of everything together."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

BIN = Path(sys.executable).parent
STARTED_WITHIN_S = 60


class Instance:
    """A running `stockpot up`. `facts` is the line that it printed when it was ready."""

    def __init__(
        self,
        process: subprocess.Popen[str],
        facts: dict[str, Any],
        environ: dict[str, str],
        ports: tuple[int, int],
    ) -> None:
        self.process = process
        self.facts = facts
        self.environ = environ
        self.gateway_port, self.console_port = ports
        self.home = Path(environ["STOCKPOT_HOME"])
        self.cpu_s_at_ready = self._cpu_s() if sys.platform == "linux" else {}

    def _cpu_s(self) -> dict[str, float]:
        """CPU seconds of each process so far."""
        pids = {name: state["pid"] for name, state in self.states().items()}
        used = {}
        for name, pid in {**pids, "up": self.process.pid}.items():
            if pid is not None:
                stat = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
                used[name] = (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
        return used

    @property
    def key(self) -> str:
        return str(self.facts["key"])

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def console(self) -> str:
        return f"http://127.0.0.1:{self.console_port}"

    def command(self, *words: str) -> str:
        """Run `stockpot WORDS`; gives what it printed."""
        done = subprocess.run(
            [str(BIN / "stockpot"), *words], env=self.environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def states(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says of each process, by name."""
        told = json.loads((self.home / "run" / "supervisor.json").read_bytes())
        return {state["name"]: state for state in told}

    def stop(self) -> int:
        """Interrupt it, as Ctrl-C does; gives the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextlib.contextmanager
def running(
    home: Path,
    models: Path | None = None,
    environ: Mapping[str, str] | None = None,
    words: tuple[str, ...] = (),
) -> Iterator[Instance]:
    """Start an instance and wait until it is ready; it uses the models of the home `models`."""
    home.mkdir(parents=True, exist_ok=True)
    if models is not None and not (home / "models").exists():
        (home / "models").symlink_to(models / "models")
    env = clean_environment(home, free_ports()) | dict(environ or {})
    ports = (int(env["STOCKPOT_GATEWAY_PORT"]), int(env["STOCKPOT_PORT"]))
    with (home / "up.stderr").open("w") as said:
        process = subprocess.Popen(
            [str(BIN / "stockpot"), "up", "--json", "--no-pull", *words],
            env=env,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, (home / "up.stderr").read_text()
        yield Instance(process, json.loads(line), env, ports)
    finally:
        _end(process)


def clean_environment(home: Path, ports: tuple[int, int]) -> dict[str, str]:
    """The environment of this process without a vendor's key or a setting of somebody else."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("STOCKPOT_") and not name.endswith("_API_KEY")
    }
    return kept | {
        "PATH": f"{BIN}{os.pathsep}{kept.get('PATH', '')}",
        "STOCKPOT_HOME": str(home),
        "STOCKPOT_GATEWAY_PORT": str(ports[0]),
        "STOCKPOT_PORT": str(ports[1]),
        "STOCKPOT_DISCOVER": "false",
        "STOCKPOT_WORKERS": "1",
    }


def free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as a, socket.create_server(("127.0.0.1", 0)) as b:
        return int(a.getsockname()[1]), int(b.getsockname()[1])


def _end(process: subprocess.Popen[str]) -> None:
    for signo, seconds in ((signal.SIGTERM, 40), (signal.SIGKILL, 10)):
        if process.poll() is None:
            process.send_signal(signo)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(seconds)
    if process.stdout is not None:
        process.stdout.close()


def eventually(condition: Any, seconds: float = 60) -> Any:
    """The condition's first true value; fails when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)
