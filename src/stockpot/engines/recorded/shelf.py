"""Recordings on disk: `STOCKPOT_HOME/recorded/<model>.jsonl`. Knows files; knows no server.

`run/recorded.wanted` stands while there is one: it asks the supervisor for the server.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from stockpot.core.errors import NotFound, did_you_mean
from stockpot.core.instance import Instance
from stockpot.engines.recorded.models import Tape, read
from stockpot.engines.table import check_name

_MARK = "recorded.wanted"


class Recording(NamedTuple):
    """A recorded model that is here."""

    name: str
    answers: int
    bytes: int


def folder_of(instance: Instance) -> Path:
    """Where recordings lie."""
    return instance.home / "recorded"


def wanted(instance: Instance) -> Path:
    """The mark that asks for the server, brought in line with what is there."""
    mark = instance.run / _MARK
    if any(folder_of(instance).glob("*.jsonl")):
        mark.touch()
    else:
        mark.unlink(missing_ok=True)
    return mark


def record(instance: Instance, name: str, data: bytes) -> Recording:
    """Keep a recording under a name, in the place of an older one. Raises InvalidInput."""
    tape = read(data, check_name(name))
    folder = folder_of(instance)
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{name}.{os.getpid()}"
    draft.write_bytes(data)
    draft.replace(folder / f"{name}.jsonl")
    wanted(instance)
    return Recording(name, tape.lines, len(data))


def recordings(instance: Instance) -> tuple[Recording, ...]:
    """Every recorded model, by name."""
    found = []
    for path in sorted(folder_of(instance).glob("*.jsonl")):
        data = path.read_bytes()
        found.append(Recording(path.stem, read(data, path.stem).lines, len(data)))
    return tuple(found)


def remove(instance: Instance, name: str) -> Recording:
    """Forget a recording. Raises NotFound."""
    known = {recording.name: recording for recording in recordings(instance)}
    if name not in known:
        raise NotFound(f"no recording {name!r}.{did_you_mean(name, known)}")
    (folder_of(instance) / f"{name}.jsonl").unlink()
    wanted(instance)
    return known[name]


class Shelf:
    """The recordings of an instance, read again when their files change."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[int, int]] = {}
        self.tapes: dict[str, Tape] = {}

    def look(self) -> bool:
        """Whether something came, went or changed."""
        now = {
            path.stem: (status.st_mtime_ns, status.st_ino)
            for path in self._folder.glob("*.jsonl")
            if (status := path.stat())
        }
        if now == self._seen:
            return False
        for name, mark in now.items():
            if self._seen.get(name) != mark:
                self.tapes[name] = read((self._folder / f"{name}.jsonl").read_bytes(), name)
        for name in set(self.tapes) - set(now):
            del self.tapes[name]
        self._seen = now
        return True
