"""OpenLLMetry (traceloop): `traceloop.*` for workflows, numbered `gen_ai.prompt.N` for messages."""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Call,
    Dialect,
    Message,
    Said,
    Side,
    as_json,
    as_text,
    indexed,
    messages,
    parsed,
)
from stockpot.traces.otlp.incoming import Incoming

KINDS = {"workflow": "workflow", "task": "workflow", "agent": "agent", "tool": "tool"}
REQUESTS = {"chat": "llm", "completion": "llm", "embedding": "embedding", "rerank": "reranker"}

FIELDS = {
    "traceloop.span.kind": "operation",
    "llm.request.type": "operation",
    "traceloop.workflow.name": "trace_name",
    "traceloop.association.properties.user_id": "user",
    "traceloop.association.properties.session_id": "session",
    "traceloop.association.properties.chat_id": "session",
    "traceloop.prompt.key": "prompt_name",
    "traceloop.prompt.version": "prompt_version",
    "traceloop.prompt.version_name": "prompt_label",
    "llm.usage.total_tokens": "total_tokens",
    "gen_ai.usage.total_tokens": "total_tokens",
    "gen_ai.usage.cache_read_input_tokens": "cache_read",
    "gen_ai.usage.cache_creation_input_tokens": "cache_write",
    "llm.is_streaming": "stream",
    "llm.frequency_penalty": "param:frequency_penalty",
    "llm.presence_penalty": "param:presence_penalty",
    "llm.top_k": "param:top_k",
    "llm.chat.stop_sequences": "param:stop",
}


def said(span: Incoming) -> Said:
    """Numbered prompts and completions, or the input and output of a workflow's step."""
    found = span.attributes
    if "gen_ai.prompt.0.role" in found or "gen_ai.prompt.0.content" in found:
        tools = [_tool(one) for one in indexed(found, "llm.request.functions.")]
        return Said(
            _numbered(found, "gen_ai.prompt.", "user"),
            _numbered(found, "gen_ai.completion.", "assistant"),
            tools or None,
        )
    if "traceloop.entity.input" in found or "traceloop.entity.output" in found:
        return Said(_text(found, "traceloop.entity.input"), _text(found, "traceloop.entity.output"))
    return NOTHING_SAID


def _text(found: dict[str, Any], name: str) -> Side | None:
    return None if name not in found else as_json(found[name])


def _numbered(found: dict[str, Any], prefix: str, role: str) -> Side | None:
    out = []
    for told in indexed(found, prefix):
        content = parsed(told.get("content"))
        inner = {"role": told.get("role", role), "content": content}
        one = Message(as_text(told.get("role")) or role, as_text(told.get("content")), calls=[])
        if isinstance(content, list) and isinstance(made := messages([inner]), list):
            one = made[0]
        one.reasoning = as_text(told.get("reasoning"))
        one.call_id = as_text(told.get("tool_call_id"))
        for call in indexed(told, "tool_calls."):
            one.calls.append(Call(as_text(call.get("name")), as_json(call.get("arguments", "")),
                                  as_text(call.get("id"))))  # fmt: skip
        out.append(one)
    return out or None


def _tool(told: dict[str, Any]) -> dict[str, Any]:
    function = {**told, "parameters": parsed(told.get("parameters"))}
    return {"type": "function", "function": function}


OPENLLMETRY = Dialect(
    "openllmetry", ("traceloop.", "gen_ai.prompt.0", "llm.request.type"), FIELDS,
    {"traceloop.span.kind": KINDS, "llm.request.type": REQUESTS}, said,
)  # fmt: skip
