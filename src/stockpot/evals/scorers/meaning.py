"""Similarity of meaning, by an embedding model behind the gateway."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Case, Scorer, Tools, as_text

_AT_ONCE = 64


class Semantic(Scorer):
    """The cosine of the answer's and the expected text's embeddings, -1 to 1."""

    name, returns = "semantic", "number"
    OPTIONS: ClassVar[dict[str, str]] = {"model": "the embedding model (minilm-l6-v2)"}

    async def score_all(self, cases: Sequence[Case], tools: Tools) -> list[Verdict]:
        model = str(self.options.get("model", "minilm-l6-v2"))
        texts = list(
            dict.fromkeys(
                text or " "
                for case in cases
                for text in (as_text(self.found(case)), as_text(self.wanted(case)))
            )
        )
        vectors: dict[str, list[float]] = {}
        for start in range(0, len(texts), _AT_ONCE):
            part = texts[start : start + _AT_ONCE]
            vectors.update(zip(part, await tools.embed(part, model), strict=True))
        return [
            Verdict(
                value=cosine(
                    vectors[as_text(self.found(case)) or " "],
                    vectors[as_text(self.wanted(case)) or " "],
                )
            )
            for case in cases
        ]


def cosine(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors; 0 where one of them is 0."""
    product = sum(a * b for a, b in zip(one, other, strict=True))
    sizes = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in other))
    return product / sizes if sizes else 0.0
