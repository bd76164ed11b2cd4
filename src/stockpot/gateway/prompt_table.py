"""The prompts of a snapshot as a table. Knows the part and its version; renders nothing."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from stockpot.core.errors import ConfigError
from stockpot.gateway.models import Part
from stockpot.templates import PROMPTS_PART, PROMPTS_PART_VERSION, PromptsPart, Version

_decode = msgspec.msgpack.Decoder(PromptsPart).decode


class PromptEntry(NamedTuple):
    """A prompt: where its labels point, and the versions that may be asked for."""

    name: str
    labels: dict[str, int]
    versions: dict[int, Version]


PromptTable = dict[tuple[str, str], PromptEntry]
"""By project and name."""

NO_PROMPTS: PromptTable = {}


class PromptReader:
    """Reads the part when it has changed: a snapshot that only moves a key costs nothing here."""

    def __init__(self) -> None:
        self._data = b""
        self._table: PromptTable = NO_PROMPTS

    def read(self, parts: tuple[Part, ...]) -> PromptTable:
        """Raises ConfigError for a version that is not known, and MsgspecError for damage."""
        part = next((part for part in parts if part.name == PROMPTS_PART), None)
        if part is None:
            return NO_PROMPTS
        if part.version != PROMPTS_PART_VERSION:
            raise ConfigError(
                f"snapshot part {part.name!r} has version {part.version}, this worker knows "
                f"version {PROMPTS_PART_VERSION}",
                hint="update this host's stockpot",
            )
        if part.data != self._data:
            self._table = {
                (made.project, made.name): PromptEntry(
                    made.name, made.labels, {one.number: one for one in made.versions}
                )
                for made in _decode(part.data).prompts
            }
            self._data = part.data
        return self._table
