"""What stockpot itself sends: its OTLP out, and its SDK. What OpenTelemetry has no name for."""

from __future__ import annotations

from stockpot.traces.dialects.fields import NOTHING_SAID, Dialect, Said, messages
from stockpot.traces.otlp.incoming import Incoming

KINDS = {
    kind: kind
    for kind in ("llm", "embedding", "retriever", "reranker", "tool", "agent", "workflow",
                 "guardrail", "evaluator", "span")
}  # fmt: skip

FIELDS = {
    "stockpot.kind": "operation",
    "stockpot.cost_usd": "cost_usd",
    "stockpot.tags": "tags",
    "stockpot.user": "user",
    "stockpot.session": "session",
    "stockpot.trace_name": "trace_name",
    "stockpot.prompt.name": "prompt_name",
    "stockpot.prompt.version": "prompt_version",
    "stockpot.prompt.label": "prompt_label",
    "stockpot.experiment": "experiment",
    "stockpot.variant": "variant",
    "stockpot.experiment.name": "experiment",
    "stockpot.experiment.variant": "variant",
    "stockpot.experiment.unit": "unit",
    "stockpot.dataset.run": "dataset_run",
    "stockpot.dataset.item": "dataset_item",
    "stockpot.sample_weight": "sample_weight",
    "stockpot.attempt": "attempt",
    "stockpot.model": "model",
    "stockpot.release": "release",
    "stockpot.service": "service",
    "stockpot.root": "root",
}


def said(span: Incoming) -> Said:
    """What a function was given and gave, as JSON."""
    found = span.attributes
    asked, answered = found.get("stockpot.input"), found.get("stockpot.output")
    if asked is None and answered is None:
        return NOTHING_SAID
    return Said(messages(asked), messages(answered, "assistant"))


STOCKPOT = Dialect("stockpot", ("stockpot.",), FIELDS, {"stockpot.kind": KINDS}, said)
