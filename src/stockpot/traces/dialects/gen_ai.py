"""OpenTelemetry's conventions for generative AI, in their three generations.

Up to 1.36: `gen_ai.system`, `usage.prompt_tokens`, and messages as events. 1.37 to 1.41:
`gen_ai.provider.name`, messages as JSON attributes, `cache_creation`. Since then: `cache_write`,
retrieval. All are told apart by their attributes alone, and mixed as senders mix them.
"""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Dialect,
    Found,
    Message,
    Said,
    Side,
    as_json,
    as_list,
    as_text,
    message,
    messages,
    parsed,
)
from stockpot.traces.otlp.incoming import Attributes, Incoming

KINDS = {
    "chat": "llm", "text_completion": "llm", "generate_content": "llm", "completion": "llm",
    "fetch_response": "llm", "embeddings": "embedding", "embedding": "embedding",
    "retrieval": "retriever", "rerank": "reranker", "execute_tool": "tool",
    "invoke_agent": "agent", "create_agent": "agent", "invoke_workflow": "workflow",
    "plan": "workflow", "apply_guardrail": "guardrail", "evaluate": "evaluator",
    "search_memory": "retriever", "create_memory": "tool", "update_memory": "tool",
    "upsert_memory": "tool", "delete_memory": "tool", "create_memory_store": "tool",
    "delete_memory_store": "tool",
}  # fmt: skip

FIELDS = {
    "gen_ai.operation.name": "operation",
    "gen_ai.provider.name": "provider",
    "gen_ai.system": "provider",
    "gen_ai.request.model": "request_model",
    "gen_ai.response.model": "response_model",
    "gen_ai.response.id": "response_id",
    "gen_ai.response.finish_reasons": "finish_reasons",
    "gen_ai.response.finish_reason": "finish_reasons",
    "gen_ai.response.time_to_first_chunk": "ttft_s",
    "gen_ai.server.time_to_first_token": "ttft_s",
    "gen_ai.usage.input_tokens": "input_tokens",
    "gen_ai.usage.output_tokens": "output_tokens",
    "gen_ai.usage.total_tokens": "total_tokens",
    "gen_ai.usage.prompt_tokens": "input_tokens",
    "gen_ai.usage.completion_tokens": "output_tokens",
    "gen_ai.usage.cache_read.input_tokens": "cache_read",
    "gen_ai.usage.cache_creation.input_tokens": "cache_write",
    "gen_ai.usage.cache_write.input_tokens": "cache_write",
    "gen_ai.usage.cache_read_input_tokens": "cache_read",
    "gen_ai.usage.cache_creation_input_tokens": "cache_write",
    "gen_ai.usage.details.cache_read_tokens": "cache_read",
    "gen_ai.usage.details.cache_write_tokens": "cache_write",
    "gen_ai.usage.details.reasoning_tokens": "reasoning",
    "gen_ai.usage.reasoning.output_tokens": "reasoning",
    "gen_ai.usage.reasoning_tokens": "reasoning",
    "gen_ai.usage.audio.input_tokens": "audio_input",
    "gen_ai.usage.audio.output_tokens": "audio_output",
    "gen_ai.usage.image.input_tokens": "image_input",
    "gen_ai.usage.image.output_tokens": "image_output",
    "gen_ai.usage.details.input_audio_tokens": "audio_input",
    "gen_ai.usage.details.output_audio_tokens": "audio_output",
    "gen_ai.usage.cost": "cost_usd",
    "gen_ai.cost.total_cost": "cost_usd",
    "operation.cost": "cost_usd",
    "gen_ai.conversation.id": "session",
    "gen_ai.prompt.name": "prompt_name",
    "gen_ai.prompt.version": "prompt_version",
    "gen_ai.agent.name": "agent",
    "gen_ai.tool.name": "tool",
    "gen_ai.workflow.name": "trace_name",
    "gen_ai.request.stream": "stream",
    "gen_ai.is_streaming": "stream",
    "gen_ai.openai.response.service_tier": "service_tier",
    "openai.response.service_tier": "service_tier",
    "gen_ai.request.temperature": "param:temperature",
    "gen_ai.request.top_p": "param:top_p",
    "gen_ai.request.top_k": "param:top_k",
    "gen_ai.request.max_tokens": "param:max_tokens",
    "gen_ai.request.seed": "param:seed",
    "gen_ai.request.stop_sequences": "param:stop",
    "gen_ai.request.frequency_penalty": "param:frequency_penalty",
    "gen_ai.request.presence_penalty": "param:presence_penalty",
    "gen_ai.request.choice.count": "param:n",
    "gen_ai.request.reasoning.level": "param:reasoning_effort",
    "gen_ai.request.encoding_formats": "param:encoding_format",
    "gen_ai.embeddings.dimension.count": "param:dimensions",
    "deployment.environment.name": "environment",
    "error.type": "error",
    "http.response.status_code": "status_code",
    "http.status_code": "status_code",
    "user.id": "user",
    "enduser.id": "user",
    "user_id": "user",
    "baggage.user.id": "user",
    "session.id": "session",
    "session_id": "session",
    "baggage.session.id": "session",
}

_CONTENT = (
    "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions",
    "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.tool.definitions",
    "gen_ai.retrieval.query.text", "gen_ai.retrieval.documents",
)  # fmt: skip
_SAID_BY = {
    "gen_ai.system.message": "system", "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant", "gen_ai.tool.message": "tool",
}  # fmt: skip
_DETAILS = "gen_ai.client.inference.operation.details"


def said(span: Incoming) -> Said:
    """Messages, wherever a generation put them: attributes, or events of the span."""
    found = span.attributes
    if any(name in found for name in _CONTENT):
        return _from_attributes(found)
    for event in span.events:
        if event.name == _DETAILS:
            return _from_attributes(event.attributes)
    if isinstance(told := parsed(found.get("events")), list):  # pydantic-ai's first generation
        return _from_events((e.get("event.name", ""), e) for e in told if isinstance(e, dict))
    if any(event.name.startswith("gen_ai.") for event in span.events):
        return _from_events((event.name, event.attributes) for event in span.events)
    return NOTHING_SAID


def _from_attributes(found: Attributes) -> Said:
    tools = parsed(found.get("gen_ai.tool.definitions"))
    asked = messages(found.get("gen_ai.input.messages"))
    answered = messages(found.get("gen_ai.output.messages"), "assistant")
    system = parsed(found.get("gen_ai.system_instructions"))
    if system and not isinstance(asked, str):
        parts = {"role": "system", "content": system if isinstance(system, list) else [system]}
        asked = [message(parts), *(asked or [])]
    if asked is None:
        asked = _first(found, "gen_ai.tool.call.arguments", "gen_ai.retrieval.query.text")
    if answered is None:
        answered = _first(found, "gen_ai.tool.call.result", "gen_ai.retrieval.documents")
    return Said(asked, answered, tools)


def _first(found: Attributes, *names: str) -> Side | None:
    return next((as_json(found[name]) for name in names if name in found), None)


def _from_events(told: Any) -> Said:
    """The first generation: one event a message, `gen_ai.choice` for what came out."""
    asked: list[Message] = []
    answered: list[Message] = []
    for name, body in told:
        if name == "gen_ai.choice":
            inner = parsed(body.get("message", body.get("gen_ai.choice.message", body)))
            answered.append(message(inner if isinstance(inner, dict) else {"content": inner},
                                    "assistant"))  # fmt: skip
        elif name == "gen_ai.content.prompt":
            asked.append(Message("user", as_text(body.get("gen_ai.prompt"))))
        elif name == "gen_ai.content.completion":
            answered.append(Message("assistant", as_text(body.get("gen_ai.completion"))))
        elif name in _SAID_BY:
            asked.append(message(body, _SAID_BY[name]))
    return Said(asked or None, answered or None)


def mend(span: Incoming, found: Found) -> None:
    """Of several reasons to finish, the first choice's."""
    reasons = found.get("finish_reasons")
    if reasons is not None:
        found["finish_reasons"] = next(iter(as_list(reasons)), "")


GEN_AI = Dialect("gen_ai", ("gen_ai.",), FIELDS, {"gen_ai.operation.name": KINDS}, said, mend)
