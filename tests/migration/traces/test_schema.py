"""A span log of any version that was ever written opens at the newest, and no version ever changes.

`spans.v1.sql` and its like hold the schema as it stood after each migration. A change of a table
needs a new migration and a new file beside them: run this file as a script to write it.
"""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import pytest

from stockpot.traces.store.schema import PAYLOADS, SPANS
from stockpot.traces.store.sqlite import Migration, connect, migrate

HERE = Path(__file__).parent
FILES = {"spans": SPANS, "payloads": PAYLOADS}
VERSIONS = [(name, n + 1) for name, all_ in FILES.items() for n in range(len(all_))]


def schema(path: Path) -> str:
    with closing(connect(path)) as connection:
        rows = connection.execute(
            "SELECT sql FROM sqlite_schema "
            "WHERE sql IS NOT NULL AND name NOT GLOB 'texts_*' ORDER BY name"  # the index's own
        ).fetchall()
    return "".join(f"{row[0]};\n\n" for row in rows)


def made(path: Path, migrations: tuple[Migration, ...]) -> Path:
    with closing(connect(path)) as connection:
        migrate(connection, path, migrations)
    return path


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_a_version_is_what_it_always_was(tmp_path: Path, name: str, version: int) -> None:
    recorded = (HERE / f"{name}.v{version}.sql").read_text("utf-8")
    assert schema(made(tmp_path / "file.db", FILES[name][:version])) == recorded


@pytest.mark.parametrize(("name", "version"), VERSIONS)
def test_every_version_leads_to_the_newest(tmp_path: Path, name: str, version: int) -> None:
    old = made(tmp_path / "old.db", FILES[name][:version])
    assert schema(made(old, FILES[name])) == schema(made(tmp_path / "new.db", FILES[name]))


def test_no_version_lacks_its_record() -> None:
    assert {path.name for path in HERE.glob("*.sql")} == {f"{n}.v{v}.sql" for n, v in VERSIONS}


if __name__ == "__main__":
    for name, version in VERSIONS:
        record = HERE / f"{name}.v{version}.sql"
        if not record.exists():
            scratch = made(Path(sys.argv[1]) / f"{name}.{version}.db", FILES[name][:version])
            record.write_text(schema(scratch), "utf-8")
