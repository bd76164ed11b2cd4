"""What an archive says of itself."""

from __future__ import annotations

import msgspec

FORMAT = 1


class Kept(msgspec.Struct, frozen=True):
    """One file of an archive."""

    path: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """The archive holds every call that was answered before `began_ms`, and of later ones what had
    been written when its files were read. It is the last member, so that a torn archive has none.
    """

    format: int
    version: str
    schema: str
    began_ms: int
    ended_ms: int
    rows: dict[str, int]
    files: tuple[Kept, ...]
