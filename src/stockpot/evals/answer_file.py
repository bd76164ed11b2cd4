"""The file of answers that runs keep whose target is called by whoever runs `stockpot eval run`.

Knows SQLite and nothing of runs. Answers are kept by the content of their call, with their project
and when they came, so that they can go when the project asks for it.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

_PAGE = 500
_MADE = """
CREATE TABLE IF NOT EXISTS answers (
  key BLOB PRIMARY KEY, answer BLOB NOT NULL,
  project TEXT NOT NULL DEFAULT '', kept_ms INTEGER NOT NULL DEFAULT 0)"""
_LATER = {"project": "TEXT NOT NULL DEFAULT ''", "kept_ms": "INTEGER NOT NULL DEFAULT 0"}


def answers_here(home: Path) -> Path:
    """Where the file lies, below the home of whoever runs."""
    return home / "eval-answers.db"


@contextlib.contextmanager
def opened(path: Path | None) -> Iterator[AnswerFile]:
    """The file, or one in memory; closed at the end."""
    connection = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=30)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute(_MADE)
        there = {row[1] for row in connection.execute("PRAGMA table_info(answers)")}
        for name in _LATER.keys() - there:
            connection.execute(f"ALTER TABLE answers ADD COLUMN {name} {_LATER[name]}")
        yield AnswerFile(connection)
    finally:
        connection.close()


class AnswerFile:
    """Answers by the content of their call."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def known(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """The answers that were kept for these calls."""
        found: dict[bytes, bytes] = {}
        for start in range(0, len(keys), _PAGE):
            part = keys[start : start + _PAGE]
            marks = ",".join("?" * len(part))
            query = f"SELECT key, answer FROM answers WHERE key IN ({marks})"  # noqa: S608
            found.update(self._connection.execute(query, part))
        return found

    def keep(self, project: str, answers: Mapping[bytes, bytes]) -> None:
        """Keep answers, each in the place of an earlier one."""
        now = time.time_ns() // 1_000_000
        rows = [(key, answer, project, now) for key, answer in answers.items()]
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)

    def forget(self, project: str, before_ms: float) -> int:
        """Remove a project's answers from before a time, and those of which the file does not know
        whose they are; gives how many."""
        old = "DELETE FROM answers WHERE project IN ('', ?) AND kept_ms < ?"
        with self._connection:
            gone = self._connection.execute(old, (project, int(before_ms))).rowcount
        if gone:
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return gone


def forget_answers(path: Path, project: str, before_ms: float) -> int:
    """The same for a file that may not be there."""
    if not path.exists():
        return 0
    with opened(path) as file:
        return file.forget(project, before_ms)
