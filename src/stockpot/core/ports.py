"""Whether a TCP port is free and, if not, who has it. Knows sockets; knows no service."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

_LISTEN = "0A"


class Owner(NamedTuple):
    """A process that listens; `command` is empty when it may not be read."""

    pid: int
    command: str


def free(host: str, port: int) -> bool:
    """True when this process could listen there. Raises OSError for an address that is not ours."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as bad:
            if bad.errno in (98, 48):  # EADDRINUSE on Linux and on macOS
                return False
            raise
    return True


def owner(port: int, proc: Path = Path("/proc")) -> Owner | None:
    """Who listens on a port, as far as /proc tells (Linux, own processes); else None."""
    inodes = _listening(port, proc)
    for folder in proc.glob("[0-9]*") if inodes else ():
        if inodes & _sockets(folder):
            return Owner(int(folder.name), _command(folder))
    return None


def _sockets(folder: Path) -> set[str]:
    found = set()
    with suppress(OSError):  # another user's process
        for fd in (folder / "fd").iterdir():
            with suppress(OSError):  # closed meanwhile
                found.add(os.readlink(fd))
    return found


def _listening(port: int, proc: Path) -> set[str]:
    found = set()
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text("ascii").splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, local, _, state, *rest = line.split()
            if state == _LISTEN and int(local.rsplit(":", 1)[1], 16) == port:
                found.add(f"socket:[{rest[5]}]")
    return found


def _command(folder: Path) -> str:
    try:
        raw = (folder / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()[:120]
