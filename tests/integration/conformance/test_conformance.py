"""Stock SDKs against every upstream through a real worker: each case passes, or says what it left
out, or is refused in plain words."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.conformance import ask_anthropic, ask_gemini, ask_openai
from tests.integration.conformance.cases import CASES, Case
from tests.integration.conformance.conftest import Gateway
from tests.integration.conformance.judge import Ask, outcome_of
from tests.integration.conformance.talk import MODES, Mode
from tests.integration.conformance.upstreams import UPSTREAMS

pytestmark = pytest.mark.integration

CLIENTS: dict[str, Ask] = {
    "openai": ask_openai.ask,
    "anthropic": ask_anthropic.ask,
    "gemini": ask_gemini.ask,
}


def _table() -> list[Any]:
    """All combinations; in CI each pair runs each case in one mode, turn by turn."""
    found = []
    pairs = [(client, kind.name) for client in CLIENTS for kind in UPSTREAMS]
    for place, case in enumerate(CASES):
        for number, (client, upstream) in enumerate(pairs):
            if client in case.never:
                continue
            modes = [mode for mode in MODES if "stream" in mode or not case.streams]
            for turn, mode in enumerate(modes):
                often = (place + number) % len(modes) == turn
                marks = [] if often else [pytest.mark.nightly]
                name = f"{client}-{upstream}-{case.name}-{mode}"
                found.append(pytest.param(client, upstream, case, mode, marks=marks, id=name))
    return found


@pytest.mark.parametrize(("client", "upstream", "case", "mode"), _table())
async def test_a_case_passes_or_is_stated(
    gateway: Gateway,
    outcomes: list[dict[str, str]],
    client: str,
    upstream: str,
    case: Case,
    mode: Mode,
) -> None:
    outcome = {"client": client, "upstream": upstream, "case": case.name, "mode": mode}
    outcomes.append(outcome)
    outcome["result"] = "fails"
    behind = gateway.upstreams[upstream]
    outcome["result"] = await outcome_of(gateway.url, CLIENTS[client], client, behind, case, mode)
