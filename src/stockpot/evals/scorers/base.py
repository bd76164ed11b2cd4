"""What a scorer is: one small class that looks at one case and says what it thinks of it.

    class Polite(Scorer):
        name, returns = "polite", "bool"

        def score(self, case: Case) -> tuple[bool, str]:
            return "please" in case.output, "says please"

An installed package offers it by an entry point of the group `stockpot.scorers`. Knows cases and
verdicts; knows no run, no store and no network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple, Protocol

import msgspec

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.evals.models import Verdict
from stockpot.evals.trusted import trusted

Returned = bool | float | int | str | None | Verdict | tuple[bool | float | int | str | None, str]
Returns = Literal["bool", "number", "label"]


class Call(msgspec.Struct, frozen=True):
    """A tool that the target called."""

    name: str
    arguments: dict[str, Any]


class Case(msgspec.Struct):
    """A row with what the target made of it."""

    item: str
    input: Any
    expected: Any
    metadata: dict[str, Any]
    output: str
    calls: tuple[Call, ...] = ()
    latency_ms: float | None = None
    cost_nano: int | None = None
    cluster: str = ""
    trace: Any = None
    """A recorded trajectory: messages or spans, as the row or the target gave them."""


class Extra(NamedTuple):
    """A metric of all cases together, beside the mean of the scores."""

    metric: str
    estimate: Any
    unit: str = "share"


class Tools(Protocol):
    """What a scorer may use of the world."""

    async def embed(self, texts: Sequence[str], model: str) -> list[list[float]]:
        """One vector for each text, by an embedding model behind the gateway."""
        ...

    async def judge(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[Verdict]:
        """What a pinned judge says of each case; `options` are those of its scorer."""
        ...

    async def judge_cost(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[int]:
        """What judging each case may cost, in nano-dollars; nothing where it was asked before."""
        ...

    def endpoint(self) -> tuple[str, str]:
        """The gateway's address (with `/v1`) and a key, for libraries that ask models
        themselves."""
        ...


class Scorer:
    """Base of every scorer. Options are the keyword arguments of `__init__`; OPTIONS says in words
    what each is, and an option that is not there is refused by its name."""

    name: ClassVar[str] = ""
    returns: ClassVar[Returns] = "bool"
    better: ClassVar[Literal["higher", "lower"]] = "higher"
    unit: ClassVar[str] = "score"
    needs: ClassVar[str] = ""
    OPTIONS: ClassVar[dict[str, str]] = {}
    COMMON: ClassVar[dict[str, str]] = {
        "field": "path into the output, read as JSON",
        "expected": "path into what is expected",
    }

    def __init__(self, **options: Any) -> None:
        known = {**self.COMMON, **self.OPTIONS}
        for option in options:
            if option not in known:
                raise InvalidInput(
                    f"the scorer {self.name!r} has no option {option!r}."
                    f"{did_you_mean(option, known)}",
                    hint="stockpot eval scorers",
                )
        self.options = options
        self.field = str(options.get("field", ""))
        self.expected = str(options.get("expected", ""))

    def score(self, case: Case) -> Returned:
        """What this scorer thinks of one case: a bool, a number or a label, with a reason."""
        raise NotImplementedError

    async def score_all(self, cases: Sequence[Case], tools: Tools) -> list[Verdict]:
        """Several cases at once; those that ask a model do that here."""
        return [self.judged(case) for case in cases]

    async def cost_ahead(self, cases: Sequence[Case], tools: Tools) -> Sequence[int]:
        """What scoring each case may cost, in nano-dollars, for those that ask a model."""
        return [0] * len(cases)

    def judged(self, case: Case) -> Verdict:
        """The verdict on one case; a scorer that fails says so, and counts as no score."""
        try:
            return verdict_of(self.score(case))
        except (ValueError, TypeError, KeyError, ZeroDivisionError) as bad:
            return Verdict(reason=f"could not be scored: {bad}")

    def extras(
        self, cases: Sequence[Case], verdicts: Sequence[Verdict], confidence: float
    ) -> list[Extra]:
        """Metrics of all cases together, such as F1."""
        return []

    def found(self, case: Case) -> Any:
        """What the target said: the text, or what stands at `field`."""
        return at_path(json.loads(case.output), self.field) if self.field else case.output

    def wanted(self, case: Case) -> Any:
        """What is expected, or what stands at `expected` in it."""
        return at_path(case.expected, self.expected) if self.expected else case.expected


def verdict_of(returned: Returned) -> Verdict:
    """A bool, number or label, with or without a reason, as a verdict."""
    if isinstance(returned, Verdict):
        return returned
    value, reason = returned if isinstance(returned, tuple) else (returned, "")
    label = value[:200] if isinstance(value, str) else ""
    number = None if value is None or isinstance(value, str) else float(value)
    # Checked already, and made for every row.
    return trusted(Verdict, {"value": number, "label": label, "reason": reason[:1000]})


def at_path(value: Any, path: str) -> Any:
    """What stands at a path such as `choices.0.message`. Raises ValueError where nothing does."""
    for part in path.split(".") if path else ():
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, (list, tuple)) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            raise ValueError(f"nothing stands at {path!r}: {part!r} is not there")
    return value


def as_text(value: Any) -> str:
    """A value as the text that a model would say."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
