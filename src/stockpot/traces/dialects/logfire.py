"""logfire and pydantic-ai: OpenTelemetry's conventions with some attributes of their own."""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Dialect,
    Said,
    Side,
    as_json,
    messages,
    parsed,
    parsed_object,
)
from stockpot.traces.otlp.incoming import Incoming

PENDING = "logfire.span_type"
"""With the value `pending_span`: an announcement of a span that comes later with other ids."""

FIELDS = {
    "agent_name": "agent",
    "logfire.tags": "tags",
    "model_name": "request_model",
}


def said(span: Incoming) -> Said:
    """What an agent or a tool was given and gave, and the bodies that logfire keeps of calls."""
    found = span.attributes
    if "request_data" in found:
        request, answer = (
            parsed_object(found["request_data"]),
            parsed_object(found.get("response_data")),
        )
        told = answer.get("message") or answer.get("combined_chunk_content")
        return Said(
            messages(request.get("messages", request.get("input"))),
            messages(told, "assistant"),
            request.get("tools"),
        )
    for name in ("pydantic_ai.all_messages", "all_messages_events"):
        if name in found:
            return Said(messages(found[name]), _text(found, "final_result"))
    if "tool_arguments" in found or "tool_response" in found:
        return Said(_text(found, "tool_arguments"), _text(found, "tool_response"))
    return NOTHING_SAID


def _text(found: dict[str, Any], name: str) -> Side | None:
    return None if name not in found else as_json(parsed(found[name]))


LOGFIRE = Dialect("logfire", ("logfire.", "pydantic_ai.", "all_messages_events"), FIELDS, {}, said)
