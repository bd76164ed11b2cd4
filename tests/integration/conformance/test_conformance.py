"""Stock SDKs against every upstream through a real worker: each case passes, or says what it left
out, or is refused in plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from tests.integration.conformance import ask_anthropic, ask_gemini, ask_openai
from tests.integration.conformance.cases import CASES, Case
from tests.integration.conformance.conftest import Gateway
from tests.integration.conformance.stated import Stated, stated
from tests.integration.conformance.talk import (
    MODES,
    Asked,
    Failed,
    Got,
    Mode,
    Result,
    Turn,
)
from tests.integration.conformance.upstreams import UPSTREAMS, Scene, Upstream
from tests.integration.gateway.conftest import SECRET

pytestmark = pytest.mark.integration

CLIENTS: dict[str, ModuleType] = {
    "openai": ask_openai,
    "anthropic": ask_anthropic,
    "gemini": ask_gemini,
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
    behind = gateway.upstreams[upstream]
    scene = behind.scene(case.scene)
    outcome = {"client": client, "upstream": upstream, "case": case.name, "mode": mode}
    outcomes.append(outcome)
    outcome["result"] = "fails"
    outcome["result"] = await _run(gateway, client, behind, case, scene, mode)


async def _run(
    gateway: Gateway, client: str, behind: Upstream, case: Case, scene: Scene, mode: Mode
) -> str:
    asked = case.asked(behind.mark(case.scene))
    model = f"{behind.name}.{case.scene}"
    exception = stated(case.name, client, behind.name)
    try:
        got = await _asked(gateway, client, model, asked, mode, case.twice)
    except Failed as failed:
        return _failure(failed, scene, exception)
    assert scene.status == 200
    assert not scene.ends
    assert not exception.refused
    _is_the_answer(got, scene, case)
    seen = behind.seen()
    assert got.left_out == exception.left_out
    assert case.saw(seen) is not exception.lost, seen
    if case.twice and scene.proof and not exception.lost:
        assert seen.proofs == [scene.proof]
    if exception.left_out:
        return f"leaves out: {', '.join(sorted(exception.left_out))}"
    return "passes"


async def _asked(
    gateway: Gateway, client: str, model: str, asked: Asked, mode: Mode, twice: bool
) -> Got:
    ask = CLIENTS[client].ask
    if not twice:
        got: Got = await ask(gateway.url, SECRET, model, asked, mode)
        return got
    first = replace(asked, turns=asked.turns[:1])
    before = await ask(gateway.url, SECRET, model, first, mode)
    results = tuple(
        Result(ident, name, "sunny")
        for ident, (name, _) in zip(before.idents, before.calls, strict=True)
    )
    if results:
        asked = replace(asked, turns=(*asked.turns, Turn("user", results=results)))
    after: Got = await ask(gateway.url, SECRET, model, asked, mode, before)
    return after


def _failure(failed: Failed, scene: Scene, exception: Stated) -> str:
    if exception.refused:
        assert failed.status == 400
        assert exception.refused in failed.message
        return f"refused: {exception.refused}"
    if scene.ends:
        # An error that comes with the first words is told before any of them is out.
        assert failed.status in (None, 502), failed.message
        return "passes"
    # The upstream's own credential is the gateway's affair, not the client's.
    assert failed.status == {401: 502}.get(scene.status, scene.status), failed.message
    return "passes"


def _is_the_answer(got: Got, scene: Scene, case: Case) -> None:
    if case.twice and case.own_words:
        assert got.text or got.calls
        return
    assert got.finish == scene.finish
    assert (got.input, got.output, got.cached) == (scene.input, scene.output, scene.cached)
    if case.name == "structured output":
        assert set(json.loads(got.text)) == {"pot", "litres"}
    elif case.name == "forced tool":
        assert got.calls[0][0] == "weather"
    elif case.own_words:
        assert got.text or scene.finish == "refused"
    else:
        assert got.text == scene.text
        assert got.calls == list(scene.calls)
        assert got.reasoning == scene.reasoning
