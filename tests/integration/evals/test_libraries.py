"""Metrics of other people's libraries run as scorers, and ask models by the gateway alone."""

from __future__ import annotations

import json
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
    async with httpx.AsyncClient(base_url=address, headers=headers) as client:
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
        spec = {"use": library, "options": {"metric": "Faithfulness", "model": "m"}}
        with pytest.raises(ConfigError) as told:
            await scored(spec, one, stand_in)
        assert told.value.hint.startswith(f"pip install {library}")
    with pytest.raises(InvalidInput, match="Did you mean 'Levenshtein'"):
        await scored({"use": "autoevals", "options": {"metric": "Levenstein"}}, one, stand_in)
    with pytest.raises(InvalidInput, match="asks a model"):
        await scored({"use": "autoevals", "options": {"metric": "Factuality"}}, one, stand_in)
