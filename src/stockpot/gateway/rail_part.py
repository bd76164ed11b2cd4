"""The guardrails of a snapshot, for those that have some. Knows the part's name; loads no rail
before one is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stockpot.gateway.models import Part

if TYPE_CHECKING:
    from stockpot.gateway.guard.stage import Compiling, GuardStage

NAME = "guardrails"


class RailReader:
    """Reads the part when it has changed."""

    def __init__(self) -> None:
        self._compiling: Compiling | None = None

    def read(self, parts: tuple[Part, ...]) -> GuardStage | None:
        """None without a policy. Raises ConfigError for what cannot be run here."""
        part = next((part for part in parts if part.name == NAME), None)
        if part is None or not part.data:
            return None
        if self._compiling is None:
            from stockpot.gateway.guard.stage import Compiling  # most workers never see a policy

            self._compiling = Compiling()
        return self._compiling.stage(part)

    async def close(self) -> None:
        """End what was started for rails."""
        if self._compiling is not None:
            await self._compiling.close()
