"""What stands beside a judge's score: how far that judge agrees with people. Frozen, without I/O.

Knows the short form of a certificate and whom it is about; what a judge is and how it was
certified, others know and tell (`Certifying`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal, Protocol

from stockpot.traces.models import Frozen

CertificateState = Literal["certified", "uncertified", "expired"]
JUDGE = "judge:"
"""An evaluator whose name begins so is a judge: `judge:NAME@VERSION`."""


class Badge(Frozen):
    """A judge's certificate in short. `kappa` with its 95 % interval is the agreement with people
    on `n` items; `state` is `certified` where the interval's lower end is at least 0.4 and nothing
    has changed since; anything else may inform and never gate. `words` says why."""

    judge: str
    state: CertificateState
    kappa: float | None = None
    low: float | None = None
    high: float | None = None
    n: int = 0
    words: str = ""

    @property
    def may_gate(self) -> bool:
        """Whether decisions may rest on this judge."""
        return self.state == "certified"


class Certifying(Protocol):
    """Who knows the certificates of judges."""

    async def badges(self, project: str, evaluators: Collection[str]) -> Mapping[str, Badge]:
        """The badge of every evaluator of a project, by its name; strange ones get one too."""
        ...


def is_judge(source: str, evaluator: str) -> bool:
    """Whether a score comes from a judge."""
    return source == "judge" or evaluator.startswith(JUDGE)


def unmeasured(evaluator: str) -> Badge:
    """The badge of a judge that nobody knows here."""
    return Badge(
        judge=evaluator, state="uncertified",
        words="this judge is not kept here: nobody has measured it against people",
    )  # fmt: skip


def badge_words(badge: Mapping[str, Any] | None) -> str:
    """A badge as the API gives it, in a few words for a line of a table."""
    if badge is None:
        return ""
    if badge["kappa"] is None:
        return str(badge["state"])
    ends = "" if badge["low"] is None else f" [{badge['low']:.2f}, {badge['high']:.2f}]"
    return f"{badge['state']}, kappa {badge['kappa']:.2f}{ends}, n={badge['n']}"
