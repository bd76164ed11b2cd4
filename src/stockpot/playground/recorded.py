"""A recorded call of any dialect as the chat request that the playground runs, and its answer.

Knows dialects through `providers` alone: what a client sent is read by its dialect and written by
OpenAI's wire, as the gateway itself would translate it; what is lost on the way is named. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import msgspec

from stockpot.core.errors import Conflict, InvalidInput
from stockpot.playground.answers import read_answer
from stockpot.playground.models import Answer, Called, Lost, RecordedCall, Said
from stockpot.providers import Ask, BadRequest, CannotExpress, Dialect, dialects, wire_named
from stockpot.traces import Payload, Span

PATHS = {
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "responses": "/v1/responses",
}
"""Where a call of a dialect is sent; Gemini's path holds the model."""

_VARIABLES = "prompt_variables"
_WHY_NOT = {
    "none": "the key's policy keeps no payloads",
    "shed": "the payload was shed when the spool was short of room",
    "expired": "the payload is older than the project keeps payloads, or was not sampled",
    "erased": "the payload was erased on demand",
}


class _Target(NamedTuple):
    """A server of OpenAI's form that takes everything."""

    model: str
    base_url: str = ""
    stream_usage: str = "never"
    native: tuple[str, ...] = ()
    options: Mapping[str, str] = {}


def why_not_kept(span: Span) -> str:
    """What is missing for running a call again, in words; empty when it is all there."""
    missing = _WHY_NOT.get(span.payload, "")
    return f"{missing} (key {span.key_id})" if missing and span.key_id else missing


def recorded_call(span: Span, payload: Payload) -> RecordedCall:
    """The call in one form. Raises Conflict where the payload was not kept, InvalidInput where it
    is no chat."""
    asked, variables = own_request(_kept(span, payload))
    dialect = dialect_of(span, asked)
    request, lost = _request(span, dialect, asked)
    said = payload.response or ""
    return RecordedCall(
        trace_id=span.trace_id,
        span_id=span.span_id,
        project=span.project,
        name=span.name,
        dialect=dialect,
        endpoint=span.endpoint,
        payload="masked" if payload.state == "masked" else "full",
        request=request,
        answer=answer_of(dialect, said) if said else None,
        lost=lost,
        prompt=f"{span.prompt_name}@{span.prompt_version}" if span.prompt_name else "",
        label=span.prompt_label,
        variables=variables,
    )


def own_request(asked: str) -> tuple[str, dict[str, Any]]:
    """What was recorded of a call that a prompt filled in: the request as the model saw it, and
    the variables that stand beside it. Any other request stays as it is, byte for byte."""
    if _VARIABLES not in asked:
        return asked, {}
    try:
        body = json.loads(asked)
        variables = body.pop(_VARIABLES, None)
    except (ValueError, AttributeError, TypeError):
        return asked, {}
    if not isinstance(variables, dict):
        return asked, {}
    return json.dumps(body, ensure_ascii=False), variables


def _kept(span: Span, payload: Payload) -> str:
    if payload.request:
        return payload.request
    why = why_not_kept(span) or "its request was not recorded"
    raise Conflict(
        f"the span {span.span_id!r} cannot be run again: {why}",
        hint=f"stockpot projects change {span.project} --payloads full",
    )


def dialect_of(span: Span, asked: str) -> str:
    """The client's dialect. Spans of other tracers name where their attributes come from, not a
    dialect of requests; what such a body looks like decides."""
    if span.dialect in PATHS or span.dialect == "gemini":
        return span.dialect
    try:
        body = json.loads(asked)
    except ValueError:
        return "openai"
    if isinstance(body, dict) and "messages" not in body:
        if "contents" in body:
            return "gemini"
        if "input" in body and span.kind == "llm":
            return "responses"
    return "openai"


def path_of(span: Span, dialect: str, model: str = "") -> str:
    """Where the gateway takes a call like this one."""
    if dialect != "gemini":
        is_text = dialect == "openai" and span.endpoint == "completions"
        return "/v1/completions" if is_text else PATHS[dialect]
    verb = "streamGenerateContent?alt=sse" if span.stream else "generateContent"
    return f"/v1beta/models/{model or span.requested_model}:{verb}"


# --- requests -----------------------------------------------------------------------------------


def _request(span: Span, dialect: str, asked: str) -> tuple[dict[str, Any], tuple[Lost, ...]]:
    if dialect == "openai":
        return _plain(span, asked), ()
    spoken = next(one for one in dialects() if one.name == dialect)
    path = path_of(span, dialect).encode()
    try:
        ask = spoken.read("chat", asked.encode(), path)
        target = _Target(ask.model or span.requested_model)
        made = wire_named("openai").outgoing(ask, target)
    except (BadRequest, CannotExpress) as bad:
        raise InvalidInput(
            f"the request of {span.span_id!r} is no chat in {dialect}'s format: {bad}"
        ) from None
    body = msgspec.json.decode(made.body)
    for name in ("stream", "stream_options"):
        body.pop(name, None)
    return body, tuple(Lost(field=loss.field, why=loss.why) for loss in made.losses)


def _plain(span: Span, asked: str) -> dict[str, Any]:
    """A chat request; of another tracer's span, the messages that it tells of."""
    try:
        body = json.loads(asked)
    except ValueError:
        body = None
    if isinstance(body, list):
        body = {"messages": body}
    if isinstance(body, dict) and isinstance(body.get("messages"), list):
        given = span.params if "model" not in body else {}
        body = {**given, **body}
        body["model"] = body.get("model") or span.requested_model or span.model
        return {k: v for k, v in body.items() if k not in ("stream", "stream_options")}
    text = body.get("prompt") if isinstance(body, dict) else None
    if isinstance(text, str):
        rest = {k: v for k, v in cast("dict[str, Any]", body).items() if k != "prompt"}
        return {**rest, "messages": [{"role": "user", "content": text}]}
    if span.source == "gateway" or not asked.strip():
        raise InvalidInput(f"the request of {span.span_id!r} is no chat that could be run again")
    said = body if isinstance(body, str) else asked
    model = span.requested_model or span.model
    return {"model": model, **span.params, "messages": [{"role": "user", "content": said}]}


# --- answers ------------------------------------------------------------------------------------


def answer_of(dialect: str, said: str) -> Answer:
    """What the model said, out of recorded or new bytes. A call that was translated is recorded
    with its upstream's bytes, so that what they look like decides, and the client's dialect only
    where nothing does."""
    form = _form_of(said) or dialect
    if form == "responses":
        return _response(said)
    if form == "openai":
        return _loosely(said)
    wire = wire_named(form)
    streamed = not said.lstrip().startswith("{")
    reading = wire.answer(_openai_ask(stream=streamed), _Target(""))
    try:
        if streamed:
            body = reading.feed(said.encode()) + reading.end()
        else:
            body = reading.complete(said.encode())
    except ValueError:
        return Answer(error=wire.error_message(said.encode()) or f"no answer: {said[:200]}")
    return read_answer(body.decode("utf-8", "replace"))


_FORMS = (
    ("openai", ('"choices"', '"chat.completion')),
    ("anthropic", ('"message_start"', '"type":"message"', '"type": "message"')),
    ("gemini", ('"candidates"', '"promptFeedback"')),
    ("responses", ('"response.created"', '"object":"response"', '"object": "response"')),
    ("bedrock", ('"stopReason"',)),
)
_LOOKED_AT = 4000


def _form_of(said: str) -> str:
    """The format that an answer is in: that whose mark comes first. '' for what has none."""
    start = said[:_LOOKED_AT]
    found = [
        (at, form) for form, marks in _FORMS for mark in marks if (at := start.find(mark)) >= 0
    ]
    return min(found)[1] if found else ""


def _openai_ask(*, stream: bool) -> Ask:
    spoken: Dialect = dialects()[0]
    body = {"model": "any", "messages": [{"role": "user", "content": ""}], "stream": stream,
            "stream_options": {"include_usage": True}}  # fmt: skip
    return spoken.read("chat", json.dumps(body).encode())


def _loosely(said: str) -> Answer:
    """OpenAI's form, or what another tracer keeps of an answer: messages, or plain text."""
    answer = read_answer(said)
    if not answer.error or said.lstrip().startswith("data:"):
        return answer
    try:
        body = json.loads(said)
    except ValueError:
        return Answer(choices=(Said(text=said),))
    if isinstance(body, dict) and "error" in body:
        return answer
    messages = body if isinstance(body, list) else [body]
    if all(isinstance(one, dict) and ("content" in one or "tool_calls" in one) for one in messages):
        choices = [{"message": one, "finish_reason": one.get("finish_reason")} for one in messages]
        return read_answer(json.dumps({"choices": choices}))
    return Answer(choices=(Said(text=body if isinstance(body, str) else said),))


def _response(said: str) -> Answer:
    """An answer of the Responses API: whole, or the last event of its stream."""
    body = _last_response(said)
    if body is None:
        return Answer(error="the stream ended before the model said that it was done")
    if isinstance(error := body.get("error"), dict):
        return Answer(error=str(error.get("message") or error))
    texts: dict[str, list[str]] = {"output_text": [], "refusal": [], "summary_text": []}
    calls: list[Called] = []
    media: list[str] = []
    for item in body.get("output") or ():
        kind = item.get("type")
        if kind == "function_call":
            calls.append(
                Called(id=item.get("call_id") or "", name=item.get("name") or "",
                       arguments=item.get("arguments") or "")
            )  # fmt: skip
        elif kind == "image_generation_call":
            media.append("image")
        for part in (*(item.get("content") or ()), *(item.get("summary") or ())):
            if (name := part.get("type")) in texts:
                texts[name].append(part.get("text") or part.get("refusal") or "")
    usage = body.get("usage") or {}
    cut = (body.get("incomplete_details") or {}).get("reason") or ""
    choice = Said(
        text="".join(texts["output_text"]), refusal="".join(texts["refusal"]),
        reasoning="".join(texts["summary_text"]), tool_calls=tuple(calls), media=tuple(media),
        finish=cut or ("tool_calls" if calls else "stop"),
    )  # fmt: skip
    return Answer(
        choices=(choice,), model=body.get("model") or "",
        input_tokens=usage.get("input_tokens"), output_tokens=usage.get("output_tokens"),
    )  # fmt: skip


def _last_response(said: str) -> dict[str, Any] | None:
    bodies = [line[5:] for line in said.splitlines() if line.startswith("data:")] or [said]
    for text in reversed(bodies):
        try:
            event = json.loads(text)
        except ValueError:
            continue
        if isinstance(event, dict):
            whole = event.get("response", event)
            if isinstance(whole, dict) and ("output" in whole or "error" in whole):
                ended = event is whole or str(event.get("type")).endswith(
                    (".completed", ".incomplete", ".failed")
                )
                return whole if ended else None
    return None
