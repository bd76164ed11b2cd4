"""Processes under measurement: starting, pinning, reading their CPU time and memory, killing.

Knows /proc where there is one and `ps` elsewhere; knows nothing of what the processes do.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def cores() -> tuple[int, ...]:
    """The processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def pinned(argv: list[str], core: int) -> list[str]:
    """A command that stays on one processor, where the system has a way to say so."""
    return ["taskset", "-c", str(core), *argv] if shutil.which("taskset") else argv


class Process:
    """A child process, pinned to one processor where the system can."""

    def __init__(
        self,
        argv: Sequence[str],
        log: Path,
        environ: Mapping[str, str] | None = None,
        core: int | None = None,
    ) -> None:
        self._log = log.open("ab")
        self._child = subprocess.Popen(
            list(argv),
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **(environ or {})},
            start_new_session=True,
        )
        self.pid = self._child.pid
        if core is not None and hasattr(os, "sched_setaffinity"):
            with contextlib.suppress(OSError):
                os.sched_setaffinity(self.pid, {core})

    @property
    def alive(self) -> bool:
        return self._child.poll() is None

    def cpu_s(self) -> float:
        """User plus system time of its living threads so far, in seconds."""
        stat = Path(f"/proc/{self.pid}/stat")
        if stat.exists():
            ran = list(Path(f"/proc/{self.pid}/task").glob("*/schedstat"))
            if ran:
                return sum(int(file.read_text().split()[0]) for file in ran) / 1e9
            fields = stat.read_text().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / _TICK
        return _clock(_ps(self.pid, "cputime"))

    def rss_mb(self) -> float:
        """Resident memory, shared pages included."""
        status = Path(f"/proc/{self.pid}/statm")
        if status.exists():
            return int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
        return float(_ps(self.pid, "rss") or 0) / 1e3

    def kill(self) -> None:
        """SIGKILL: no last words."""
        self._child.kill()
        self._child.wait()
        self._log.close()

    def stop(self, grace_s: float = 20.0) -> None:
        """SIGTERM, then wait, then SIGKILL."""
        if self.alive:
            self._child.send_signal(signal.SIGTERM)
            try:
                self._child.wait(grace_s)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
        if not self._log.closed:
            self._log.close()


def _ps(pid: int, column: str) -> str:
    found = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout.strip()


def _clock(text: str) -> float:
    seconds = 0.0
    for part in text.replace("-", ":").split(":"):
        seconds = seconds * 60 + float(part or 0)
    return seconds


def wait_for(check: object, what: str, limit_s: float = 20.0) -> None:
    """Poll until `check()` is true. Raises TimeoutError naming what did not come."""
    assert callable(check)
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            if check():
                return
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {limit_s:g} s")


def listening(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def compiled(folder: Path) -> Path | None:
    """The loopback program, compiled into `folder`; None where there is no C compiler or epoll."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    program = folder / "loopback"
    source = Path(__file__).with_name("loopback.c")
    made = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(source)], capture_output=True, check=False
    )
    return program if made.returncode == 0 else None
