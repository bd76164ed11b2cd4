"""Blobs in a folder of this host: `ab/cd…` by digest."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

from stockpot.core.blobs.port import checked, digest_of
from stockpot.core.errors import NotFound


class FileBlobs:
    """See `port.Blobs`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, source: Path) -> str:
        digest = digest_of(source)
        target = self._place(digest)
        if target.exists():
            return digest
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".{uuid.uuid4().hex}")
        try:
            shutil.copyfile(source, draft)
            with draft.open("rb") as copied:
                os.fsync(copied.fileno())
            draft.chmod(0o600)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        return digest

    def fetch(self, digest: str, target: Path) -> None:
        try:
            shutil.copyfile(self._place(digest), target)
        except FileNotFoundError:
            raise NotFound(f"no blob {digest} in {self._folder}") from None
        checked(target, digest)

    def has(self, digest: str) -> bool:
        return self._place(digest).exists()

    def delete(self, digest: str) -> None:
        self._place(digest).unlink(missing_ok=True)

    def digests(self) -> Iterator[str]:
        for path in self._folder.glob("[0-9a-f][0-9a-f]/[0-9a-f]*"):
            yield path.parent.name + path.name

    def _place(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:]
