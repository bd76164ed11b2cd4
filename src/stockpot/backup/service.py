"""Writing and reading archives of an instance. Knows which file may be copied how; runs no server.

The order makes the archive whole while the instance serves. The spool goes first and the span log
after it: what the shipper moves meanwhile is in both, and is known again by its place when it is
shipped once more after a restore. Within the span log the index goes before the payloads that it
points to. SQLite files are copied by SQLite's own backup, page by page beside their writer.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

import msgspec
import zstandard

from stockpot import __version__
from stockpot.backup.models import FORMAT, Kept, Manifest
from stockpot.backup.rows import Dump, dump, load
from stockpot.core.db import Database, copy_sqlite
from stockpot.core.errors import Conflict, InvalidInput
from stockpot.core.instance import Instance

_MANIFEST = "manifest.json"
_TABLES = "control/"


class Restored(NamedTuple):
    manifest: Manifest
    seconds: float


async def back_up(instance: Instance, db: Database, archive: Path) -> Manifest:
    """Write a `.tar.zst`; the instance may be running. The file appears when it is whole."""
    began = time.time_ns() // 1_000_000
    draft = archive.with_name(f".{archive.name}.{os.getpid()}")
    try:
        with draft.open("xb") as raw, zstandard.ZstdCompressor(3).stream_writer(raw) as packed:
            os.fchmod(raw.fileno(), 0o600)
            with tarfile.open(fileobj=packed, mode="w|") as tar:
                files = list(_add_files(tar, instance))
                revision, rows = await db.read(dump)
                files += _add_rows(tar, rows)
                counts = {table: len(lines) - 1 for table, lines in rows.items()}
                ended = time.time_ns() // 1_000_000
                manifest = Manifest(
                    FORMAT, __version__, revision, began, ended, counts, tuple(files)
                )
                _add(tar, _MANIFEST, msgspec.json.encode(manifest))
        draft.replace(archive)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def _add_files(tar: tarfile.TarFile, instance: Instance) -> Iterator[Kept]:
    home = instance.home
    yield _add(tar, "instance.key", (home / "instance.key").read_bytes())
    if (home / "stockpot.toml").exists():
        yield _add(tar, "stockpot.toml", (home / "stockpot.toml").read_bytes())
    for path in sorted(instance.spool.rglob("*")):
        if path.is_file():
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # shipped meanwhile: the span log, which is read next, has it
            yield _add(tar, str(path.relative_to(home)), content)
    with tempfile.TemporaryDirectory(dir=home, prefix=".backup-") as folder:
        for path in _databases(instance.spans):
            copy = Path(folder) / "copy.db"
            try:
                copy_sqlite(path, copy)
            except FileNotFoundError:
                continue  # a file of payloads whose time was over while others were read
            yield _add_file(tar, str(path.relative_to(home)), copy)
            copy.unlink()


def _databases(spans: Path) -> list[Path]:
    """The index first, then what it points to."""
    found = sorted(spans.rglob("*.db"))
    return sorted(found, key=lambda path: (path.parent != spans, str(path)))


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> Kept:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(time.time())
    tar.addfile(entry, io.BytesIO(content))
    return Kept(name, len(content), hashlib.sha256(content).hexdigest())


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> Kept:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = path.stat().st_size, 0o600, int(time.time())
    with path.open("rb") as file:
        tar.addfile(entry, file)
    return Kept(name, entry.size, digest)


def _add_rows(tar: tarfile.TarFile, rows: Dump) -> list[Kept]:
    return [_add(tar, f"{_TABLES}{t}.jsonl", b"\n".join(lines)) for t, lines in rows.items()]


async def restore(instance: Instance, db: Database, archive: Path) -> Restored:
    """Unpack into an empty home and an empty store. Nothing is left behind when it fails."""
    began = time.monotonic()
    home = instance.home
    if (home / "instance.key").exists() or any((home / "spans").glob("*.db")):
        raise Conflict(
            f"{home} already holds an instance",
            hint="set STOCKPOT_HOME to an empty folder",
        )
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".restore-") as folder:
        manifest = _unpack(archive, Path(folder))
        rows = {
            table: (Path(folder) / f"{_TABLES}{table}.jsonl").read_bytes().split(b"\n")
            for table in manifest.rows
        }
        await db.write(lambda c: load(c, manifest.schema, rows))
        for kept in manifest.files:
            if not kept.path.startswith(_TABLES):
                target = home / kept.path
                target.parent.mkdir(parents=True, exist_ok=True)
                (Path(folder) / kept.path).replace(target)
    return Restored(manifest, time.monotonic() - began)


def _unpack(archive: Path, folder: Path) -> Manifest:
    """All members, checked against the manifest."""
    try:
        with archive.open("rb") as raw, zstandard.ZstdDecompressor().stream_reader(raw) as packed:
            _extract(packed, folder)
        manifest = msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except (FileNotFoundError, tarfile.TarError, zstandard.ZstdError, msgspec.MsgspecError) as bad:
        raise InvalidInput(f"{archive} is no whole archive of stockpot: {bad}") from None
    if manifest.format != FORMAT:
        raise InvalidInput(
            f"{archive} has format {manifest.format}, this stockpot reads {FORMAT}",
            hint=f"restore it with stockpot {manifest.version}",
        )
    for kept in manifest.files:
        with (folder / kept.path).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != kept.sha256:
                raise InvalidInput(f"{kept.path!r} in {archive} is damaged")
    return manifest


def _extract(packed: IO[bytes], folder: Path) -> None:
    with tarfile.open(fileobj=packed, mode="r|") as tar:
        tar.extractall(folder, filter="data")
