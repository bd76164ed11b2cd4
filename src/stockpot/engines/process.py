"""Being an engine process: its port, its end, its announcement. Knows nothing of what it serves."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from stockpot.core.config import load
from stockpot.core.instance import Instance
from stockpot.engines.models import EngineAddress

HOST: Final = "127.0.0.1"

# Below the ports that kernels hand out to outgoing connections (from 32768 on Linux): one of those
# could sit on an engine's port while the engine restarts.
_PORTS: Final = range(20_000, 32_000)
_ORPHAN_POLL_S: Final = 0.5
_PARENT: Final = os.getppid()


def free_port() -> int:
    """A port that nobody listens on now."""
    while True:
        port = random.choice(_PORTS)  # noqa: S311 - any free one will do
        if is_free(port):
            return port


def is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback address."""
    with socket.socket() as probe:
        # as servers do: ports with nothing but closed connections on them are free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def claim(port: int, *, wait_s: float = 3.0) -> int:
    """`port`, waiting a moment for a predecessor to let go of it; else another one that is free."""
    deadline = time.monotonic() + wait_s
    while not is_free(port):
        if time.monotonic() > deadline:
            return free_port()
        time.sleep(0.05)
    return port


def announce(address: EngineAddress) -> Callable[[], None]:
    """Publish where the engine is reachable. Returns what takes the announcement back."""
    instance = Instance(load().home)
    name = f"engines/{address.name}"
    instance.announce(name, msgspec.to_builtins(address))
    path: Path = instance.run / f"{name}.json"

    def withdraw() -> None:
        facts = instance.announced(name)
        if facts is not None and facts.get("pid") == os.getpid():
            path.unlink(missing_ok=True)

    return withdraw


def end_with_parent() -> None:
    """Send this process SIGTERM when the process that started it is gone, so that no orphan keeps
    a port. By polling: Linux's parent-death signal fires when the starting *thread* ends."""

    def watch() -> None:
        while os.getppid() == _PARENT:
            time.sleep(_ORPHAN_POLL_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()
