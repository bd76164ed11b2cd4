"""Trying a model: one small real call through the gateway, as an application would make it."""

from __future__ import annotations

import time
from typing import Any

import httpx

from stockpot.access import Principal
from stockpot.catalog.models import Model, TestResult
from stockpot.catalog.service.keys import KeyService
from stockpot.core.config import Settings
from stockpot.core.patient import Patient
from stockpot.core.urls import gateway_tls, gateway_url

TIMEOUT_S = 60.0
_CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "chat": (
        "/v1/chat/completions",
        {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16},
    ),
    "embedding": ("/v1/embeddings", {"input": "hello"}),
    "moderation": ("/v1/moderations", {"input": "hello"}),
    "rerank": ("/v1/rerank", {"query": "tea", "documents": ["a kettle", "a cat"]}),
}
"""By kind of model; sound and images cost more than a word and are not tried."""


class Trial:
    """Calls the gateway of this instance with the playground's key."""

    def __init__(
        self,
        keys: KeyService,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._keys = keys
        self._client = httpx.AsyncClient(
            base_url=gateway_url(settings),
            timeout=TIMEOUT_S,
            transport=Patient(gateway_tls(settings), to=transport),
            trust_env=False,
        )

    async def run(self, actor: Principal, model: Model) -> TestResult:
        """The answer or the error of one call."""
        secret = await self._keys.playground_secret()
        await self._keys.note(actor, "model.try", model.name)
        began = time.perf_counter()
        if model.kind not in _CALLS:
            return _result(
                began, error=f"a model of the kind {model.kind!r} is not tried from here"
            )
        path, body = _CALLS[model.kind]
        try:
            answer = await self._client.post(
                path,
                json={"model": model.name, **body},
                headers={"authorization": f"Bearer {secret}"},
            )
        except httpx.TransportError as away:
            return _result(
                began, error=f"the gateway does not answer: {away or type(away).__name__}"
            )
        text, error = _told(answer)
        trace_id = answer.headers.get("x-stockpot-trace-id")
        return _result(began, answer.status_code, text, error, trace_id)

    async def close(self) -> None:
        """Close connections."""
        await self._client.aclose()


def _result(
    began: float, status: int = 0, text: str = "", error: str = "", trace_id: str | None = None
) -> TestResult:
    return TestResult(
        ok=200 <= status < 300 and not error,
        status=status,
        duration_ms=(time.perf_counter() - began) * 1000,
        text=text,
        error=error,
        trace_id=trace_id,
    )


def _told(answer: httpx.Response) -> tuple[str, str]:
    """The text of an answer, or its error."""
    try:
        body = answer.json()
        if answer.is_error:
            return "", str(body["error"]["message"])
        if "choices" in body:
            return str(body["choices"][0]["message"].get("content") or ""), ""
        if "results" in body:
            return f"{len(body['results'])} results", ""
        return f"{len(body['data'][0]['embedding'])} dimensions", ""
    except (ValueError, KeyError, IndexError, TypeError):
        return "", f"an answer of an unknown shape: {answer.text[:200]!r}"
