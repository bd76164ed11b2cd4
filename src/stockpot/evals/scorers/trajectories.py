"""What an agent did on the way, and whether it does it each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from stockpot.core.errors import InvalidInput
from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Call, Case, Extra, Scorer

_MODES = ("exact", "in_order", "any_order")


class Trajectory(Scorer):
    """The tool calls of the whole way are the expected ones: `exact` (all, in this order),
    `in_order` (these, others may stand between) or `any_order`. The score is whether they are."""

    name, returns = "trajectory", "bool"
    OPTIONS: ClassVar[dict[str, str]] = {"mode": "exact, in_order (default) or any_order",
               "arguments": "false: compare the names alone"}  # fmt: skip

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._mode = str(options.get("mode", "in_order"))
        if self._mode not in _MODES:
            raise InvalidInput(f"{self._mode!r} is no mode of a trajectory", hint=", ".join(_MODES))
        self._arguments = options.get("arguments", True) is not False

    def score(self, case: Case) -> tuple[bool, str]:
        found = [self._step(c) for c in (calls_in(case.trace) if case.trace else case.calls)]
        wanted = [self._step(call_of(one)) for one in self.wanted(case) or ()]
        if self._mode == "exact":
            same = found == wanted
            return same, "" if same else f"{len(found)} steps, {len(wanted)} expected"
        missing = (
            _not_in_order(found, wanted) if self._mode == "in_order" else _not_in(found, wanted)
        )
        return not missing, f"{len(missing)} expected steps are not there: {missing[0]}" if (
            missing
        ) else ""

    def _step(self, call: Call) -> str:
        if not self._arguments:
            return call.name
        return f"{call.name}({json.dumps(call.arguments, sort_keys=True, ensure_ascii=False)})"


class PassAll(Scorer):
    """pass^k: whether a trial passed, and over the trials of each task the chance that k of them
    all pass. Trials of one task share a cluster, or are the repeats of one row."""

    name, returns, unit = "pass_k", "bool", "share"
    OPTIONS: ClassVar[dict[str, str]] = {"k": "list of k (1 and the number of trials)",
               "threshold": "the least that passes (1)"}  # fmt: skip

    def score(self, case: Case) -> bool:
        found = self.found(case)
        if isinstance(found, str):
            found = json.loads(found)
        return float(found) >= float(self.options.get("threshold", 1))

    def extras(
        self, cases: Sequence[Case], verdicts: Sequence[Verdict], confidence: float
    ) -> list[Extra]:
        tasks: dict[str, list[bool]] = {}
        for case, verdict in zip(cases, verdicts, strict=True):
            tasks.setdefault(case.cluster or case.item, []).append(verdict.value == 1.0)
        return passes(list(tasks.values()), self.options.get("k"), confidence)


def passes(tasks: Sequence[Sequence[bool]], ks: Any, confidence: float) -> list[Extra]:
    """pass^k of tasks for each k that every task has trials for."""
    from stockpot.stats import pass_all

    fewest = min((len(trials) for trials in tasks), default=0)
    wanted = [ks] if isinstance(ks, int) else ks or sorted({1, fewest})
    return [Extra(f"pass^{k}", pass_all(tasks, k, confidence)) for k in wanted if 1 <= k <= fewest]


def calls_in(trace: Any) -> list[Call]:
    """Every tool call in a list of messages, or of spans of tools, in their order."""
    found: list[Call] = []
    for step in trace if isinstance(trace, list) else ():
        if isinstance(step, dict):
            found += [call_of(call) for call in step.get("tool_calls") or ()]
            if step.get("kind") == "tool":
                found.append(call_of(step))
    return found


def call_of(told: Any) -> Call:
    """A call as OpenAI, tau-bench or a span writes it."""
    function = told.get("function", told)
    given = function.get("arguments", function.get("kwargs", function.get("args", {})))
    arguments = json.loads(given or "{}") if isinstance(given, str) else given
    return Call(str(function.get("name", "")), arguments if isinstance(arguments, dict) else {})


def _not_in_order(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    rest = iter(found)
    return [step for step in wanted if not any(step == one for one in rest)]


def _not_in(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    free = list(found)
    missing = []
    for step in wanted:
        if step in free:
            free.remove(step)
        else:
            missing.append(step)
    return missing
