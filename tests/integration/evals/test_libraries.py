"""Metrics of other people's libraries run as scorers, and ask models by the gateway alone."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.errors import ConfigError, InvalidInput
from stockpot.evals.judges.tools import GatewayTools
from stockpot.evals.models import ScorerSpec, Verdict
from stockpot.evals.scorers import Case, judge_of, made
from tests.integration.evals.stand_in import StandIn

pytestmark = pytest.mark.integration


def case(output: str, expected: Any) -> Case:
    return Case(item="1", input={"q": "how many?"}, expected=expected, metadata={}, output=output)


async def scored(spec: dict[str, Any], one: Case, gateway: StandIn) -> Verdict:
    address = f"http://127.0.0.1:{gateway.port}"
    headers = {"authorization": "Bearer sk-sp-eval"}
    async with httpx.AsyncClient(base_url=address, headers=headers, timeout=60) as client:
        scorer = made(ScorerSpec(**spec))
        return (await scorer.score_all([one], GatewayTools(client)))[0]


@pytest.mark.parametrize(
    ("metric", "output", "expected", "value"),
    [
        ("Levenshtein", "abc", "abd", 2 / 3),
        ("NumericDiff", "10", "12", None),
        ("JSONDiff", '{"a": 1}', '{"a": 1}', 1.0),
        ("ExactMatch", "leek", "pea", 0.0),
    ],
)
async def test_a_metric_that_computes_asks_nobody_and_needs_no_certificate(
    stand_in: StandIn, metric: str, output: str, expected: str, value: float | None
) -> None:
    spec = {"use": "autoevals", "options": {"metric": metric}}
    verdict = await scored(spec, case(output, expected), stand_in)
    if value is None:  # texts are no numbers: that is said, and is no score
        assert (verdict.value, verdict.missing) == (None, "error")
    else:
        assert verdict.value == pytest.approx(value)
    assert stand_in.calls == 0
    assert judge_of(ScorerSpec(**spec)) == ""


async def test_a_metric_that_judges_asks_the_gateway_and_counts_as_a_judge(
    stand_in: StandIn,
) -> None:
    def chosen(body: Any) -> dict[str, Any]:
        assert body["model"] == "m"
        said = {"choice": "C", "reasons": "the same"}
        name = body["tools"][0]["function"]["name"]
        call = {"name": name, "arguments": json.dumps(said)}
        return {"tool_calls": [{"id": "t", "type": "function", "function": call}]}

    stand_in.says = chosen
    spec = {"use": "autoevals", "options": {"metric": "Factuality", "model": "m"}}
    verdict = await scored(spec, case("12", "twelve"), stand_in)
    assert (verdict.value, verdict.reason) == (1.0, "the same"), verdict
    assert stand_in.keys == {"bearer sk-sp-eval"}
    assert judge_of(ScorerSpec(**spec)) == "autoevals:Factuality"


async def test_what_is_not_installed_or_not_there_is_said_with_the_next_step(
    stand_in: StandIn,
) -> None:
    one = case("a", "a")
    for library in ("ragas", "deepeval"):
        if importlib.util.find_spec(library) is not None:
            continue
        spec = {"use": library, "options": {"metric": "Faithfulness", "model": "m"}}
        with pytest.raises(ConfigError) as told:
            await scored(spec, one, stand_in)
        assert told.value.hint == f"pip install 'stockpot[{library}]'"
    with pytest.raises(InvalidInput, match="Did you mean 'Levenshtein'"):
        await scored({"use": "autoevals", "options": {"metric": "Levenstein"}}, one, stand_in)
    with pytest.raises(InvalidInput, match="asks a model"):
        await scored({"use": "autoevals", "options": {"metric": "Factuality"}}, one, stand_in)


def judging(body: Any) -> str:
    """Answers the questions of Faithfulness, AnswerRelevancy and their like: two statements, of
    which one holds."""
    prompt = "".join(str(message["content"]) for message in body["messages"])
    last = prompt[-1500:]
    if "generate a question" in prompt.lower():
        return json.dumps({"question": "how many?", "noncommittal": 0})
    if "natural language inference" in prompt.lower() or "faithfulness of a series" in prompt:
        said = [{"statement": "s", "reason": "r", "verdict": n} for n in (1, 0)]
        return json.dumps({"statements": said})
    if '"verdicts"' in last:
        return json.dumps({"verdicts": [{"verdict": "yes"}, {"verdict": "no", "reason": "r"}]})
    if '"reason"' in last:
        return json.dumps({"reason": "half of it"})
    return json.dumps({key: ["a", "b"] for key in ("statements", "truths", "claims")})


def retrieved(output: str) -> Case:
    there = {"context": ["There are twelve leeks."]}
    return Case(item="1", input="how many?", expected="12", metadata=there, output=output)


@pytest.mark.filterwarnings("ignore")  # of their making
@pytest.mark.parametrize(
    ("use", "metric", "value", "asks"),
    [
        pytest.param("ragas", "Faithfulness", 0.5, True, marks=pytest.mark.library("ragas")),
        pytest.param("ragas", "AnswerRelevancy", 1.0, True, marks=pytest.mark.library("ragas")),
        pytest.param("ragas", "ExactMatch", 1.0, False, marks=pytest.mark.library("ragas")),
        *(
            pytest.param("deepeval", metric, value, asks, marks=pytest.mark.library("deepeval"))
            for metric, value, asks in (
                ("AnswerRelevancyMetric", 0.5, True), ("FaithfulnessMetric", 0.5, True),
                ("ExactMatchMetric", 1.0, False),
            )
        ),
    ],
)  # fmt: skip
async def test_metrics_of_the_libraries_themselves_ask_the_gateway_alone(
    stand_in: StandIn, use: str, metric: str, value: float, asks: bool,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    stand_in.says = judging
    options = {"metric": metric, **({"model": "m"} if asks else {})}
    if metric == "AnswerRelevancy":
        options["embeddings"] = "e"
    spec = {"use": use, "options": options}
    verdicts = [await scored(spec, retrieved("12"), stand_in) for _ in range(2)]
    assert [one.value for one in verdicts] == [pytest.approx(value)] * 2, verdicts
    assert judge_of(ScorerSpec(**spec)) == (f"{use}:{metric}" if asks else "")
    assert stand_in.keys == ({"bearer sk-sp-eval"} if asks else set())
    assert not list(tmp_path.iterdir()), "it left files where it ran"
