"""Model files on disk. Knows their layout and atomic installs; knows nothing of their sources.

models/
  <name>/model.json     what is installed; written last, so its presence means "whole"
  <name>/<file>.gguf
  .partial/<name>/      a pull under way, or `*.part` files to go on with
  .partial/<name>.lock  held by the process that pulls
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, ClassVar, Final

import msgspec

from stockpot.core.errors import Conflict, NotFound, StockpotError, Unavailable, did_you_mean
from stockpot.engines.models import InstalledModel, Progress, Report

_MANIFEST: Final = "model.json"
_CHUNK: Final = 1 << 20


class DigestMismatch(StockpotError):
    """A file is not what its digest says: damaged on the way, or replaced at its source."""

    code: ClassVar[str] = "digest_mismatch"
    status: ClassVar[int] = 502


class StorageTrouble(StockpotError):
    """The disk is full, or the folder cannot be written."""

    code: ClassVar[str] = "storage_trouble"
    status: ClassVar[int] = 507


class ModelStore:
    """The models of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def list(self) -> tuple[InstalledModel, ...]:
        """Everything that is installed, by name. A damaged manifest counts as absent."""
        found = (self.find(path.parent.name) for path in self.folder.glob(f"*/{_MANIFEST}"))
        return tuple(sorted((m for m in found if m is not None), key=lambda m: m.name))

    def find(self, name: str) -> InstalledModel | None:
        """One installed model, or None."""
        try:
            raw = (self.folder / name / _MANIFEST).read_bytes()
            model = msgspec.json.decode(raw, type=InstalledModel)
        except (OSError, msgspec.DecodeError):
            return None
        return model if self.path(model).is_file() else None

    def path(self, model: InstalledModel) -> Path:
        """Where the model's file lies."""
        return self.folder / model.name / model.file

    def install(self, file: Path, model: InstalledModel) -> None:
        """Move a complete, verified file into place. A reader sees the old model or the new one."""
        target = self.path(model)
        target.parent.mkdir(parents=True, exist_ok=True)
        old = self.find(model.name)
        file.replace(target)
        manifest = target.parent / _MANIFEST
        draft = manifest.with_suffix(".new")
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(model)) + b"\n")
        draft.replace(manifest)
        if old is not None and old.file != model.file:
            (target.parent / old.file).unlink(missing_ok=True)

    def remove(self, name: str) -> InstalledModel:
        """Delete a model's files. Raises NotFound."""
        model = self.find(name)
        if model is None:
            names = [m.name for m in self.list()]
            raise NotFound(
                f"no model {name!r} is installed.{did_you_mean(name, names)}",
                hint="stockpot models list",
            )
        (self.folder / name / _MANIFEST).unlink()  # first: what is half removed is not installed
        shutil.rmtree(self.folder / name)
        return model

    @contextlib.contextmanager
    def pulling(self, name: str, *, wait_s: float = 900.0) -> Iterator[Path]:
        """The scratch folder of a pull, held by one process at a time. It is cleared at the end,
        unless a download can go on next time. Raises Conflict when another process holds it too
        long."""
        scratch = self.folder / ".partial" / name
        path = scratch.with_name(f"{name}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(path, name, time.monotonic() + wait_s)
        try:
            scratch.mkdir(exist_ok=True)
            yield scratch
            self._clear(scratch)
        except (Unavailable, KeyboardInterrupt):
            if not any(scratch.glob("*.part")):
                self._clear(scratch)
            raise
        except BaseException:
            self._clear(scratch)
            raise
        finally:
            path.unlink()
            lock.close()

    def _clear(self, scratch: Path) -> None:
        shutil.rmtree(scratch, ignore_errors=True)


def _lock(path: Path, name: str, deadline: float) -> IO[str]:
    while True:
        file = path.open("w")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        except FileNotFoundError:
            pass  # its last holder has just deleted it
        except BlockingIOError:
            if time.monotonic() > deadline:
                file.close()
                raise Conflict(f"another process is still pulling {name!r}.") from None
            time.sleep(0.2)
        file.close()


def digest(path: Path, model: str, report: Report) -> str:
    """SHA-256 of a file in hex digits."""
    total, done = path.stat().st_size, 0
    sha = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            sha.update(chunk)
            done += len(chunk)
            report(Progress(model, "verify", done, total))
    return sha.hexdigest()
