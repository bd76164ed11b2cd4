"""OpenInference, as Arize's instrumentations and Phoenix tell spans."""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    Call,
    Dialect,
    Found,
    Message,
    Said,
    Side,
    as_json,
    as_text,
    indexed,
    messages,
    parsed,
    parsed_object,
)
from stockpot.traces.otlp.incoming import Incoming

KINDS = {
    "LLM": "llm", "EMBEDDING": "embedding", "CHAIN": "workflow", "RETRIEVER": "retriever",
    "RERANKER": "reranker", "TOOL": "tool", "AGENT": "agent", "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator", "PROMPT": "span", "UNKNOWN": "span",
}  # fmt: skip

FIELDS = {
    "openinference.span.kind": "operation",
    "llm.provider": "provider",
    "llm.system": "provider",
    "llm.model_name": "request_model",
    "llm.request.model_name": "request_model",
    "llm.response.model_name": "response_model",
    "embedding.model_name": "request_model",
    "reranker.model_name": "request_model",
    "llm.finish_reason": "finish_reasons",
    "llm.token_count.prompt": "input_tokens",
    "llm.token_count.completion": "output_tokens",
    "llm.token_count.total": "total_tokens",
    "llm.token_count.prompt_details.cache_read": "cache_read",
    "llm.token_count.prompt_details.cache_write": "cache_write",
    "llm.token_count.prompt_details.audio": "audio_input",
    "llm.token_count.completion_details.reasoning": "reasoning",
    "llm.token_count.completion_details.audio": "audio_output",
    "llm.cost.total": "cost_usd",
    "llm.invocation_parameters": "params",
    "llm.prompt_template.version": "prompt_version",
    "prompt.id": "prompt_name",
    "session.id": "session",
    "user.id": "user",
    "tag.tags": "tags",
    "agent.name": "agent",
    "tool.name": "tool",
}

_UNSAID = frozenset((
    "model", "messages", "tools", "input", "stream", "stream_options", "model_name", "_type",
))  # fmt: skip
_FIRST = "First Token Stream Event"


def said(span: Incoming) -> Said:
    """Numbered messages, or the whole input and output where there are none."""
    found = span.attributes
    tools = [parsed(one.get("tool.json_schema")) for one in indexed(found, "llm.tools.")]
    return Said(
        _numbered(found, "llm.input_messages.") or _value(found, "input.value"),
        _numbered(found, "llm.output_messages.") or _documents(found)
        or _value(found, "output.value"),
        tools or None,
    )  # fmt: skip


def _numbered(found: dict[str, Any], prefix: str) -> Side | None:
    return [_message(one) for one in indexed(found, prefix)] or None


def _message(told: dict[str, Any]) -> Message:
    out = Message(as_text(told.get("message.role")), calls=[], parts=[])
    out.text = as_text(told.get("message.content"))
    out.call_id = as_text(told.get("message.tool_call_id"))
    for part in indexed(told, "message.contents."):
        kind = as_text(part.get("message_content.type"))
        text = part.get("message_content.text")
        if kind in ("reasoning", "thinking"):
            out.reasoning += as_text(text)
        elif text is not None:
            out.text = f"{out.text}\n{text}" if out.text else as_text(text)
        elif url := part.get("message_content.image.image.url"):
            out.parts.append({"type": "image_url", "image_url": {"url": url}})
    for call in indexed(told, "message.tool_calls."):
        name, arguments = (call.get(f"tool_call.function.{n}") for n in ("name", "arguments"))
        out.calls.append(Call(as_text(name), as_json(arguments), as_text(call.get("tool_call.id"))))
    return out


def _documents(found: dict[str, Any]) -> Side | None:
    for prefix in ("retrieval.documents.", "reranker.output_documents."):
        if documents := indexed(found, prefix):
            shown = [{name.removeprefix("document."): v for name, v in one.items()}
                     for one in documents]  # fmt: skip
            return as_json(shown)
    return None


def _value(found: dict[str, Any], name: str) -> Side | None:
    value = found.get(name)
    if isinstance(value, str) and '"role"' in value[:400]:
        return messages(value)
    return None if value is None else as_json(value)


def mend(span: Incoming, found: Found) -> None:
    """Parameters are the whole request in some versions: what is no parameter goes. An event tells
    when the first token came."""
    for event in span.events:
        if event.name == _FIRST:
            found["first_token_ns"], found["stream"] = event.at_ns, True
    if "params" in found:
        told = parsed_object(found["params"])
        found["params"] = {k: v for k, v in told.items() if k not in _UNSAID and v is not None}


OPENINFERENCE = Dialect(
    "openinference", ("openinference.", "llm.input_messages.", "llm.token_count."), FIELDS,
    {"openinference.span.kind": KINDS}, said, mend,
)  # fmt: skip
