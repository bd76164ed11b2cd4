"""Where archives lie: a file, or a store of blobs by their digest. Knows no archive's inside."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from stockpot.core.blobs import open_blobs
from stockpot.core.errors import InvalidInput, NotFound

_DIGEST = 64


class Place:
    """Where an archive is being written to: `file` now, `address` in the end, `bytes` long."""

    def __init__(self, file: Path, address: str) -> None:
        self.file = file
        self.address = address
        self.bytes = 0


@contextlib.contextmanager
def written(target: str, home: Path) -> Iterator[Place]:
    """A file to write the archive to; it is in `target` when the block ends well."""
    if "://" not in target:
        if not target or Path(target).is_dir():
            raise InvalidInput(f"{target!r} is no file", hint="stockpot backup FOLDER/NAME.tar.zst")
        place = Place(Path(target), target)
        yield place
        place.bytes = place.file.stat().st_size
        return
    blobs = open_blobs(target)
    with tempfile.TemporaryDirectory(dir=home, prefix=".backup-") as folder:
        place = Place(Path(folder) / "archive.tar.zst", "")
        yield place
        place.bytes = place.file.stat().st_size
        place.address = f"{target.rstrip('/')}/{blobs.put(place.file)}"


@contextlib.contextmanager
def found(archive: str) -> Iterator[Path]:
    """The archive as a file of this host, for as long as the block runs."""
    if "://" not in archive:
        file = Path(archive)
        if not file.is_file():
            raise NotFound(f"no archive at {archive!r}", hint="stockpot backup FILE makes one")
        yield file
        return
    store, _, digest = archive.rpartition("/")
    if len(digest) != _DIGEST:
        raise InvalidInput(
            f"{archive!r} does not end in an archive's digest",
            hint="give the whole address that stockpot backup printed",
        )
    with tempfile.TemporaryDirectory(prefix="stockpot-") as folder:
        file = Path(folder) / "archive.tar.zst"
        open_blobs(store).fetch(digest, file)
        yield file
