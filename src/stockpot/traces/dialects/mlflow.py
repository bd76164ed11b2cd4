"""MLflow's tracing: every value is JSON, text included."""

from __future__ import annotations

from typing import Any

from stockpot.traces.dialects.fields import (
    NOTHING_SAID,
    Dialect,
    Found,
    Said,
    as_text,
    messages,
    parsed,
    parsed_object,
)
from stockpot.traces.otlp.incoming import Incoming

_KINDS = {
    "LLM": "llm", "CHAT_MODEL": "llm", "EMBEDDING": "embedding", "RETRIEVER": "retriever",
    "RERANKER": "reranker", "TOOL": "tool", "AGENT": "agent", "CHAIN": "workflow",
    "WORKFLOW": "workflow", "TASK": "workflow", "GUARDRAIL": "guardrail",
    "EVALUATOR": "evaluator", "PARSER": "span", "MEMORY": "span", "UNKNOWN": "span",
}  # fmt: skip
KINDS = {spelled: kind for name, kind in _KINDS.items() for spelled in (name, f'"{name}"')}

FIELDS = {
    "mlflow.spanType": "operation",
    "mlflow.chat.tokenUsage": "usage",
    "mlflow.llm.cost": "cost_details",
    "mlflow.llm.model": "request_model",
    "mlflow.llm.provider": "provider",
    "mlflow.trace.user": "user",
    "mlflow.trace.session": "session",
}

_USAGE = {
    "input_tokens": "input_tokens", "output_tokens": "output_tokens",
    "total_tokens": "total_tokens", "cache_read_input_tokens": "cache_read",
    "cache_creation_input_tokens": "cache_write",
}  # fmt: skip


def said(span: Incoming) -> Said:
    found = span.attributes
    asked, answered = found.get("mlflow.spanInputs"), found.get("mlflow.spanOutputs")
    if asked is None and answered is None:
        return NOTHING_SAID
    told = parsed_object(answered)
    choices: Any = told.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        answered = choices[0].get("message", answered)
    return Said(messages(asked), messages(answered, "assistant"), parsed_object(asked).get("tools"))


def mend(span: Incoming, found: Found) -> None:
    """Values are JSON, and a call's own input and output name its models."""
    usage = parsed_object(found.pop("usage", None))
    found |= {_USAGE[name]: value for name, value in usage.items() if name in _USAGE}
    cost = parsed_object(found.pop("cost_details", None))
    if "total_cost" in cost:
        found["cost_usd"] = cost["total_cost"]
    for name in ("request_model", "provider", "user", "session", "operation"):
        if isinstance(found.get(name), str):
            found[name] = as_text(parsed(found[name]))
    asked, answered = (
        parsed_object(span.attributes.get(f"mlflow.span{side}")) for side in ("Inputs", "Outputs")
    )
    if "model" in asked:
        found.setdefault("request_model", asked["model"])
    if "model" in answered:
        found.setdefault("response_model", answered["model"])


MLFLOW = Dialect("mlflow", ("mlflow.",), FIELDS, {"mlflow.spanType": KINDS}, said, mend)
