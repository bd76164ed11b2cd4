"""Whether an answer says what it has to. Knows texts; knows no meaning."""

from __future__ import annotations

from typing import Any, ClassVar

from stockpot.evals.scorers.base import Case, Scorer, as_text


class Mentions(Scorer):
    """The share of the expected phrases that the answer has; case and white space do not count."""

    name, returns = "mentions", "number"
    OPTIONS: ClassVar[dict[str, str]] = {
               "phrases": "what every answer has to have; without it each row's expected list"
    }  # fmt: skip

    def score(self, case: Case) -> tuple[float | None, str]:
        wanted: Any = self.options.get("phrases")
        wanted = self.wanted(case) if wanted is None else wanted
        phrases = [wanted] if isinstance(wanted, str) else list(wanted or ())
        if not phrases:
            return None, "no phrase is expected"
        said = _plain(as_text(self.found(case)))
        missing = [str(phrase) for phrase in phrases if _plain(str(phrase)) not in said]
        share = 1 - len(missing) / len(phrases)
        return share, f"does not say {', '.join(map(repr, missing))}" if missing else ""


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())
