"""Runs one case and judges what came of it: it passes, or says what it left out, or is refused in
plain words."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Protocol

from tests.integration.conformance.cases import Case
from tests.integration.conformance.stated import Stated, stated
from tests.integration.conformance.talk import Asked, Failed, Got, Mode, Result, Turn
from tests.integration.conformance.upstreams import Scene, Upstream
from tests.integration.gateway.conftest import SECRET


class Ask(Protocol):
    """One request by one SDK; `before` is the answer that is handed back."""

    async def __call__(
        self, url: str, key: str, model: str, asked: Asked, mode: Mode, before: Got | None = None, /
    ) -> Got: ...


async def outcome_of(
    url: str, ask: Ask, client: str, behind: Upstream, case: Case, mode: Mode
) -> str:
    """Passes, or what is left out or refused; AssertionError where a case fails. `client` names the
    dialect that `ask` speaks."""
    scene = behind.scene(case.scene)
    asked = case.asked(behind.mark(case.scene))
    model = f"{behind.name}.{case.scene}"
    exception = stated(case.name, client, behind.name)
    try:
        got = await answered(ask, url, SECRET, model, asked, mode, case.twice)
    except Failed as failed:
        return _failure(failed, scene, exception)
    assert scene.status == 200
    assert not scene.ends
    assert not exception.refused
    is_the_answer(got, scene, case)
    seen = behind.seen()
    assert got.left_out == exception.left_out
    assert case.saw(seen) is not exception.lost, seen
    if case.twice and scene.proof and not exception.lost:
        assert seen.proofs == [scene.proof]
    if exception.left_out:
        return f"leaves out: {', '.join(sorted(exception.left_out))}"
    return "passes"


async def answered(
    ask: Ask, url: str, key: str, model: str, asked: Asked, mode: Mode, twice: bool
) -> Got:
    """The answer, or the second one where the first is handed back."""
    if not twice:
        return await ask(url, key, model, asked, mode)
    first = replace(asked, turns=asked.turns[:1])
    before = await ask(url, key, model, first, mode)
    results = tuple(
        Result(ident, name, "sunny")
        for ident, (name, _) in zip(before.idents, before.calls, strict=True)
    )
    if results:
        asked = replace(asked, turns=(*asked.turns, Turn("user", results=results)))
    return await ask(url, key, model, asked, mode, before)


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


def is_the_answer(got: Got, scene: Scene, case: Case) -> None:
    """AssertionError unless the SDK understood all that the upstream said."""
    if case.twice and case.own_words:
        assert got.text or got.calls, "there is no answer"
        return
    assert got.finish == scene.finish, f"why it ended: {got.finish!r}, not {scene.finish!r}"
    counts = (got.input, got.output, got.cached)
    sent = (scene.input, scene.output, scene.cached)
    assert counts == sent, f"tokens (input, output, cached): {counts}, not {sent}"
    if case.name == "structured output":
        assert set(json.loads(got.text)) == {"pot", "litres"}, f"text: {got.text!r}"
    elif case.name == "forced tool":
        assert got.calls, "calls: none"
        assert got.calls[0][0] == "weather", f"calls: {got.calls}"
    elif case.own_words:
        assert got.text or scene.finish == "refused", "text: none"
    else:
        assert got.text == scene.text, f"text: {got.text!r}, not {scene.text!r}"
        assert got.calls == list(scene.calls), f"calls: {got.calls}, not {scene.calls}"
        assert got.reasoning == scene.reasoning, f"reasoning: {got.reasoning!r}"
