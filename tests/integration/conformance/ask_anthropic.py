"""Asking with the stock `anthropic` SDK."""

from __future__ import annotations

from typing import Any

import anthropic
from anthropic.types import Message

from tests.integration.conformance.talk import Asked, Failed, Got, Mode, Turn, left_out

_FINISH = {
    "end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls",
    "refusal": "refused", "pause_turn": "stop",
}  # fmt: skip
_BUDGETS = {"low": 1024, "medium": 4096, "high": 16_000}


def _blocks(turn: Turn) -> list[Any]:
    found: list[Any] = [
        {
            "type": "tool_result",
            "tool_use_id": result.ident,
            "content": result.text,
            **({"is_error": True} if result.failed else {}),
        }
        for result in turn.results
    ]
    if turn.image:
        source = {"type": "base64", "media_type": "image/png", "data": turn.image}
        found.append({"type": "image", "source": source})
    if turn.image_url:
        found.append({"type": "image", "source": {"type": "url", "url": turn.image_url}})
    if turn.document:
        source = {"type": "base64", "media_type": "application/pdf", "data": turn.document}
        found.append({"type": "document", "source": source, "title": "menu.pdf"})
    if turn.text:
        found.append({"type": "text", "text": turn.text})
    for call in turn.calls:
        use = {"type": "tool_use", "id": call.ident, "name": call.name, "input": call.arguments}
        found.append(use)
    return found


def request_of(model: str, asked: Asked, before: Got | None) -> dict[str, Any]:
    """What is asked, in the SDK's arguments."""
    messages = [{"role": turn.role, "content": _blocks(turn)} for turn in asked.turns]
    if before is not None:
        said = [block.model_dump(exclude_none=True) for block in before.raw.content]
        messages.insert(len(messages) - 1, {"role": "assistant", "content": said})
    found: dict[str, Any] = {"model": model, "messages": messages, "max_tokens": asked.most or 9000}
    if asked.system:
        found["system"] = asked.system
    if asked.tools:
        found["tools"] = [{"name": n, "input_schema": schema} for n, schema in asked.tools]
    if asked.choice:
        kinds = {"auto": "auto", "none": "none", "required": "any"}
        kind = kinds.get(asked.choice)
        found["tool_choice"] = {"type": kind} if kind else {"type": "tool", "name": asked.choice}
    if asked.schema:
        found["output_config"] = {"format": {"type": "json_schema", "schema": asked.schema}}
    if asked.effort:
        found["thinking"] = {"type": "enabled", "budget_tokens": _BUDGETS[asked.effort]}
        found["max_tokens"] = asked.most or 20_000
    if asked.stop:
        found["stop_sequences"] = list(asked.stop)
    return found


def got_of(answer: Message, headers: Any) -> Got:
    """What the SDK understood."""
    usage = answer.usage
    assert answer.stop_reason is not None
    read, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    got = Got(
        finish=_FINISH[answer.stop_reason],
        input=usage.input_tokens + read + written,
        output=usage.output_tokens,
        cached=read,
        left_out=left_out(headers.get("x-stockpot-degraded")),
        raw=answer,
    )
    for block in answer.content:
        if block.type == "text":
            got.text += block.text
        elif block.type == "thinking":
            got.reasoning += block.thinking
        elif block.type == "tool_use":
            assert block.id
            got.idents.append(block.id)
            got.calls.append((block.name, dict(block.input)))
    return got


async def ask(
    url: str, key: str, model: str, asked: Asked, mode: Mode, before: Got | None = None
) -> Got:
    request = request_of(model, asked, before)
    stream = "stream" in mode
    try:
        if mode.startswith("async"):
            return await _ask_async(url, key, request, stream)
        return _ask(url, key, request, stream)
    except anthropic.APIStatusError as error:
        inside = stream and error.response.status_code == 200
        raise Failed(None if inside else error.status_code, str(error)) from None
    except anthropic.APIError as error:
        raise Failed(None, str(error)) from None


def _ask(url: str, key: str, request: dict[str, Any], stream: bool) -> Got:
    with anthropic.Anthropic(base_url=url, api_key=key, max_retries=0) as sdk:
        if stream:
            with sdk.messages.stream(**request) as events:
                return got_of(events.get_final_message(), events.response.headers)
        response = sdk.messages.with_raw_response.create(**request)
        return got_of(response.parse(), response.headers)


async def _ask_async(url: str, key: str, request: dict[str, Any], stream: bool) -> Got:
    async with anthropic.AsyncAnthropic(base_url=url, api_key=key, max_retries=0) as sdk:
        if stream:
            async with sdk.messages.stream(**request) as events:
                return got_of(await events.get_final_message(), events.response.headers)
        response = await sdk.messages.with_raw_response.create(**request)
        return got_of(await response.parse(), response.headers)
