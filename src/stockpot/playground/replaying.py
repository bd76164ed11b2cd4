"""Running a recorded trace again, call by call, and saying what came out otherwise.

Knows spans, their payloads and the gateway; asks no tool and no retriever: what they returned is
in the recorded requests and is used again. The new calls are one trace of their own, which carries
the tag `replay`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol

from stockpot.core import ids
from stockpot.core.errors import NotFound, StockpotError, Unavailable
from stockpot.playground.answers import differences, digest, told
from stockpot.playground.models import (
    Answer,
    Figures,
    RecordedCall,
    Replay,
    ReplayAsked,
    Step,
    StepState,
    Stubbed,
)
from stockpot.playground.passing import Asked
from stockpot.playground.recorded import (
    answer_of,
    dialect_of,
    own_request,
    path_of,
    recorded_call,
    why_not_kept,
)
from stockpot.playground.stubs import NotReached, Results, Turned, going_on
from stockpot.traces import REPLAY, REPLAY_OF, Payload, Span, SpanLog

_CHATS = ("chat", "completions", "")
"""Endpoints whose answers are compared; '' is what another tracer recorded."""


class Gateway(Protocol):
    """Answers one call, whole."""

    async def ask(self, path: str, body: bytes, secret: str, headers: dict[str, str]) -> Asked: ...


Filling = Callable[[RecordedCall], Awaitable[RecordedCall]]
"""Finds out how many messages of a call its prompt made (`filled`)."""


class _Sending(NamedTuple):
    """One call as it goes out."""

    dialect: str
    path: str
    body: bytes


class Replayer:
    """Replays traces of one span log through one gateway."""

    def __init__(self, spans: SpanLog, gateway: Gateway) -> None:
        self._spans = spans
        self._gateway = gateway

    async def replay(
        self, asked: ReplayAsked, spans: tuple[Span, ...], secret: str, filling: Filling
    ) -> Replay:
        """Every call of a model among these spans of one trace, in the order of their start."""
        running = _Running(self._spans, self._gateway, asked, secret, filling)
        steps = [span for span in sorted(spans, key=lambda s: s.start_ms) if _is_step(span, spans)]
        if not steps:
            raise NotFound(
                f"the trace {asked.trace_id!r} holds no call of a model",
                hint=f"stockpot traces show {asked.trace_id}",
            )
        beside = tuple([one for span in spans if (one := await running.stub(span)) is not None])
        made = [await running.step(number, span) for number, span in enumerate(steps, 1)]
        return Replay(
            trace_id=steps[0].trace_id,
            replay_trace_id=running.trace_id,
            project=steps[0].project,
            model=asked.model or "",
            prompt=asked.prompt or "",
            follow=asked.follow,
            identical=all(step.state == "identical" for step in made),
            steps=tuple(made),
            stubbed=(*beside, *running.results.found()),
        )


def _is_step(span: Span, spans: tuple[Span, ...]) -> bool:
    """A call of a model, once: not a retry, nor the application's own view of a call that the
    gateway recorded too."""
    if span.kind != "llm":
        return False
    if span.source == "gateway":
        return span.is_root or not any(
            one.source == "gateway" and one.span_id == span.parent_id for one in spans
        )
    below = {one.parent_id for one in spans if one.kind == "llm"}
    return span.span_id not in below


class _Running:
    """One replay under way."""

    def __init__(
        self,
        spans: SpanLog,
        gateway: Gateway,
        asked: ReplayAsked,
        secret: str,
        filling: Filling,
    ) -> None:
        self._spans = spans
        self._gateway = gateway
        self._asked = asked
        self._secret = secret
        self._filling = filling
        self._turned: list[Turned] = []
        self._root = ids.span_id().hex()
        self.trace_id = ids.trace_id().hex()
        self.results = Results()

    async def stub(self, span: Span) -> Stubbed | None:
        """What a tool or a retriever returned, as far as its span tells; None for other spans."""
        if span.kind not in ("tool", "retriever", "reranker"):
            return None
        name = span.tool or span.name
        payload = await asyncio.to_thread(
            self._spans.payload, span.trace_id, span.span_id, span.project
        )
        if span.kind == "tool" and payload.request and payload.response is not None:
            self.results.know(name, payload.request, payload.response)
        return Stubbed(kind=span.kind, name=name, id=span.span_id)

    async def step(self, number: int, span: Span) -> Step:
        """One call again. Whatever goes wrong with it is its state, not the end of the replay."""

        def ended(state: StepState, why: str, **more: Any) -> Step:
            return Step(number=number, span_id=span.span_id, name=span.name,
                        model=span.requested_model or span.model, state=state, why=why,
                        **more)  # fmt: skip

        if span.endpoint not in _CHATS:
            return ended("skipped", f"answers of {span.endpoint} are not compared")
        if why := why_not_kept(span):
            return ended("not_kept", why)
        try:
            payload = await asyncio.to_thread(
                self._spans.payload, span.trace_id, span.span_id, span.project
            )
            recorded = await self._filling(recorded_call(span, payload))
            if recorded.payload == "masked":
                return ended("not_kept", "the payload was masked when it was written")
            sending, messages = self._sending(span, payload, recorded)
        except NotReached as lost:
            return ended("not_reached", str(lost))
        except StockpotError as bad:
            return ended("not_kept", bad.message)
        return await self._run(span, recorded, sending, messages, ended)

    async def _run(
        self, span: Span, recorded: RecordedCall, sending: _Sending, messages: list[Any], ended: Any
    ) -> Step:
        try:
            answered = await self._send(sending)
        except Unavailable as away:
            return ended("failed", away.message)  # type: ignore[no-any-return]
        after = answer_of(sending.dialect, answered.body)
        before = recorded.answer or Answer(error="no answer was recorded")
        if answered.status >= 400 and not after.error:
            after = Answer(error=f"the gateway answered {answered.status}")
        if before.choices and after.choices:
            self._turned.append(
                Turned(list(recorded.request.get("messages") or ()), messages, before, after)
            )
        found = differences(before, after)
        state: StepState = "differs" if found else "identical"
        why = f"{len(found)} field{'s' if len(found) > 1 else ''} differ" if found else ""
        if after.error and not before.error:
            state, why = "failed", after.error
        return ended(  # type: ignore[no-any-return]
            state, why, differences=found, said=told(after),
            recorded=_figures_then(span, before), replayed=_figures_now(answered, after),
        )  # fmt: skip

    def _sending(
        self, span: Span, payload: Payload, recorded: RecordedCall
    ) -> tuple[_Sending, list[Any]]:
        """The bytes as they were recorded, unless something of them is to be another."""
        messages = list(recorded.request.get("messages") or ())
        self.results.read(messages)
        going = going_on(messages, self._turned, self.results) if self._asked.follow else messages
        asked, _ = own_request(payload.request or "")
        dialect = dialect_of(span, asked)
        gateways_own = span.source == "gateway" and span.endpoint != ""
        if self._asked.prompt or going != messages or not gateways_own:
            return self._composed(recorded, going), going
        model = self._asked.model
        if model is None:
            path = path_of(span, dialect)
            return _Sending(dialect, path, asked.encode()), messages
        body = asked
        if dialect != "gemini":
            body = json.dumps({**json.loads(asked), "model": model})
        path = path_of(span, dialect, model)
        return _Sending(dialect, path, body.encode()), messages

    def _composed(self, recorded: RecordedCall, messages: list[Any]) -> _Sending:
        body: dict[str, Any] = {**recorded.request, "messages": messages}
        if self._asked.prompt:
            body["prompt_variables"] = recorded.variables
            body["messages"] = _besides_the_prompt(messages, recorded.filled)
        if self._asked.model:
            body["model"] = self._asked.model
        return _Sending("openai", "/v1/chat/completions", json.dumps(body).encode())

    async def _send(self, sending: _Sending) -> Asked:
        headers = {
            "traceparent": f"00-{self.trace_id}-{self._root}-01",
            "x-stockpot-tags": f"{REPLAY},{REPLAY_OF}{self._asked.trace_id.lower()}",
            "cache-control": "no-store",  # an answer that is repeated would prove nothing
        }
        if self._asked.prompt:
            headers["x-stockpot-prompt"] = self._asked.prompt
        if sending.dialect == "anthropic":
            headers["anthropic-version"] = "2023-06-01"
        return await self._gateway.ask(sending.path, sending.body, self._secret, headers)


def _besides_the_prompt(messages: list[Any], filled: int) -> list[Any]:
    """What the application said itself: of a call that a prompt filled in, all but the prompt's
    own messages; of any other, the prompt takes the place of the instructions."""
    if filled:
        return messages[filled:]
    return [one for one in messages if one.get("role") not in ("system", "developer")]


def _figures_then(span: Span, answer: Answer) -> Figures:
    return Figures(
        digest=digest(answer),
        latency_ms=span.duration_ms,
        input_tokens=span.tokens.input,
        output_tokens=span.tokens.output,
        model=span.served_model or span.model,
    )


def _figures_now(asked: Asked, answer: Answer) -> Figures:
    return Figures(
        digest=digest(answer),
        latency_ms=asked.took_ms,
        input_tokens=answer.input_tokens,
        output_tokens=answer.output_tokens,
        model=answer.model,
    )
