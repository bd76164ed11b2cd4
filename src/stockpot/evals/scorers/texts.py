"""Overlap of texts by the libraries that papers use. They come with the extra `evals`."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, ClassVar

from stockpot.core.errors import ConfigError
from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Case, Extra, Scorer, as_text


def _library(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise ConfigError(
            f"the library {name.partition('.')[0]!r} is not installed",
            hint="pip install 'stockpot[evals]'",
        ) from None


class Bleu(Scorer):
    """BLEU of sacrebleu, 0 to 100: each sentence, and the whole corpus as `NAME.corpus`."""

    name, returns, needs = "bleu", "number", "stockpot[evals]"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._metric = _library("sacrebleu.metrics").BLEU(effective_order=True)
        self._corpus = _library("sacrebleu.metrics").BLEU()

    def score(self, case: Case) -> tuple[float, str]:
        found = self._metric.sentence_score(as_text(self.found(case)), _references(self, case))
        return float(found.score), str(found)

    def extras(
        self, cases: Sequence[Case], verdicts: Sequence[Verdict], confidence: float
    ) -> list[Extra]:
        from stockpot.stats import Estimate

        references = [_references(self, case) for case in cases]
        if not cases or len({len(found) for found in references}) != 1:
            return []  # a corpus has the same number of references for each sentence
        texts = [as_text(self.found(case)) for case in cases]
        value = self._corpus.corpus_score(texts, [list(r) for r in zip(*references, strict=True)])
        nan = float("nan")
        found = Estimate(value.score, nan, nan, nan, len(cases), len(cases), nan, nan, "sacrebleu")
        return [Extra("corpus", found, "score")]


class ChrF(Scorer):
    """chrF of sacrebleu, 0 to 100."""

    name, returns, needs = "chrf", "number", "stockpot[evals]"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._metric = _library("sacrebleu.metrics").CHRF()

    def score(self, case: Case) -> tuple[float, str]:
        found = self._metric.sentence_score(as_text(self.found(case)), _references(self, case))
        return float(found.score), str(found)


class Rouge(Scorer):
    """ROUGE of rouge-score, 0 to 1: the F-measure of the kind that is asked for."""

    name, returns, needs = "rouge", "number", "stockpot[evals]"
    OPTIONS: ClassVar[dict[str, str]] = {
        "kind": "rouge1, rouge2 or rougeL (default)",
        "stem": "true: compare word stems",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kind = str(options.get("kind", "rougeL"))
        scorer = _library("rouge_score.rouge_scorer").RougeScorer
        self._scorer = scorer([self._kind], use_stemmer=bool(options.get("stem")))

    def score(self, case: Case) -> float:
        texts, found = _references(self, case), as_text(self.found(case))
        return max(float(self._scorer.score(text, found)[self._kind].fmeasure) for text in texts)


def _references(scorer: Scorer, case: Case) -> list[str]:
    wanted = scorer.wanted(case)
    return [as_text(one) for one in wanted] if isinstance(wanted, list) else [as_text(wanted)]
