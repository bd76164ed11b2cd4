"""Asking with the stock `openai` SDK."""

from __future__ import annotations

import json
from typing import Any

import openai
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.integration.conformance.talk import Asked, Failed, Got, Mode, Turn, left_out

_FINISH = {
    "stop": "stop", "length": "length", "tool_calls": "tool_calls", "content_filter": "refused",
}  # fmt: skip


def _content(turn: Turn) -> Any:
    parts: list[Any] = []
    if turn.image:
        url = f"data:image/png;base64,{turn.image}"
        parts.append({"type": "image_url", "image_url": {"url": url}})
    if turn.image_url:
        parts.append({"type": "image_url", "image_url": {"url": turn.image_url}})
    if turn.document:
        data = f"data:application/pdf;base64,{turn.document}"
        parts.append({"type": "file", "file": {"filename": "menu.pdf", "file_data": data}})
    if not parts:
        return turn.text
    return [*parts, {"type": "text", "text": turn.text}]


def _messages(asked: Asked, before: Got | None) -> list[Any]:
    found: list[Any] = []
    if asked.system:
        found.append({"role": "system", "content": asked.system})
    for number, turn in enumerate(asked.turns):
        if before is not None and number == len(asked.turns) - 1:
            found.append(_handed_back(before))
        for result in turn.results:
            message = {"role": "tool", "tool_call_id": result.ident, "content": result.text}
            found.append(message)
        if turn.calls:
            calls = [
                {
                    "id": call.ident,
                    "type": "function",
                    "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
                }
                for call in turn.calls
            ]
            found.append({"role": "assistant", "content": turn.text or None, "tool_calls": calls})
        elif turn.text:
            found.append({"role": turn.role, "content": _content(turn)})
    return found


def _handed_back(before: Got) -> dict[str, Any]:
    """The answer without what the SDK's helper for streams adds to it."""
    said: dict[str, Any] = before.raw.choices[0].message.model_dump(exclude_none=True)
    said.pop("parsed", None)
    for call in said.get("tool_calls", []):
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    return said


def request_of(model: str, asked: Asked, before: Got | None) -> dict[str, Any]:
    """What is asked, in the SDK's arguments."""
    found: dict[str, Any] = {"model": model, "messages": _messages(asked, before)}
    if asked.tools:
        found["tools"] = [
            {"type": "function", "function": {"name": name, "parameters": schema}}
            for name, schema in asked.tools
        ]
    if asked.choice in ("auto", "none", "required"):
        found["tool_choice"] = asked.choice
    elif asked.choice:
        found["tool_choice"] = {"type": "function", "function": {"name": asked.choice}}
    if asked.schema:
        schema = {"name": "pot", "schema": asked.schema, "strict": True}
        found["response_format"] = {"type": "json_schema", "json_schema": schema}
    if asked.effort:
        found["reasoning_effort"] = asked.effort
    if asked.most:
        found["max_completion_tokens"] = asked.most
    if asked.stop:
        found["stop"] = list(asked.stop)
    if asked.temperature is not None:
        found["temperature"] = asked.temperature
    return found


def got_of(answer: ChatCompletion, headers: Any) -> Got:
    """What the SDK understood."""
    (choice,) = answer.choices
    message, usage = choice.message, answer.usage
    assert message.role == "assistant", f"the role is {message.role!r}"
    finish = "refused" if message.refusal else _FINISH[choice.finish_reason]
    got = Got(
        text=message.content or "",
        reasoning=getattr(message, "reasoning_content", None) or "",
        finish=finish,
        left_out=left_out(headers.get("x-stockpot-degraded")),
        raw=answer,
    )
    for call in message.tool_calls or []:
        assert call.type == "function"
        assert call.id, "a call without an id"
        got.idents.append(call.id)
        got.calls.append((call.function.name, json.loads(call.function.arguments or "{}")))
    if usage is not None:
        total = usage.prompt_tokens + usage.completion_tokens
        assert usage.total_tokens == total, f"the total is {usage.total_tokens}, not {total}"
        details = usage.prompt_tokens_details
        got.input, got.output = usage.prompt_tokens, usage.completion_tokens
        got.cached = (details.cached_tokens or 0) if details else 0
    return got


def _apart(chunk: ChatCompletionChunk, thoughts: list[Any]) -> ChatCompletionChunk:
    """Sets aside blocks of reasoning, which some gateways send and the SDK's helper cannot add up:
    a program that reads the chunks itself can."""
    for choice in chunk.choices:
        more = choice.delta.model_extra or {}
        thoughts += more.pop("thinking_blocks", None) or []
        (more.get("provider_specific_fields") or {}).pop("thinking_blocks", None)  # said twice
    return chunk


def _joined(state: ChatCompletionStreamState[Any], thoughts: list[Any]) -> ChatCompletion:
    answer = state.current_completion_snapshot
    if thoughts:
        whole = {
            "type": "thinking",
            "thinking": "".join(block.get("thinking") or "" for block in thoughts),
            "signature": "".join(block.get("signature") or "" for block in thoughts),
        }
        extra = answer.choices[0].message.model_extra
        assert extra is not None
        extra["thinking_blocks"] = [whole]
    return answer


def _failed(error: openai.APIError) -> Failed:
    return Failed(getattr(error, "status_code", None), str(error))


async def ask(
    url: str, key: str, model: str, asked: Asked, mode: Mode, before: Got | None = None
) -> Got:
    request = request_of(model, asked, before)
    if "stream" in mode:
        request |= {"stream": True, "stream_options": {"include_usage": True}}
    try:
        if mode.startswith("async"):
            return await _ask_async(f"{url}/v1", key, request)
        return _ask(f"{url}/v1", key, request)
    except openai.APIError as error:
        raise _failed(error) from None


def _ask(url: str, key: str, request: dict[str, Any]) -> Got:
    with openai.OpenAI(base_url=url, api_key=key, max_retries=0) as sdk:
        response = sdk.chat.completions.with_raw_response.create(**request)
        answer: Any = response.parse()
        if not request.get("stream"):
            return got_of(answer, response.headers)
        state = ChatCompletionStreamState()
        thoughts: list[Any] = []
        for chunk in answer:
            state.handle_chunk(_apart(chunk, thoughts))
        return got_of(_joined(state, thoughts), response.headers)


async def _ask_async(url: str, key: str, request: dict[str, Any]) -> Got:
    async with openai.AsyncOpenAI(base_url=url, api_key=key, max_retries=0) as sdk:
        response = await sdk.chat.completions.with_raw_response.create(**request)
        answer: Any = response.parse()
        if not request.get("stream"):
            return got_of(answer, response.headers)
        state = ChatCompletionStreamState()
        thoughts: list[Any] = []
        async for chunk in answer:
            state.handle_chunk(_apart(chunk, thoughts))
        return got_of(_joined(state, thoughts), response.headers)
