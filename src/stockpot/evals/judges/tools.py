"""What scorers may ask of the world, by the gateway: embeddings, judges, an address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from stockpot.core.errors import Unavailable
from stockpot.evals.judges.asking import Asking, Kept
from stockpot.evals.judges.models import Judge, Subject
from stockpot.evals.judges.subjects import subject_of
from stockpot.evals.models import Row, Verdict
from stockpot.evals.pace import Pace
from stockpot.evals.scorers import Case


class GatewayTools:
    """By a client of the gateway; judges' answers are kept where they cost twice otherwise."""

    def __init__(
        self, client: httpx.AsyncClient, kept: Kept | None = None, *, again: bool = False
    ) -> None:
        self._client = client
        self._kept = kept
        self._again = again
        self._pace = Pace()
        self._asking: dict[str, Asking] = {}
        self.embedded_tokens = 0
        """Tokens of all texts that were embedded, as far as the models tell."""

    async def embed(self, texts: Sequence[str], model: str) -> list[list[float]]:
        """One vector for each text."""
        try:
            found = await self._client.post(
                "/v1/embeddings", json={"model": model, "input": list(texts)}
            )
        except httpx.TransportError as away:
            raise Unavailable(f"the gateway does not answer: {away!r}") from None
        if not found.is_success:
            raise Unavailable(f"embeddings of {model!r}: {found.status_code} {found.text[:300]}")
        told = found.json()
        self.embedded_tokens += int((told.get("usage") or {}).get("prompt_tokens") or 0)
        data = sorted(told["data"], key=lambda one: one["index"])
        return [list(one["embedding"]) for one in data]

    async def judge(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[Verdict]:
        """What a pinned judge says of each case, several calls at once."""
        judge, asking, subjects = self._about(options, cases)
        return [
            Verdict(value=one.value, label=one.label, reason=one.reason[:1000],
                    missing=one.missing, judgement=one)
            for one in await asking.judge(judge, subjects)
        ]  # fmt: skip

    async def judge_cost(self, options: Mapping[str, Any], cases: Sequence[Case]) -> list[int]:
        """What judging each case may cost, in nano-dollars; nothing where it was asked before."""
        judge, asking, subjects = self._about(options, cases)
        return await asking.cost_ahead(judge, subjects)

    def _about(
        self, options: Mapping[str, Any], cases: Sequence[Case]
    ) -> tuple[Judge, Asking, list[Subject]]:
        judge = Judge.model_validate(options["judge"])
        asking = self._asking.get(judge.content_hash)
        if asking is None:
            prices = {name: tuple(p) if p else None
                      for name, p in (options.get("prices") or {}).items()}  # fmt: skip
            asking = self._asking[judge.content_hash] = Asking(
                self._client, self._kept, prices=prices, served=options.get("served"),
                pace=self._pace, again=self._again,
            )  # fmt: skip
        rows = [
            Row.model_construct(id=case.item, input=case.input, expected=case.expected,
                                metadata=case.metadata, output=case.output)
            for case in cases
        ]  # fmt: skip
        return judge, asking, [subject_of(judge, row, row.output) for row in rows]

    def endpoint(self) -> tuple[str, str]:
        """The gateway's address and the key that the client has."""
        key = str(self._client.headers.get("authorization", "")).removeprefix("Bearer ")
        return f"{str(self._client.base_url).rstrip('/')}/v1", key
