"""What prompts ask of others, who may be absent. The composition root gives it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class GateProof(Protocol):
    """Whoever knows evaluations."""

    async def passed(self, project: str, prompt_name: str, version: int) -> str | None:
        """The id of a run that this version passed, or None."""
        ...


class Embedder(Protocol):
    """Whoever can ask an embedding model."""

    async def model(self) -> str | None:
        """The model that is there to ask, or None."""
        ...

    async def embed(self, project: str, texts: Sequence[str], model: str) -> list[list[float]]:
        """One vector for each text, paid by a project. Raises Unavailable."""
        ...
