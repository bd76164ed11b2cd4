"""Control stores of SQLite for tests: migrated once in a process, copied for whoever asks."""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from stockpot.core.db import migrate


def migrated_file(home: Path) -> str:
    """Put a store with the newest schema and no row into an instance's folder; gives its URL."""
    path = home / "control.db"
    shutil.copyfile(_migrated(), path)
    return f"sqlite:///{path}"


@cache
def _migrated() -> Path:
    path = Path(tempfile.mkdtemp(prefix="stockpot-store-")) / "control.db"
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        migrate(connection)
    engine.dispose()
    return path
