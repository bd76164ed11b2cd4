"""Metrics of other people's libraries: `autoevals`, `ragas`, `deepeval`, where they are installed.

Those that ask a model ask it by the gateway, with the run's key: the calls are spans like all
others, and their budget holds. They are judges that nobody has measured here, and are shown so.
Knows the libraries' faces; loads one when a suite asks for it.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, ClassVar

from stockpot.core.errors import ConfigError, InvalidInput, did_you_mean
from stockpot.evals.models import Verdict
from stockpot.evals.scorers.base import Case, Returns, Scorer, Tools, as_text
from stockpot.evals.scorers.judged import asks_nobody

_AT_ONCE = 8


class Library(Scorer):
    """Base of the adapters: one metric of a library, several rows at once in threads."""

    returns: ClassVar[Returns] = "number"
    package: ClassVar[str] = ""
    OPTIONS: ClassVar[dict[str, str]] = {
        "metric": "the metric, by the library's own name for it",
        "model": "the model that is asked, by its name at the gateway",
        "with": "arguments that the metric is made with",
        "context": "path into the row for what was retrieved (metadata.context)",
    }

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.metric = str(options.get("metric", ""))
        if not self.metric:
            raise InvalidInput(f"the scorer {self.name!r} needs the option 'metric'")
        self.model = str(options.get("model", ""))
        self.made_with: Mapping[str, Any] = options.get("with") or {}

    def score(self, case: Case) -> None:
        """Rows are scored several at a time."""
        return

    async def score_all(self, cases: Sequence[Case], tools: Tools) -> list[Verdict]:
        measure = self.measure(tools)
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(case: Case) -> Verdict:
            async with places:
                try:
                    return await asyncio.to_thread(measure, case)
                except Exception as bad:
                    said = f"{self.name} could not score it: {type(bad).__name__}: {bad}"
                    return Verdict(reason=said[:1000], missing="error")

        return list(await asyncio.gather(*(one(case) for case in cases)))

    def measure(self, tools: Tools) -> Any:
        """A function from a case to a verdict. Raises ConfigError where the library is absent."""
        raise NotImplementedError

    def library(self, module: str = "") -> ModuleType:
        """The library, or how to get it."""
        try:
            return importlib.import_module(module or self.package)
        except ImportError as absent:
            raise ConfigError(
                f"the scorer {self.name!r} runs metrics of {self.package}, which is not "
                f"installed: {absent}", hint=f"pip install {self.package}",
            ) from None  # fmt: skip

    def named(self, module: ModuleType) -> Any:
        """The metric's class in a module, or the nearest name."""
        found = getattr(module, self.metric, None)
        if not isinstance(found, type):
            near = did_you_mean(self.metric, [n for n in dir(module) if n[:1].isupper()])
            raise InvalidInput(f"{self.package} has no metric {self.metric!r}.{near}")
        return found

    def asked(self) -> str:
        """The model that a metric asks. Raises InvalidInput without one."""
        if not self.model:
            raise InvalidInput(
                f"{self.package}'s {self.metric} asks a model: say which", hint='model = "NAME"'
            )
        return self.model

    def context_of(self, case: Case) -> list[str]:
        """What was retrieved for a row, as texts."""
        path = str(self.options.get("context", "metadata.context")).removeprefix("metadata.")
        found = case.metadata.get(path) or []
        return [as_text(one) for one in found] if isinstance(found, list) else [as_text(found)]


class Autoevals(Library):
    """A metric of Braintrust's autoevals, such as Levenshtein, NumericDiff, Factuality."""

    name: ClassVar[str] = "autoevals"
    package: ClassVar[str] = "autoevals"
    needs: ClassVar[str] = "pip install autoevals"

    def measure(self, tools: Tools) -> Any:
        made = self.named(self.library())
        arguments = dict(self.made_with)
        if not asks_nobody(self.metric):
            url, key = tools.endpoint()
            client = self._openai().OpenAI(base_url=url, api_key=key)
            arguments |= {"model": self.asked(), "client": client}
        metric = made(**arguments)

        def measured(case: Case) -> Verdict:
            said = metric.eval(output=self.found(case), expected=self.wanted(case),
                               input=as_text(case.input), **self._beside(case))  # fmt: skip
            return _verdict(said.score, said.error, said.metadata)

        return measured

    def _beside(self, case: Case) -> dict[str, Any]:
        return {} if asks_nobody(self.metric) else {"context": self.context_of(case)}

    def _openai(self) -> ModuleType:
        try:
            return importlib.import_module("openai")
        except ImportError:
            raise ConfigError(
                f"autoevals' {self.metric} asks models by the package openai, which is not "
                "installed", hint="pip install openai",
            ) from None  # fmt: skip


class Ragas(Library):
    """A metric of ragas, such as Faithfulness or FactualCorrectness."""

    name: ClassVar[str] = "ragas"
    package: ClassVar[str] = "ragas"
    needs: ClassVar[str] = "pip install ragas langchain-openai"

    def measure(self, tools: Tools) -> Any:
        ragas, llms = self.library(), self.library("ragas.llms")
        chat = self.library("langchain_openai")
        url, key = tools.endpoint()
        asked = chat.ChatOpenAI(model=self.asked(), base_url=url, api_key=key, temperature=0)
        made = self.named(self.library("ragas.metrics"))
        metric = made(**{"llm": llms.LangchainLLMWrapper(asked), **self.made_with})

        def measured(case: Case) -> Verdict:
            expected = self.wanted(case)
            sample = ragas.SingleTurnSample(
                user_input=as_text(case.input), response=str(self.found(case)),
                reference=None if expected is None else as_text(expected),
                retrieved_contexts=self.context_of(case) or None,
            )  # fmt: skip
            return _verdict(metric.single_turn_score(sample), None, {})

        return measured


class Deepeval(Library):
    """A metric of deepeval, such as AnswerRelevancyMetric or FaithfulnessMetric."""

    name: ClassVar[str] = "deepeval"
    package: ClassVar[str] = "deepeval"
    needs: ClassVar[str] = "pip install deepeval"

    def measure(self, tools: Tools) -> Any:
        models, cases = self.library("deepeval.models"), self.library("deepeval.test_case")
        made = self.named(self.library("deepeval.metrics"))
        url, key = tools.endpoint()
        asked = models.LocalModel(model=self.asked(), base_url=url, api_key=key)

        def measured(case: Case) -> Verdict:
            # A metric keeps what it found last: each row has one of its own.
            metric = made(**{"model": asked, "async_mode": False, **self.made_with})
            expected = self.wanted(case)
            context = self.context_of(case) or None
            metric.measure(cases.LLMTestCase(
                input=as_text(case.input), actual_output=str(self.found(case)),
                expected_output=None if expected is None else as_text(expected),
                retrieval_context=context, context=context,
            ))  # fmt: skip
            return _verdict(metric.score, None, {"rationale": metric.reason})

        return measured


def _verdict(score: Any, error: Any, metadata: Any) -> Verdict:
    """What a library said, as a verdict; what it could not say is missing, not 0."""
    reason = str((metadata or {}).get("rationale") or error or "")[:1000]
    if error is not None or score is None or score != score:
        return Verdict(reason=reason or "the library gave no score", missing="error")
    return Verdict(value=float(score), reason=reason)
