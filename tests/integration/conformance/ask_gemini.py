"""Asking with the stock `google-genai` SDK."""

from __future__ import annotations

import base64
from typing import Any

from google import genai
from google.genai import errors
from google.genai import types as g

from tests.integration.conformance.talk import Asked, Failed, Got, Mode, Turn, left_out

_LEVELS = {"low": 1024, "medium": 4096, "high": 16_000}


def _parts(turn: Turn) -> list[g.Part]:
    found = [
        g.Part(
            function_response=g.FunctionResponse(
                id=result.ident or None,
                name=result.name,
                response={"error" if result.failed else "output": result.text},
            )
        )
        for result in turn.results
    ]
    if turn.image:
        data = base64.b64decode(turn.image)
        found.append(g.Part(inline_data=g.Blob(mime_type="image/png", data=data)))
    if turn.image_url:
        where = g.FileData(file_uri=turn.image_url, mime_type="image/png")
        found.append(g.Part(file_data=where))
    if turn.document:
        data = base64.b64decode(turn.document)
        found.append(g.Part(inline_data=g.Blob(mime_type="application/pdf", data=data)))
    if turn.text:
        found.append(g.Part(text=turn.text))
    for call in turn.calls:
        made = g.FunctionCall(id=call.ident, name=call.name, args=call.arguments)
        found.append(g.Part(function_call=made))
    return found


def _config(asked: Asked) -> g.GenerateContentConfig:
    config = g.GenerateContentConfig(
        automatic_function_calling=g.AutomaticFunctionCallingConfig(disable=True)
    )
    if asked.system:
        config.system_instruction = asked.system
    if asked.tools:
        declared = [
            g.FunctionDeclaration(name=name, description=name, parameters_json_schema=schema)
            for name, schema in asked.tools
        ]
        config.tools = [g.Tool(function_declarations=declared)]
    if asked.choice:
        modes = {"auto": "AUTO", "none": "NONE", "required": "ANY"}
        calling = g.FunctionCallingConfig(
            mode=g.FunctionCallingConfigMode(modes.get(asked.choice, "ANY"))
        )
        if asked.choice not in modes:
            calling.allowed_function_names = [asked.choice]
        config.tool_config = g.ToolConfig(function_calling_config=calling)
    if asked.schema:
        config.response_mime_type = "application/json"
        config.response_json_schema = asked.schema
    if asked.effort:
        budget = _LEVELS[asked.effort]
        config.thinking_config = g.ThinkingConfig(thinking_budget=budget, include_thoughts=True)
    config.max_output_tokens = asked.most
    config.stop_sequences = list(asked.stop) or None
    config.temperature = asked.temperature
    return config


def _contents(asked: Asked, before: Got | None) -> list[g.Content]:
    roles = {"user": "user", "assistant": "model"}
    found = [g.Content(role=roles[turn.role], parts=_parts(turn)) for turn in asked.turns]
    if before is not None:
        said = [part for part in before.raw if part.text != "" or part.thought_signature]
        found.insert(len(found) - 1, g.Content(role="model", parts=said))
    return found


def _got(chunks: list[g.GenerateContentResponse]) -> Got:
    got = Got(raw=[])
    reason = None
    for chunk in chunks:
        usage = chunk.usage_metadata
        if usage is not None:
            got.input = (usage.prompt_token_count or 0) + (usage.tool_use_prompt_token_count or 0)
            got.output = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
            got.cached = usage.cached_content_token_count or 0
        if chunk.prompt_feedback is not None and chunk.prompt_feedback.block_reason:
            got.finish = "refused"
        for candidate in chunk.candidates or []:
            reason = candidate.finish_reason or reason
            content = candidate.content
            for part in (content.parts if content else None) or []:
                got.raw.append(part)
                if part.function_call is not None:
                    name = part.function_call.name or ""
                    got.idents.append(part.function_call.id or "")
                    got.calls.append((name, dict(part.function_call.args or {})))
                elif part.thought:
                    got.reasoning += part.text or ""
                else:
                    got.text += part.text or ""
    if reason is not None:
        plain = {"STOP": "tool_calls" if got.calls else "stop", "MAX_TOKENS": "length"}
        got.finish = plain.get(reason.value, "refused")
    response = chunks[0].sdk_http_response
    headers = {k.lower(): v for k, v in ((response.headers if response else None) or {}).items()}
    got.left_out = left_out(headers.get("x-stockpot-degraded"))
    return got


async def ask(
    url: str,
    key: str,
    model: str,
    asked: Asked,
    mode: Mode,
    before: Got | None = None,
    *,
    version: str | None = None,
) -> Got:
    """`version` of the API, where it is not what the SDK takes."""
    options = g.HttpOptions(base_url=url, api_version=version)
    options.retry_options = g.HttpRetryOptions(attempts=1)
    client = genai.Client(api_key=key, http_options=options)
    request: dict[str, Any] = {
        "model": model,
        "contents": _contents(asked, before),
        "config": _config(asked),
    }
    try:
        if mode == "whole":
            return _got([client.models.generate_content(**request)])
        if mode == "stream":
            return _got(list(client.models.generate_content_stream(**request)))
        if mode == "async":
            return _got([await client.aio.models.generate_content(**request)])
        stream = await client.aio.models.generate_content_stream(**request)
        return _got([chunk async for chunk in stream])
    except errors.APIError as error:
        began = "stream" in mode and error.response is not None
        status = getattr(error.response, "status_code", error.code) if began else error.code
        raise Failed(None if status == 200 else error.code, str(error)) from None
    except errors.UnknownApiResponseError as error:
        raise Failed(None, str(error)) from None
    finally:
        client.close()
        await client.aio.aclose()
