"""The stock npm SDKs through a real worker: what a second language could read otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.conformance.ask_npm import PACKAGES, Node
from tests.integration.conformance.cases import CASES, Case
from tests.integration.conformance.conftest import Gateway
from tests.integration.conformance.judge import outcome_of
from tests.integration.conformance.talk import Mode

pytestmark = [pytest.mark.integration, pytest.mark.needs("node")]
UPSTREAMS = ("openai", "anthropic", "gemini", "bedrock")
_TAKEN = (
    "text", "unicode and escapes", "parallel tool calls", "structured output", "error 400",
    "error 401", "error 429", "error 500", "error inside a stream", "stream cut off",
)  # fmt: skip


def _table() -> list[Any]:
    """All combinations; in CI each pair of neighbours runs in turns, so that each case runs with
    each SDK, each SDK with each upstream, and each case in each mode."""
    found = []
    cases = [case for case in CASES if case.name in _TAKEN]
    assert len(cases) == len(_TAKEN)
    for place, case in enumerate(cases):
        modes: tuple[Mode, ...] = ("stream",) if case.streams else ("whole", "stream")
        for number, client in enumerate(PACKAGES):
            for side, upstream in enumerate(UPSTREAMS):
                for turn, mode in enumerate(modes):
                    often = (place + number + turn) % 2 == side % 2
                    marks = [] if often else [pytest.mark.nightly]
                    name = f"{client}-{upstream}-{case.name}-{mode}"
                    found.append(pytest.param(client, upstream, case, mode, marks=marks, id=name))
    return found


@pytest.fixture(scope="module")
def node() -> Iterator[Node]:
    running = Node()
    yield running
    running.stop()


@pytest.mark.timeout(360)
@pytest.mark.parametrize(("client", "upstream", "case", "mode"), _table())
async def test_a_case_passes_or_is_stated_with_the_npm_sdk(
    gateway: Gateway,
    node: Node,
    outcomes: list[dict[str, str]],
    client: str,
    upstream: str,
    case: Case,
    mode: Mode,
) -> None:
    outcome = {"client": client, "upstream": upstream, "case": case.name, "mode": mode}
    outcomes.append(outcome)
    outcome |= {"language": "npm", "result": "fails"}
    behind = gateway.upstreams[upstream]
    outcome["result"] = await outcome_of(gateway.url, node.ask(client), client, behind, case, mode)
