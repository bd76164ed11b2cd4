"""Embeddings by this instance's own gateway, paid by the project that asks. Knows the OpenAI form;
knows nothing of what is embedded."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from stockpot.catalog import Catalog
from stockpot.core.errors import Unavailable
from stockpot.playground.passing import GatewayCaller


class GatewayEmbedder:
    """Asks the embedding model that the instance serves; `model_of` tells which that is now."""

    def __init__(
        self, catalog: Catalog, caller: GatewayCaller,
        model_of: Callable[[], Awaitable[str | None]],
    ) -> None:  # fmt: skip
        self._catalog = catalog
        self._caller = caller
        self._model_of = model_of

    async def model(self) -> str | None:
        """The model that is there to ask, or None."""
        return await self._model_of()

    async def embed(self, project: str, texts: Sequence[str], model: str) -> list[list[float]]:
        """One vector for each text. Raises Unavailable."""
        secret = await self._catalog.keys.playground_secret(project)
        body = json.dumps({"model": model, "input": list(texts)}).encode()
        answer = await self._caller.ask("/v1/embeddings", body, secret, {})
        if answer.status != 200:
            raise Unavailable(f"the gateway answers {answer.status}: {answer.body[:200]}")
        try:
            rows: list[dict[str, Any]] = json.loads(answer.body)["data"]
            made = [row["embedding"] for row in sorted(rows, key=lambda row: int(row["index"]))]
            same = len(made) == len(texts) and len({len(one) for one in made}) == 1
        except (ValueError, KeyError, TypeError) as odd:
            raise Unavailable(f"the answer holds no embeddings: {odd!r}") from None
        if not same:
            raise Unavailable("the answer holds other embeddings than were asked for")
        return made
