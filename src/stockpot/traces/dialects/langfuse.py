"""Langfuse's SDKs (3 and later), which send OTLP with `langfuse.*`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Dialect,
    Found,
    Said,
    as_float,
    as_int,
    messages,
    parsed,
    parsed_object,
)
from stockpot.traces.otlp.incoming import Incoming

KINDS = {
    "generation": "llm", "embedding": "embedding", "span": "span", "event": "span",
    "agent": "agent", "tool": "tool", "chain": "workflow", "retriever": "retriever",
    "evaluator": "evaluator", "guardrail": "guardrail",
}  # fmt: skip

FIELDS = {
    "langfuse.observation.type": "operation",
    "langfuse.observation.model.name": "request_model",
    "langfuse.observation.model.parameters": "params",
    "langfuse.observation.usage_details": "usage",
    "langfuse.observation.cost_details": "cost_details",
    "langfuse.observation.prompt.name": "prompt_name",
    "langfuse.observation.prompt.version": "prompt_version",
    "langfuse.observation.completion_start_time": "first_token_at",
    "langfuse.observation.level": "level",
    "langfuse.trace.name": "trace_name",
    "langfuse.trace.tags": "tags",
    "langfuse.user.id": "user",
    "langfuse.session.id": "session",
    "user.id": "user",
    "session.id": "session",
    "langfuse.environment": "environment",
    "langfuse.release": "release",
    "langfuse.experiment.id": "dataset_run",
    "langfuse.experiment.item.id": "dataset_item",
}


def said(span: Incoming) -> Said:
    """The observation's own input and output, else the trace's."""
    found = span.attributes
    for about in ("observation", "trace"):
        asked, answered = (found.get(f"langfuse.{about}.{side}") for side in ("input", "output"))
        if asked is not None or answered is not None:
            return Said(messages(asked), messages(answered, "assistant"))
    return NOTHING_SAID


def mend(_: Incoming, found: Found) -> None:
    """Usage and cost are JSON, keyed by freely chosen names that begin alike."""
    usage = parsed_object(found.pop("usage", None))
    if usage:
        found |= _usage(usage)
    cost = parsed_object(found.pop("cost_details", None))
    if cost:
        numbers = {k: v for k, v in cost.items() if as_float(v) is not None}
        found["cost_usd"] = numbers.get("total", sum(numbers.values()) if numbers else None)
    if isinstance(found.get("params"), str):
        found["params"] = parsed_object(found["params"])
    if (began := found.pop("first_token_at", None)) is not None:
        found["first_token_ns"] = _ns(parsed(began))
    if str(found.pop("level", "")).upper() == "ERROR":
        found.setdefault("error", "error")


def _usage(usage: dict[str, Any]) -> Found:
    """Tokens by their names: `input_cached_tokens` and `cache_read_input_tokens` are parts of what
    went in that `input` leaves out."""
    read = sum(as_int(v) for k, v in usage.items() if "cache" in k and "creation" not in k
               and "write" not in k)  # fmt: skip
    written = sum(as_int(v) for k, v in usage.items() if "cache_creation" in k or "write" in k)
    reasoning = sum(as_int(v) for k, v in usage.items() if "reasoning" in k)
    plain = sum(as_int(usage.get(k)) for k in ("input", "prompt_tokens", "input_tokens"))
    out = sum(as_int(usage.get(k)) for k in ("output", "completion_tokens", "output_tokens"))
    given = {"input_tokens": plain + read + written, "output_tokens": out + reasoning,
             "cache_read": read, "cache_write": written, "reasoning": reasoning}  # fmt: skip
    return {name: value for name, value in given.items() if value}


def _ns(moment: Any) -> int:
    try:
        return int(datetime.fromisoformat(str(moment)).timestamp() * 1e9)
    except ValueError:
        return 0


LANGFUSE = Dialect(
    "langfuse", ("langfuse.",), FIELDS, {"langfuse.observation.type": KINDS}, said, mend
)
