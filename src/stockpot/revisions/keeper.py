"""What revisions ask of whoever keeps the definitions. Knows no definition."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import sqlalchemy as sa
from pydantic import BaseModel

from stockpot.access import Principal
from stockpot.gateway import GatewayPart
from stockpot.revisions.difference import Content, Path
from stockpot.revisions.models import Change, NewSecret
from stockpot.revisions.tally import Tally

T = TypeVar("T")


class Target(NamedTuple):
    """A wanted state, completed and checked, and what a person should know about it."""

    content: Content
    notes: tuple[str, ...]


class Seen(NamedTuple):
    """What a worker reported last: when (seconds of a steady clock), its revision, its totals."""

    at_s: float
    revision: int
    tally: Tally


class Keeper(Protocol):
    """Keeps definitions in tables of its own, and serves them to workers."""

    @property
    def sections(self) -> tuple[str, ...]:
        """The tables of a file."""
        ...

    @property
    def model(self) -> type[BaseModel]:
        """What a file may say."""
        ...

    def read(self, raw: Mapping[str, Any]) -> Content:
        """A file's tables as a state. Raises pydantic's ValidationError."""
        ...

    def for_people(self, content: Content) -> Content:
        """A state as a file writes it."""
        ...

    def present(self, c: sa.Connection) -> Content:
        """The state that is in force."""
        ...

    async def target(self, wanted: Content, present: Content) -> Target:
        """The wanted state as it would come about. Raises InvalidInput when it cannot."""
        ...

    async def parts(self, changes: Sequence[Change]) -> tuple[GatewayPart, GatewayPart]:
        """What workers serve from now, and what they would after the changes."""
        ...

    def new_secrets(self, changes: Sequence[Change]) -> tuple[NewSecret, ...]:
        """Secrets for the keys that the changes make, where no reference names one."""
        ...

    async def release(
        self,
        actor: Principal,
        changes: Sequence[Change],
        secrets: Sequence[NewSecret],
        settle: Callable[[sa.Connection], T],
    ) -> T:
        """Apply the changes, call `settle` in the same transaction, publish to all workers."""
        ...

    async def try_on(self, changes: Sequence[Change]) -> tuple[str, int] | None:
        """Serve the changed state to one worker. Its name, and the number of the snapshot that it
        gets; None when no worker lives."""
        ...

    async def end_trial(self) -> None:
        """Serve the same to all workers again."""
        ...

    def seen(self) -> Mapping[str, Sequence[Seen]]:
        """What the living workers reported in the last minutes, oldest first."""
        ...

    async def move(self, actor: Principal, path: Path, value: Any, reason: str) -> None:
        """Move a pointer, with its line in the journal, and publish."""
        ...

    async def tell(self, severity: str, subject: str, message: str, data: dict[str, Any]) -> None:
        """Add an event for people."""
        ...
