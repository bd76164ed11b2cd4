"""The cases of the conformance suite through LiteLLM's proxy, asked with the same SDKs and answered
by the same stand-ins. Knows nothing of stockpot's worker.

LiteLLM states nothing in a header, so a case is green when the SDK understands the answer in full
and the upstream received all that was asked, or when the proxy refuses before it calls the
upstream. An error may come with a neighbouring status.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO))

from stockpot.bench.processes import Process, free_port, listening, wait_for  # noqa: E402
from tests.integration.conformance import ask_anthropic, ask_gemini, ask_openai  # noqa: E402
from tests.integration.conformance.cases import CASES, Case  # noqa: E402
from tests.integration.conformance.judge import Ask, answered, is_the_answer  # noqa: E402
from tests.integration.conformance.talk import MODES, Failed, Got, Mode, Seen  # noqa: E402
from tests.integration.conformance.upstreams import UPSTREAMS, Scene, Upstream  # noqa: E402

HOME = REPO / "bench/.cache/peers/litellm"
KEY = "sk-conformance"
LEFT_OUT = {
    ("image by URL", "*", "*"): "LiteLLM fetches the picture for some upstreams; there is none",
    ("reasoning", "anthropic", "openai"): "it asks by Responses, which the stand-in does not play",
    ("reasoning handed back", "anthropic", "openai"): "the same",
}
"""Cases that fail for the stand-ins' sake, by client and upstream, and why."""
PATIENCE_S = 30
CLIENTS: dict[str, Ask] = {
    "openai": ask_openai.ask,
    "anthropic": ask_anthropic.ask,
    "gemini": partial(ask_gemini.ask, version="v1beta"),  # the version that LiteLLM serves
}
_NOT_TAKEN = ("Unrecognized request argument", "Unknown name", "Extra inputs", "validation error")
"""How the stand-ins refuse what their vendor's types do not hold."""
_CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"

Outcome = dict[str, str]


def version() -> str:
    (found,) = HOME.glob("lib/python*/site-packages/litellm-*.dist-info")
    return found.name.removeprefix("litellm-").removesuffix(".dist-info")


def models(upstream: Upstream) -> dict[str, dict[str, Any]]:
    """LiteLLM's parameters of a model that answers, and of one that reasons before."""
    target = upstream.target("text")
    key = target.headers[0][1].removeprefix("Bearer ") if target.headers else ""
    base = {"api_base": target.base_url, "api_key": key}
    if upstream.name == "openai":
        plain, thinks = ({**base, "model": f"openai/{name}"} for name in ("gpt-4.1", "gpt-5"))
    elif upstream.name == "azure":
        base["api_version"] = "2025-04-01-preview"
        plain, thinks = ({**base, "model": f"azure/{name}"} for name in ("gpt-4.1", "gpt-5"))
    elif upstream.name == "bedrock":
        options = dict(target.options)
        plain = thinks = {
            "model": f"bedrock/converse/{_CLAUDE}",
            "aws_bedrock_runtime_endpoint": target.base_url,
            "aws_access_key_id": options["access_key_id"],
            "aws_secret_access_key": options["secret_access_key"],
            "aws_region_name": options["region"],
        }
    else:
        base["api_base"] = target.base_url.removesuffix("/v1")
        plain = thinks = {**base, "model": f"{upstream.name}/{target.model}"}
    return {"plain": plain, "thinks": thinks}


def play(upstream: Upstream, scene: str) -> None:
    """Have the upstream's real model names play a scene."""
    stub: Any = getattr(upstream, "stub", None)
    if upstream.name in ("openai", "azure"):
        for name in ("gpt-4.1", "gpt-5"):
            stub.behaviours[name] = stub.behaviours[upstream.target(scene).model]
    elif upstream.name == "bedrock":
        stub.behaviours[_CLAUDE] = stub.behaviours[upstream.target(scene).model]


def calls(upstream: Upstream) -> int:
    """How often the upstream was called, wrong calls included."""
    stub: Any = getattr(upstream, "stub", None)
    kinds = ("raw", "heads", "requests", "faults")
    return sum(len(getattr(stub, kind, ())) for kind in kinds)


async def judged(upstream: Upstream, client: str, case: Case, url: str, mode: Mode) -> str:
    """`passes`, `refused: ...`, or why the case fails."""
    play(upstream, case.scene)
    scene, asked = upstream.scene(case.scene), case.asked(upstream.mark(case.scene))
    model = f"{upstream.name}.{'thinks' if asked.effort else 'plain'}"
    before = calls(upstream)
    try:
        made = answered(CLIENTS[client], url, KEY, model, asked, mode, case.twice)
        running = asyncio.to_thread(asyncio.run, made)
        got = await asyncio.wait_for(running, PATIENCE_S)
    except Failed as failed:
        return _refusal(failed, scene, calls(upstream) == before)
    except TimeoutError:
        return f"no end of the answer within {PATIENCE_S} s"
    except AssertionError as wrong:
        return f"the SDK understood otherwise: {wrong}"
    except Exception as wrong:
        return f"the SDK raises what is none of its errors: {type(wrong).__name__}: {wrong}"
    return _answer(upstream, got, scene, case)


def _refusal(failed: Failed, scene: Scene, untouched: bool) -> str:
    status = failed.status
    if scene.ends:
        fine = status is None or status >= 500
    elif scene.status == 401:
        fine = status in (401, 403, 500, 502)
    elif scene.status >= 500:
        fine = status is not None and status >= 500
    elif scene.status >= 400:
        fine = status == scene.status
    elif untouched and status in (400, 422):
        return f"refused: {failed.message}"
    else:
        theirs = any(mark in failed.message for mark in _NOT_TAKEN)
        why = "the upstream does not take the proxy's request" if theirs else "an error instead"
        return f"{why}: status {status}: {failed.message}"
    told = "in a stream that began" if status is None else f"with status {status}"
    return "passes" if fine else f"the upstream's error {scene.ends or scene.status} is told {told}"


def _answer(upstream: Upstream, got: Got, scene: Scene, case: Case) -> str:
    if scene.ends:
        return f"a stream that broke off ({scene.ends}) ends as if it were whole"
    if scene.status != 200:
        return f"an answer instead of the error: {scene.status}"
    if case.name != "cached tokens":
        got.cached = scene.cached  # some stand-ins tell them in every answer; one case is enough
    try:
        is_the_answer(got, scene, case)
    except (AssertionError, ValueError) as wrong:
        return f"the SDK understood otherwise: {wrong}"
    try:
        arrived = case.saw(_unwrapped(upstream.seen()))
    except (LookupError, TypeError, ValueError):
        arrived = False
    if not arrived:
        return "part of the request did not reach the upstream"
    if case.twice and scene.proof and upstream.seen().proofs != [scene.proof]:
        return "part of the request did not reach the upstream: the signature of reasoning"
    return "passes"


def _unwrapped(seen: Seen) -> Seen:
    """Google's results of tools are objects; one that arrives as JSON has arrived."""
    results = []
    for text, failed in seen.results:
        try:
            said = json.loads(text)
        except ValueError:
            said = None
        if isinstance(said, dict) and len(said) == 1:
            ((name, inner),) = said.items()
            text, failed = str(inner), failed or name == "error"
        results.append((text, failed))
    seen.results = results
    return seen


class Proxy:
    """LiteLLM's proxy with a model list, without retries and with the rest as it comes."""

    def __init__(self, folder: Path, upstreams: list[Upstream]) -> None:
        listed = [
            {"model_name": f"{upstream.name}.{name}", "litellm_params": parameters}
            for upstream in upstreams
            for name, parameters in models(upstream).items()
        ]
        config = folder / "litellm.yaml"
        config.write_text(
            json.dumps(
                {
                    "model_list": listed,
                    "general_settings": {"master_key": KEY},
                    "router_settings": {"num_retries": 0, "disable_cooldowns": True},
                    "litellm_settings": {"use_chat_completions_url_for_anthropic_messages": True},
                }
            )
        )
        self.port = free_port()
        argv = [str(HOME / "bin/litellm"), "--config", str(config), "--port", str(self.port)]
        argv += ["--host", "127.0.0.1", "--num_workers", "1"]
        environ = {
            "LITELLM_LOG": "ERROR",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "PATH": f"{HOME / 'bin'}:/usr/bin:/bin",
        }
        self.process = Process(argv, folder / "litellm.log", environ)
        wait_for(lambda: listening(self.port), "the start of LiteLLM", 120)


def run(folder: Path, clients: tuple[str, ...] = tuple(CLIENTS)) -> list[Outcome]:
    """Every case in every mode through a proxy of its own."""
    upstreams: list[Upstream] = [kind() for kind in UPSTREAMS]
    for upstream in upstreams:
        upstream.start()
        if upstream.name == "azure":
            upstream.stub.deployments += ("gpt-4.1", "gpt-5")  # type: ignore[attr-defined]
    proxy = Proxy(folder, upstreams)
    try:
        return asyncio.run(_all(upstreams, clients, f"http://127.0.0.1:{proxy.port}"))
    finally:
        proxy.process.stop()
        for upstream in upstreams:
            upstream.stop()


async def _all(upstreams: list[Upstream], clients: tuple[str, ...], url: str) -> list[Outcome]:
    """The upstreams side by side; each of them answers one request at a time."""
    found: list[Outcome] = []
    for client in clients:
        for some in await asyncio.gather(*(_pair(client, one, url) for one in upstreams)):
            found += some
    return found


async def _pair(client: str, upstream: Upstream, url: str) -> list[Outcome]:
    found = []
    for case, mode in _table(client, upstream.name):
        why = await judged(upstream, client, case, url, mode)
        outcome = {"client": client, "upstream": upstream.name, "case": case.name, "mode": mode}
        result = "fails" if why.partition(":")[0] not in ("passes", "refused") else why
        found.append({**outcome, "result": result, "why": why})
    return found


def _table(client: str, upstream: str) -> Iterator[tuple[Case, Mode]]:
    for case in CASES:
        places = ((case.name, "*", "*"), (case.name, client, upstream))
        if client in case.never or any(place in LEFT_OUT for place in places):
            continue
        for mode in MODES:
            if "stream" in mode or not case.streams:
                yield case, mode


if __name__ == "__main__":
    into = Path(sys.argv[1])
    (into / "outcomes.json").write_text(
        json.dumps(run(into, tuple(sys.argv[2:]) or tuple(CLIENTS)), indent=1, ensure_ascii=False)
    )
