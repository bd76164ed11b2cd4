"""Metrics of other people's libraries: `autoevals`, `ragas`, `deepeval`, where they are installed.

Those that ask a model ask it by the gateway, with the run's key: the calls are spans like all
others, and their budget holds. They are judges that nobody has measured here, and are shown so.
Knows the libraries' faces; loads one when a suite asks for it, with its telemetry off.
Tested with autoevals 0.4.1, ragas 0.4.3 and deepeval 4.3.1.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import inspect
import os
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
    quiet: ClassVar[Mapping[str, str]] = {}
    """What its environment must say so that the library sends nothing to its makers."""
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
        os.environ.update(self.quiet)
        told = module or self.package
        try:
            return importlib.import_module(told)
        except ImportError as bad:
            there = importlib.util.find_spec(told.partition(".")[0]) is not None
            why = f"cannot be loaded: {bad}" if there else "is not installed"
            raise ConfigError(
                f"the scorer {self.name!r} runs metrics of {self.package}: {told} {why}",
                hint=self.needs,
            ) from None

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
    needs: ClassVar[str] = "pip install 'stockpot[autoevals]'"

    def measure(self, tools: Tools) -> Any:
        made = self.named(self.library())
        if asks_nobody(self.name, self.metric):
            metric = made(**self.made_with)
            return lambda case: self._said(metric, case)
        openai, model = self.library("openai"), self.asked()
        url, key = tools.endpoint()

        def measured(case: Case) -> Verdict:
            with openai.OpenAI(base_url=url, api_key=key) as client:
                metric = made(**{**self.made_with, "model": model, "client": client})
                return self._said(metric, case)

        return measured

    def _said(self, metric: Any, case: Case) -> Verdict:
        said = metric.eval(output=self.found(case), expected=self.wanted(case),
                           input=as_text(case.input), **self._beside(case))  # fmt: skip
        return _verdict(said.score, said.error, said.metadata)

    def _beside(self, case: Case) -> dict[str, Any]:
        return {} if asks_nobody(self.name, self.metric) else {"context": self.context_of(case)}


class Ragas(Library):
    """A metric of ragas.metrics.collections, such as Faithfulness or FactualCorrectness. What it
    takes beside question, answer, reference and retrieved_contexts stands in the row's metadata."""

    name: ClassVar[str] = "ragas"
    package: ClassVar[str] = "ragas"
    needs: ClassVar[str] = "pip install 'stockpot[ragas]'"
    quiet: ClassVar[Mapping[str, str]] = {"RAGAS_DO_NOT_TRACK": "true"}
    OPTIONS: ClassVar[dict[str, str]] = {
        **Library.OPTIONS, "embeddings": "the embedding model that is asked, by its gateway name",
    }  # fmt: skip

    def measure(self, tools: Tools) -> Any:
        made = self.named(self.library("ragas.metrics.collections"))
        takes, wants = _arguments(made), set(_arguments(made.ascore))
        ask: set[str] = {name for name in ("llm", "embeddings") if name in takes}
        if "llm" in ask:
            self.asked()
        if "embeddings" in ask and not self.options.get("embeddings"):
            raise InvalidInput(
                f"ragas's {self.metric} compares meanings: say by which embedding model",
                hint='embeddings = "NAME"',
            )
        openai = self.library("openai") if ask else None
        url, key = tools.endpoint() if ask else ("", "")

        async def scored(case: Case) -> Any:
            row = {name: value for name, value in self._row(case).items() if name in wants}
            if openai is None:
                return await made(**self.made_with).ascore(**row)
            async with openai.AsyncOpenAI(base_url=url, api_key=key) as client:
                return await made(**self._asking(client, ask), **self.made_with).ascore(**row)

        def measured(case: Case) -> Verdict:
            said = asyncio.run(scored(case))
            return _verdict(said.value, None, {"rationale": said.reason})

        return measured

    def _asking(self, client: Any, ask: set[str]) -> dict[str, Any]:
        """What a metric asks models with."""
        made: dict[str, Any] = {}
        if "llm" in ask:
            llms = self.library("ragas.llms")
            made["llm"] = llms.llm_factory(self.model, client=client, temperature=0)
        if "embeddings" in ask:
            embeddings = self.library("ragas.embeddings")
            told = str(self.options["embeddings"])
            made["embeddings"] = embeddings.OpenAIEmbeddings(client=client, model=told)
        return made

    def _row(self, case: Case) -> dict[str, Any]:
        expected = self.wanted(case)
        found = {
            "user_input": as_text(case.input), "response": as_text(self.found(case)),
            "reference": None if expected is None else as_text(expected),
            "retrieved_contexts": self.context_of(case),
        }  # fmt: skip
        return {**case.metadata, **found}


class Deepeval(Library):
    """A metric of deepeval, such as AnswerRelevancyMetric or FaithfulnessMetric."""

    name: ClassVar[str] = "deepeval"
    package: ClassVar[str] = "deepeval"
    needs: ClassVar[str] = "pip install 'stockpot[deepeval]'"
    quiet: ClassVar[Mapping[str, str]] = {
        "DEEPEVAL_TELEMETRY_OPT_OUT": "1", "DEEPEVAL_DISABLE_DOTENV": "1",
    }  # fmt: skip

    def measure(self, tools: Tools) -> Any:
        cases = self.library("deepeval.test_case")
        made = self.named(self.library("deepeval.metrics"))
        takes, arguments = _arguments(made), dict(self.made_with)
        if "model" in takes:
            models = self.library("deepeval.models")
            url, key = tools.endpoint()
            asked = models.LocalModel(model=self.asked(), base_url=url, api_key=key)
            arguments = {"model": asked, **arguments}
        if "async_mode" in takes:
            arguments = {"async_mode": False, **arguments}
        silent = {"_show_indicator": False} if "_show_indicator" in _arguments(made.measure) else {}

        def measured(case: Case) -> Verdict:
            metric = made(**arguments)  # it keeps what it found last: each row has one of its own
            expected = self.wanted(case)
            context = self.context_of(case) or None
            one = cases.LLMTestCase(
                input=as_text(case.input), actual_output=as_text(self.found(case)),
                expected_output=None if expected is None else as_text(expected),
                retrieval_context=context, context=context,
            )  # fmt: skip
            metric.measure(one, **silent)
            return _verdict(metric.score, metric.error, {"rationale": metric.reason})

        return measured


def _arguments(of: Any) -> tuple[str, ...]:
    return tuple(inspect.signature(of).parameters)


def _verdict(score: Any, error: Any, metadata: Any) -> Verdict:
    """What a library said, as a verdict; what it could not say is missing, not 0."""
    reason = str((metadata or {}).get("rationale") or error or "")[:1000]
    if error is not None or score is None or score != score:
        return Verdict(reason=reason or "the library gave no score", missing="error")
    return Verdict(value=float(score), reason=reason)
