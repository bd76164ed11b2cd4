"""What prompts ask of others, who may be absent. The composition root gives it."""

from __future__ import annotations

from typing import Protocol


class GateProof(Protocol):
    """Whoever knows evaluations."""

    async def passed(self, project: str, prompt_name: str, version: int) -> str | None:
        """The id of a run that this version passed, or None."""
        ...
