"""Payload files: bodies of one received day and retention class, and the index of their text.

Knows bytes, compression and words; knows no span beyond its number. Retention deletes a file as a
whole, and with it the dictionary that was trained on its payloads, which quotes them.
"""

# ruff: noqa: S608 - nothing but names from tables in this package is put into SQL

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import msgspec
import zstandard

from stockpot.traces.dialects import bodies
from stockpot.traces.otlp import Piece, read_piece
from stockpot.traces.store import NewPayload
from stockpot.traces.store.schema import PAYLOADS
from stockpot.traces.store.sqlite import Synchronous, connect, migrate, transaction, version

LEVEL = 3
TRAIN_AFTER = 512
"""Payloads in a file when its dictionary is trained (0.04 s); those before it keep plain zstd."""

_DICTIONARY_BYTES = 110 << 10
_SAMPLE_BYTES = 16 << 10
_LARGEST = 1 << 30
_PAGE_KB = 16
"""Bodies are a few hundred bytes: of a large page less is left over."""

_EPOCH = date(1970, 1, 1)

Bodies = tuple[bytes | None, bytes | None]
_pack = msgspec.msgpack.Encoder().encode
Packed = tuple[bytes | None, bytes | None] | tuple[str, bytes, bytes, bytes]
"""Bodies, or the four parts of a Piece."""

_unpack = msgspec.msgpack.Decoder().decode

# Scripts without spaces between words: each character is a word of its own, and a run of them is
# searched for like a phrase.
_UNSPACED = re.compile(r"([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")


def day_of(ns: int) -> int:
    """Days since the epoch (UTC) of a time."""
    return ns // 86_400_000_000_000


def file_name(day: int, retention: str) -> str:
    """`2026-11-22.standard.db`."""
    return f"{_EPOCH + timedelta(days=day)}.{retention}.db"


def files(folder: Path) -> list[tuple[int, str, Path]]:
    """Day, retention class and path of every payload file, newest day first."""
    found = []
    for path in folder.glob("????-??-??.*.db"):
        day, retention, _ = path.name.split(".", 2)
        found.append(((date.fromisoformat(day) - _EPOCH).days, retention, path))
    return sorted(found, reverse=True)


def spaced(text: str) -> str:
    """A text as it is indexed."""
    if text.isascii():
        return text
    return _UNSPACED.sub(r" \1 ", text.encode("utf-8", "replace").decode("utf-8"))


class PayloadWriter:
    """The one writer of a payload file."""

    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        self._connection = connect(path, synchronous=synchronous, cache_mb=16, page_kb=_PAGE_KB)
        migrate(self._connection, path, PAYLOADS)
        self._count = int(
            self._connection.execute(
                "SELECT count(*) FROM (SELECT 1 FROM payloads LIMIT ?)", (TRAIN_AFTER,)
            ).fetchone()[0]
        )
        newest = self._connection.execute("SELECT max(rowid), data FROM dictionaries").fetchone()
        self._trained = newest[0] is not None
        self._use(zstandard.ZstdCompressionDict(newest[1]) if self._trained else None)

    def append(self, payloads: Sequence[tuple[int, NewPayload]]) -> int:
        """Commit payloads under the numbers of their spans; gives their size before compression."""
        if not self._trained and self._count >= TRAIN_AFTER:
            self._train()
        compress, raw, bodies = self._compress, 0, []
        for number, payload in payloads:
            packed = _pack(payload.raw or (payload.request, payload.response))
            raw += len(packed)
            bodies.append((number, compress(packed)))
        texts = [(number, spaced(p.text)) for number, p in payloads if p.text]
        with transaction(self._connection):
            self._connection.executemany("INSERT INTO payloads (id, body) VALUES (?, ?)", bodies)
            self._connection.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", texts)
        self._count += len(bodies)
        return raw

    def reword(self, texts: Sequence[tuple[int, str]]) -> None:
        """Find some payloads by other words from now on."""
        with transaction(self._connection):
            self._connection.executemany(
                "DELETE FROM texts WHERE rowid = ?", [(number,) for number, _ in texts]
            )
            self._connection.executemany(
                "INSERT INTO texts (rowid, text) VALUES (?, ?)",
                [(number, spaced(text)) for number, text in texts if text],
            )

    def cut(self, after: int) -> None:
        """Delete payloads beyond a number: their spans were never committed."""
        surplus = self._connection.execute(
            "SELECT id FROM payloads WHERE id > ?", (after,)
        ).fetchall()
        if surplus:
            with transaction(self._connection):
                self._connection.executemany("DELETE FROM texts WHERE rowid = ?", surplus)
                self._connection.execute("DELETE FROM payloads WHERE id > ?", (after,))
            self._count -= len(surplus)

    def remove(self, numbers: Sequence[int]) -> None:
        """Delete the payloads of some spans and their words."""
        self._connection.execute("PRAGMA secure_delete = ON")
        there = [(number,) for number in numbers]
        with transaction(self._connection):
            self._connection.executemany("DELETE FROM texts WHERE rowid = ?", there)
            self._connection.executemany("DELETE FROM payloads WHERE id = ?", there)

    def scrub(self) -> None:
        """Leave nothing of what was removed: neither its words in the index nor a dictionary that
        quotes it. Rewrites the file."""
        with transaction(self._connection):
            self._connection.execute("INSERT INTO texts (texts) VALUES ('optimize')")
        self._without_dictionary()
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _without_dictionary(self) -> None:
        plain = zstandard.ZstdCompressor(level=LEVEL).compress
        known = self._connection.execute("SELECT id, data FROM dictionaries").fetchall()
        if not known:
            return
        decompress = {
            name: zstandard.ZstdDecompressor(dict_data=zstandard.ZstdCompressionDict(data))
            for name, data in known
        }
        with transaction(self._connection):
            last = 0
            while rows := self._connection.execute(
                "SELECT id, body FROM payloads WHERE id > ? ORDER BY id LIMIT 500", (last,)
            ).fetchall():
                last = rows[-1][0]
                named = [(zstandard.get_frame_parameters(b).dict_id, n, b) for n, b in rows]
                self._connection.executemany(
                    "UPDATE payloads SET body = ? WHERE id = ?",
                    [(plain(decompress[name].decompress(body, _LARGEST)), number)
                     for name, number, body in named if name],
                )  # fmt: skip
            self._connection.execute("DELETE FROM dictionaries")
        self._trained = True  # what comes keeps plain zstd: the next file has a dictionary again
        self._use(None)

    def _train(self) -> None:
        self._trained = True
        rows = self._connection.execute(
            "SELECT body FROM payloads ORDER BY id LIMIT ?", (TRAIN_AFTER,)
        )
        plain = zstandard.ZstdDecompressor()
        samples: list[bytes | bytearray | memoryview] = [
            plain.decompress(row[0], _LARGEST)[:_SAMPLE_BYTES] for row in rows
        ]
        try:
            trained = zstandard.train_dictionary(_DICTIONARY_BYTES, samples, k=1024, d=8)
        except zstandard.ZstdError:  # too little to learn from, such as bodies of a few bytes
            return
        self._connection.execute(
            "INSERT INTO dictionaries (id, data) VALUES (?, ?)",
            (trained.dict_id(), trained.as_bytes()),
        )
        self._use(trained)

    def _use(self, dictionary: zstandard.ZstdCompressionDict | None) -> None:
        if dictionary is not None:
            dictionary.precompute_compress(level=LEVEL)
        self._compress = zstandard.ZstdCompressor(level=LEVEL, dict_data=dictionary).compress

    def checkpoint(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        self._connection.close()


class PayloadReader:
    """One payload file, open for reading. Belongs to one thread.

    Raises FileNotFoundError for a file that is gone, or that its writer has only just begun.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            raise FileNotFoundError(path)
        self._connection = connect(path)
        if version(self._connection) == 0:
            self._connection.close()
            raise FileNotFoundError(path)
        self._connection.execute("PRAGMA query_only = 1")
        self._decompress: dict[int, Callable[[bytes, int], bytes]] = {}

    def __enter__(self) -> PayloadReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def read(self, number: int) -> Bodies | None:
        """Request and response of a span, or None when they are not here."""
        packed = self._packed(number)
        if packed is None or len(packed) == 2:
            return packed
        return bodies(read_piece(Piece(*packed)))

    def piece(self, number: int) -> Piece | None:
        """What was sent of a span that came as OTLP; None for any other."""
        packed = self._packed(number)
        return None if packed is None or len(packed) == 2 else Piece(*packed)

    def _packed(self, number: int) -> Packed | None:
        row = self._connection.execute(
            "SELECT body FROM payloads WHERE id = ?", (number,)
        ).fetchone()
        return None if row is None else self._open(row[0])

    def matches(
        self, expression: str, above: int, below: int, *, newest_first: bool
    ) -> Iterator[int]:
        """Numbers between two bounds of the spans whose text matches, in order."""
        rows = self._connection.execute(
            "SELECT rowid FROM texts WHERE texts MATCH ? AND rowid > ? AND rowid < ? "
            f"ORDER BY rowid {'DESC' if newest_first else 'ASC'}",
            (expression, above, below),
        )
        return (row[0] for row in rows)

    def _open(self, body: bytes) -> Packed:
        name = zstandard.get_frame_parameters(body).dict_id
        decompress = self._decompress.get(name)
        if decompress is None:
            decompress = self._decompress[name] = self._decompressor(name)
        packed: Packed = tuple(_unpack(decompress(body, _LARGEST)))
        return packed

    def _decompressor(self, name: int) -> Callable[[bytes, int], bytes]:
        if name == 0:
            return zstandard.ZstdDecompressor().decompress
        data = self._connection.execute(
            "SELECT data FROM dictionaries WHERE id = ?", (name,)
        ).fetchone()[0]
        dictionary = zstandard.ZstdCompressionDict(data)
        return zstandard.ZstdDecompressor(dict_data=dictionary).decompress


class PayloadFiles:
    """The writer's side of all payload files; keeps those of the current day open."""

    def __init__(self, folder: Path, synchronous: Synchronous) -> None:
        self._folder = folder
        self._synchronous = synchronous
        self._open: dict[tuple[int, str], PayloadWriter] = {}
        self._known = False
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, day: int, retention: str, rows: Sequence[tuple[int, NewPayload]]) -> int:
        for key in [key for key in self._open if key[0] < day]:
            self._open.pop(key).close()
        return self._writer(day, retention).append(rows)

    def cut(self, after: int) -> None:
        """Undo what was written ahead of spans that were not committed."""
        if not self._known:  # another process may have died over any of them
            self._known = True
            for day, retention, path in files(self._folder):
                if _last(path) > after:
                    self._writer(day, retention)
        for writer in self._open.values():
            writer.cut(after)

    def reword(self, day: int, retention: str, texts: Sequence[tuple[int, str]]) -> None:
        """Find payloads by other words; a file that is gone holds none."""
        if (self._folder / file_name(day, retention)).exists():
            self._writer(day, retention).reword(texts)

    def _writer(self, day: int, retention: str) -> PayloadWriter:
        writer = self._open.get((day, retention))
        if writer is None:
            path = self._folder / file_name(day, retention)
            writer = self._open[day, retention] = PayloadWriter(path, self._synchronous)
        return writer

    def remove(self, day: int, retention: str, numbers: Sequence[int]) -> None:
        """Delete payloads; a file that is gone already holds none."""
        if numbers and (self._folder / file_name(day, retention)).exists():
            self._writer(day, retention).remove(numbers)

    def scrub(self, day: int, retention: str) -> None:
        """Leave nothing of what was removed from a file."""
        if (self._folder / file_name(day, retention)).exists():
            self._writer(day, retention).scrub()

    def discard(self, day: int, retention: str) -> None:
        """Delete a file as a whole."""
        writer = self._open.pop((day, retention), None)
        if writer is not None:
            writer.close()
        path = self._folder / file_name(day, retention)
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)

    def checkpoint(self) -> None:
        for writer in self._open.values():
            writer.checkpoint()

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


def _last(path: Path) -> int:
    with closing(connect(path)) as connection:
        migrate(connection, path, PAYLOADS)
        return int(connection.execute("SELECT coalesce(max(id), 0) FROM payloads").fetchone()[0])
