"""The npm package `ai` (Vercel AI SDK): a span for what was asked for, one below for each call."""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Dialect,
    Found,
    Message,
    Said,
    Side,
    _call,
    as_json,
    as_text,
    messages,
    parsed,
)
from stockpot.traces.otlp.incoming import Incoming

_CALLS = ("generateText", "streamText", "generateObject", "streamObject")
KINDS = {
    **{f"ai.{name}": "workflow" for name in _CALLS},
    **{f"ai.{name}.{step}": "llm" for name in _CALLS for step in ("doGenerate", "doStream")},
    "ai.embed": "workflow", "ai.embedMany": "workflow", "ai.embed.doEmbed": "embedding",
    "ai.embedMany.doEmbed": "embedding", "ai.rerank": "workflow", "ai.rerank.doRerank": "reranker",
    "ai.toolCall": "tool",
}  # fmt: skip

FIELDS = {
    "ai.operationId": "operation",
    "ai.model.id": "request_model",
    "ai.model.provider": "provider",
    "ai.response.model": "response_model",
    "ai.response.id": "response_id",
    "ai.response.finishReason": "finish_reasons",
    "ai.usage.promptTokens": "input_tokens",
    "ai.usage.inputTokens": "input_tokens",
    "ai.usage.tokens": "input_tokens",
    "ai.usage.completionTokens": "output_tokens",
    "ai.usage.outputTokens": "output_tokens",
    "ai.usage.totalTokens": "total_tokens",
    "ai.usage.cachedInputTokens": "cache_read",
    "ai.usage.inputTokenDetails.cacheReadTokens": "cache_read",
    "ai.usage.inputTokenDetails.cacheWriteTokens": "cache_write",
    "ai.usage.reasoningTokens": "reasoning",
    "ai.usage.outputTokenDetails.reasoningTokens": "reasoning",
    "ai.response.msToFirstChunk": "ttft_ms",
    "ai.stream.msToFirstChunk": "ttft_ms",
    "ai.telemetry.functionId": "trace_name",
    "ai.telemetry.metadata.userId": "user",
    "ai.telemetry.metadata.sessionId": "session",
    "ai.telemetry.metadata.tags": "tags",
    "ai.telemetry.metadata.promptName": "prompt_name",
    "ai.telemetry.metadata.promptVersion": "prompt_version",
    "ai.toolCall.name": "tool",
    "ai.settings.temperature": "param:temperature",
    "ai.settings.topP": "param:top_p",
    "ai.settings.topK": "param:top_k",
    "ai.settings.maxTokens": "param:max_tokens",
    "ai.settings.maxOutputTokens": "param:max_tokens",
    "ai.settings.seed": "param:seed",
    "ai.settings.frequencyPenalty": "param:frequency_penalty",
    "ai.settings.presencePenalty": "param:presence_penalty",
}


def said(span: Incoming) -> Said:
    """Prompts as JSON, answers as text, tool calls and objects in attributes of their own."""
    found = span.attributes
    if "ai.toolCall.args" in found or "ai.toolCall.result" in found:
        return Said(_text(found, "ai.toolCall.args"), _text(found, "ai.toolCall.result"))
    prompt = found.get("ai.prompt.messages")
    asked = messages(prompt) if prompt is not None else _prompt(found.get("ai.prompt"))
    if asked is None and ("ai.value" in found or "ai.values" in found):
        asked = as_json(parsed(found.get("ai.value", found.get("ai.values"))))
    answered = _answer(found)
    if asked is None and answered is None:
        return NOTHING_SAID
    tools = found.get("ai.prompt.tools")
    given = [parsed(one) for one in tools] if isinstance(tools, list) else None
    return Said(asked, answered, given)


def _prompt(value: Any) -> Side | None:
    told = parsed(value)
    if not isinstance(told, dict):
        return None if value is None else as_json(value)
    system = [Message("system", as_text(told["system"]))] if told.get("system") else []
    if isinstance(told.get("messages"), list):
        rest = messages(told["messages"])
        return [*system, *rest] if isinstance(rest, list) else rest
    if isinstance(told.get("prompt"), list):
        rest = messages(told["prompt"])
        return [*system, *rest] if isinstance(rest, list) else rest
    return [*system, Message("user", as_text(told.get("prompt")))]


def _answer(found: dict[str, Any]) -> Side | None:
    text = found.get("ai.response.text", found.get("ai.result.text"))
    calls = parsed(found.get("ai.response.toolCalls", found.get("ai.result.toolCalls")))
    if text is None and not calls:
        whole = found.get("ai.response.object", found.get("ai.result.object"))
        return None if whole is None else as_json(whole)
    answer = Message("assistant", as_text(text), as_text(found.get("ai.response.reasoning")))
    answer.calls = [_call(one) for one in _listed(calls) if isinstance(one, dict)]
    return [answer]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(found: dict[str, Any], name: str) -> Side | None:
    return None if name not in found else as_json(found[name])


def mend(span: Incoming, found: Found) -> None:
    """`openai.chat` is the provider `openai`; a span's operation may stand in `operation.name`."""
    provider = as_text(found.get("provider"))
    head, dot, tail = provider.rpartition(".")
    if dot and tail in ("chat", "responses", "completion", "messages", "embedding", "embeddings"):
        found["provider"] = head
    stream = as_text(span.attributes.get("ai.operationId"))
    if stream.endswith("doStream"):
        found["stream"] = True


VERCEL = Dialect(
    "vercel", ("ai.operationId", "ai.model.", "ai.toolCall."), FIELDS, {"ai.operationId": KINDS},
    said, mend,
)  # fmt: skip
