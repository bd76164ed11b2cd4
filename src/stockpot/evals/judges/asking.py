"""Asking judges: calls by the gateway, many at once, each content paid for once.

Knows judges, the gateway's chat completions and where answers are kept; knows no run, no suite and
no certificate. An answer is kept as soon as it is there, so that a crash repeats only the calls
that were under way.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import httpx
import msgspec

from stockpot.core import ids
from stockpot.evals.clients import item_header
from stockpot.evals.judges.counting import of_jury, of_votes
from stockpot.evals.judges.instructing import messages, response_format
from stockpot.evals.judges.models import Judge, Subject
from stockpot.evals.judges.reading import read
from stockpot.evals.judges.subjects import lacking
from stockpot.evals.pace import Pace
from stockpot.evals.records import Judgement, Vote
from stockpot.evals.targets import Answer, completion, content_key, refusal

_ATTEMPTS = 5
_LONGEST_S = 600.0
_OUTPUT_TOKENS = 512
_FORM_REFUSED = (400, 404, 415, 422, 501)
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Answer).decode

Prices = Mapping[str, Sequence[float] | None]
"""Dollars per million input and output tokens, by the name of a model."""
ClientOf = Callable[[str], Awaitable[httpx.AsyncClient]]
"""A client of the gateway with a project's key for evaluations; whoever asked closes it."""


class Kept(Protocol):
    """Where answers are kept by the content of their call."""

    def known(self, keys: Sequence[bytes], /) -> Awaitable[Mapping[bytes, bytes]]: ...

    def keep(self, answers: Mapping[bytes, bytes], /) -> Awaitable[None]: ...


class _Call(NamedTuple):
    judge: Judge
    subject: Subject
    order: str
    key: bytes


class Asking:
    """Asks judges about rows. `served` says what serves a model now, so that an alias that points
    elsewhere is asked anew; with `again` nothing is taken from what is kept."""

    def __init__(
        self, client: httpx.AsyncClient, kept: Kept | None = None, *, prices: Prices | None = None,
        served: Mapping[str, Sequence[str]] | None = None, pace: Pace | None = None,
        again: bool = False,
    ) -> None:  # fmt: skip
        self._client = client
        self._kept = kept
        self._prices = prices or {}
        self._served = served or {}
        self._pace = pace or Pace()
        self._again = again
        self._plain: set[str] = set()
        """Models that take no response schema."""

    async def judge(self, judge: Judge, subjects: Sequence[Subject]) -> list[Judgement]:
        """What a judge says of each row, in their order."""
        if judge.members:
            said = [await self.judge(one, subjects) for one in judge.members]
            return [
                _priced(of_jury(judge, subject.item, column), [one.cost_nano for one in column])
                for subject, column in zip(subjects, zip(*said, strict=True), strict=True)
            ]
        size = judge.calls
        votes = await self._votes(self._calls(judge, subjects))
        return [
            self._judged(judge, subject, votes[number * size : (number + 1) * size])
            for number, subject in enumerate(subjects)
        ]

    async def cost_ahead(self, judge: Judge, subjects: Sequence[Subject]) -> list[int]:
        """What judging each row may cost, in nano-dollars: nothing for a call that was answered
        before, nor where no price is known."""
        if judge.members:
            each = [await self.cost_ahead(one, subjects) for one in judge.members]
            return [sum(column) for column in zip(*each, strict=True)]
        calls = self._calls(judge, subjects)
        known = await self._known(calls)
        price = self._prices.get(judge.model)
        costs = [
            0 if one.key in known else _call_nano(judge, price, one.subject, one.order) or 0
            for one in calls
        ]
        size = judge.calls
        return [sum(costs[at : at + size]) for at in range(0, len(costs), size)]

    def _calls(self, judge: Judge, subjects: Sequence[Subject]) -> list[_Call]:
        return [
            _Call(judge, subject, order, self._key(judge, subject, order))
            for subject in subjects
            for order in orders_of(judge)
        ]

    async def _known(self, calls: Sequence[_Call]) -> Mapping[bytes, bytes]:
        if self._kept is None or self._again:
            return {}
        return await self._kept.known([call.key for call in calls])

    def _judged(self, judge: Judge, subject: Subject, votes: Sequence[Vote]) -> Judgement:
        return _priced(
            of_votes(judge, subject.item, votes), [self._cost(judge.model, vote) for vote in votes]
        )

    def _key(self, judge: Judge, subject: Subject, order: str) -> bytes:
        served = list(self._served.get(judge.model, ()))
        return content_key("judge", judge.content_hash, served, messages(judge, subject, order))

    async def _votes(self, calls: Sequence[_Call]) -> list[Vote]:
        known = await self._known(calls)

        async def one(call: _Call) -> Vote:
            if why := lacking(call.judge, call.subject):
                return Vote(judge=call.judge.ref, order=call.order, missing="error", reason=why)
            data = known.get(call.key)
            if data is not None:
                return _vote(call, _decode(data), cached=True)
            return _vote(call, await self._answer(call), cached=False)

        return list(await asyncio.gather(*(one(call) for call in calls)))

    async def _answer(self, call: _Call) -> Answer:
        """One call, again while it may be, kept when it was answered."""
        attempt, until = 0, time.monotonic() + _LONGEST_S
        while True:
            await self._pace.enter()
            answer = await self._ask(call)
            if answer.retry_s is None:
                self._pace.left() if not answer.error else self._pace.failed()
                break
            attempt += not answer.crowded
            wait = max(answer.retry_s, 0.05 * 2**attempt if not answer.crowded else 0.02)
            self._pace.refused(wait) if answer.crowded else self._pace.failed()
            if attempt >= _ATTEMPTS or time.monotonic() + wait > until:
                break
            await asyncio.sleep(wait)
        if self._kept is not None and not answer.error:
            await self._kept.keep({call.key: _encode(answer)})
        return answer

    async def _ask(self, call: _Call) -> Answer:
        judge = call.judge
        item = call.subject.item
        answer, status = await self._post(self._body(call), item)
        formed = judge.structured and judge.model not in self._plain
        if formed and status in _FORM_REFUSED:
            # Perhaps it takes no schema: without one the answer is read with care.
            plain, again = await self._post(self._body(call, formed=False), item)
            if again < 400:
                self._plain.add(judge.model)
                return plain
        return answer

    def _body(self, call: _Call, *, formed: bool = True) -> dict[str, Any]:
        judge = call.judge
        said = messages(judge, call.subject, call.order)
        body: dict[str, Any] = {"model": judge.model, "messages": said}
        body |= {name: value for name, value in judge.params.items() if value is not None}
        if formed and judge.structured and judge.model not in self._plain:
            body["response_format"] = response_format(judge)
        return body

    async def _post(self, body: dict[str, Any], item: str) -> tuple[Answer, int]:
        trace = ids.trace_id().hex()
        headers = {"traceparent": f"00-{trace}-{ids.span_id().hex()}-01", **item_header(item)}
        began = time.perf_counter()
        try:
            found = await self._client.post("/v1/chat/completions", json=body, headers=headers)
        except httpx.TransportError as away:
            return Answer(error=f"the gateway does not answer: {away!r}", retry_s=0.5), 599
        took = (time.perf_counter() - began) * 1000
        trace = found.headers.get("x-stockpot-trace-id", trace)
        base = Answer(latency_ms=took, trace_id=trace)
        if not found.is_success:
            return refusal(found, base), found.status_code
        return completion(found.json(), base), found.status_code

    def _cost(self, model: str, vote: Vote) -> int | None:
        if vote.cached or not (vote.input_tokens or vote.output_tokens):
            return 0
        price = self._prices.get(model)
        if price is None:
            return None
        return round((vote.input_tokens * price[0] + vote.output_tokens * price[1]) * 1000)


def orders_of(judge: Judge) -> tuple[str, ...]:
    """The orders in which a row is shown, one call each."""
    if judge.kind != "pairwise":
        return ("",)
    return ("ab", "ba") if judge.both_orders else ("ab",)


def judging_nano(judge: Judge, prices: Prices, subject: Subject) -> int | None:
    """What judging a row may cost before anybody is asked: four characters are a token, and as many
    come back as the judge may say. None where no price is known."""
    if judge.members:
        each = [judging_nano(one, prices, subject) for one in judge.members]
        return None if None in each else sum(nano or 0 for nano in each)
    each = [
        _call_nano(judge, prices.get(judge.model), subject, order) for order in orders_of(judge)
    ]
    return None if None in each else sum(nano or 0 for nano in each)


def _call_nano(
    judge: Judge, price: Sequence[float] | None, subject: Subject, order: str
) -> int | None:
    if lacking(judge, subject):
        return 0
    if price is None:
        return None
    said = sum(len(one["content"]) for one in messages(judge, subject, order))
    told: Any = judge.params.get("max_tokens") or judge.params.get("max_completion_tokens")
    return round(((said // 4 + 1) * price[0] + int(told or _OUTPUT_TOKENS) * price[1]) * 1000)


def _vote(call: _Call, answer: Answer, *, cached: bool) -> Vote:
    about = {
        "judge": call.judge.ref, "order": call.order, "trace_id": answer.trace_id,
        "model": answer.model, "input_tokens": answer.input_tokens,
        "output_tokens": answer.output_tokens, "cached": cached,
    }  # fmt: skip
    if answer.error:
        return Vote.model_validate({**about, "missing": "error", "reason": answer.error[:1000]})
    return read(call.judge, answer.output, call.order).model_copy(update=about)


def _priced(judgement: Judgement, costs: Sequence[int | None]) -> Judgement:
    total = None if None in costs else sum(cost or 0 for cost in costs)
    return judgement.model_copy(update={"cost_nano": total})
