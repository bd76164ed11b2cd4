"""Classification: is it the right class, and how good are all answers together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Case, Extra, Scorer, as_text


class Classes(Scorer):
    """The answer names the expected class. Beside the accuracy: `NAME.macro_f1`, and F1 of each
    class with its interval. With `labels` the first of them that stands in the answer counts."""

    name, returns, unit = "classes", "bool", "share"
    OPTIONS: ClassVar[dict[str, str]] = {"labels": "the classes to look for in the answer"}

    def score(self, case: Case) -> Verdict:
        found, wanted = self.label(case), as_text(self.wanted(case)).strip()
        right = found.casefold() == wanted.casefold()
        said = f"expected {wanted!r}, found {found!r}"
        return Verdict(value=float(right), label=found[:200], reason="" if right else said)

    def label(self, case: Case) -> str:
        """The class that the answer names."""
        said = as_text(self.found(case)).strip()
        places = [
            (place.start(), -len(label), label)
            for label in self.options.get("labels", ())
            if (place := re.search(rf"\b{re.escape(label)}\b", said, re.IGNORECASE))
        ]
        return min(places)[2] if places else said

    def extras(
        self, cases: Sequence[Case], verdicts: Sequence[Verdict], confidence: float
    ) -> list[Extra]:
        from stockpot.stats import binary_f1, macro_f1

        pairs = [
            (as_text(self.wanted(case)).strip().casefold(), verdict.label.casefold(), case.cluster)
            for case, verdict in zip(cases, verdicts, strict=True)
            if verdict.value is not None
        ]
        if not pairs:
            return []
        wanted, found, clusters = zip(*pairs, strict=True)
        grouped = clusters if any(clusters) else None
        extras = [Extra("macro_f1", macro_f1(wanted, found, grouped, confidence))]
        for label in dict.fromkeys(wanted):
            extras.append(Extra(f"f1:{label}", binary_f1(wanted, found, label, confidence).f1))
        return extras if len(extras) <= 51 else extras[:1]
