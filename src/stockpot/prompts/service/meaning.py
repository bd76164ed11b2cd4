"""Finding prompts by what they mean: the likeness of embeddings where a model is there to make
them, words where none is. Says which it was. Knows no gateway: an `Embedder` is given."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from stockpot.access import Principal
from stockpot.core.errors import StockpotError
from stockpot.prompts.models import PromptFilter, PromptHit, PromptSearch, PromptSummary
from stockpot.prompts.ports import Embedder
from stockpot.prompts.service.prompts import PromptService

_MOST_SOUGHT = 2000
_MOST_KEPT = 10_000
_AT_ONCE = 64
_LONGEST = 4000
"""Characters of a prompt that an embedding is made of: models read no more."""


class MeaningSearch:
    """Keeps embeddings of prompts in memory, by what they are of: a prompt that changes is embedded
    again, and others are not."""

    def __init__(self, prompts: PromptService) -> None:
        self._prompts = prompts
        self._kept: dict[bytes, Any] = {}
        self.embedder: Embedder | None = None
        """Who makes embeddings; the composition root tells."""

    async def find(self, actor: Principal, q: str, project: str | None, limit: int) -> PromptSearch:
        """The prompts that mean most nearly what is asked."""
        why = "no embedding model is served"
        model = await self.embedder.model() if self.embedder is not None else None
        if model is not None:
            try:
                hits = await self._by_meaning(actor, q, project, model)
                return PromptSearch(by="meaning", model=model, why="", items=hits[:limit])
            except StockpotError as failed:
                why = f"{model} did not answer: {failed.message}"
        found = await self._prompts.all(actor, PromptFilter(project=project, q=q))
        hits = tuple(PromptHit(prompt=prompt) for prompt in found)
        return PromptSearch(by="words", model="", why=why, items=hits[:limit])

    async def _by_meaning(
        self, actor: Principal, q: str, project: str | None, model: str
    ) -> tuple[PromptHit, ...]:
        import numpy as np

        where = PromptFilter(project=project)
        found = (await self._prompts.all(actor, where))[:_MOST_SOUGHT]
        words = await self._prompts.words_of([prompt.id for prompt in found])
        texts = [words[prompt.id][:_LONGEST] for prompt in found]
        # Whoever pays is the project that is asked about, or that of the first prompt.
        payer = project or (found[0].project if found else "")
        if not found:
            return ()
        asked, *vectors = await self._vectors([q, *texts], model, payer)
        likeness = np.array(vectors) @ asked
        ranked = sorted(zip(likeness.tolist(), found, strict=True), key=_best_first)
        return tuple(PromptHit(prompt=one, likeness=round(value, 4)) for value, one in ranked)

    async def _vectors(self, texts: Sequence[str], model: str, project: str) -> list[Any]:
        """One vector of length 1 for each text, those that are known without asking again."""
        import numpy as np

        assert self.embedder is not None
        keys = [blake2b(f"{model}\0{text}".encode("utf-8", "replace")).digest() for text in texts]
        found = {key: self._kept[key] for key in keys if key in self._kept}
        missing = list(dict.fromkeys(key for key in keys if key not in found))
        text_of = dict(zip(keys, texts, strict=True))
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            made = await self.embedder.embed(project, [text_of[key] for key in some], model)
            for key, vector in zip(some, np.array(made, dtype=np.float64), strict=True):
                found[key] = self._kept[key] = vector / (np.linalg.norm(vector) or 1.0)
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return [found[key] for key in keys]


def _best_first(one: tuple[float, PromptSummary]) -> tuple[float, str, str]:
    return -one[0], one[1].project, one[1].name
