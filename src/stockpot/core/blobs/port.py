"""What a store of blobs can do, and the errors of all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from stockpot.core.errors import StockpotError


class Damaged(StockpotError):
    """What was fetched is not what was put."""

    code, status = "damaged_blob", 500


class Blobs(Protocol):
    """Contents by their SHA-256 (64 lower-case hex digits). Safe to call from several threads.

    Putting the same content twice keeps it once. A blob is there in whole or not at all.
    """

    def put(self, source: Path) -> str:
        """Keep a file's content; returns its digest."""
        ...

    def fetch(self, digest: str, target: Path) -> None:
        """Write a blob to a file. Raises NotFound, or Damaged when it is not what was put."""
        ...

    def has(self, digest: str) -> bool:
        """Whether it is kept here."""
        ...

    def delete(self, digest: str) -> None:
        """Forget it; nothing happens when it is not there."""
        ...

    def digests(self) -> Iterator[str]:
        """All that are kept, in no particular order."""
        ...


def digest_of(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(path: Path, digest: str) -> None:
    """Raises Damaged when a file is not what its name says."""
    if digest_of(path) != digest:
        raise Damaged(f"the blob {digest} is damaged", hint="restore it from another copy")
