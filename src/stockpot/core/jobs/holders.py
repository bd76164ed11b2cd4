"""Naming who holds a job, so that another process of the same host can tell that it is gone."""

from __future__ import annotations

import os
import secrets
import socket


def own_name() -> str:
    """`<host>:<process namespace>:<process>:<random>`."""
    return f"{_place()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(holder: str) -> bool:
    """Whether a holder is a process of this host and namespace that does not run any more. Of other
    hosts nothing is known: their leases have to run out."""
    place, _, rest = holder.rpartition(":")[0].rpartition(":")
    if place != _place() or not rest.isdigit():
        return False
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _place() -> str:
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return f"{socket.gethostname()}:{namespace}"
