"""Requests full of spans, as an agent's exporter sends them: 200 spans of about 1.9 KB each.

A trace is an agent's turn: the turn itself, a retrieval, two calls of a model, a call of a tool.
Texts are real English (the documentation inside Python's own standard library); calls share a
system prompt and the description of a tool. Encoded by
OpenTelemetry's own classes, which share no code with what reads them.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from span_log import prose

BATCH = 200
MODELS = (("openai", "gpt-4o-mini"), ("anthropic", "claude-3-5-haiku-latest"), ("openai", "gpt-4o"))
NEEDLE = "quetzalcoatlus"
STEPS = ("invoke_agent", "retrieval", "chat", "execute_tool", "chat")
TOOLS = json.dumps(
    [
        {
            "type": "function",
            "name": "price_of",
            "parameters": {
                "type": "object",
                "properties": {"dish": {"type": "string"}},
                "required": ["dish"],
            },
        }
    ]
)
RESOURCE = {
    "service.name": "waiter", "service.version": "1.4.2",
    "deployment.environment.name": "production", "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "1.45.0",
}  # fmt: skip


def attribute(name: str, value: Any) -> KeyValue:
    if isinstance(value, int):
        return KeyValue(key=name, value=AnyValue(int_value=value))
    if isinstance(value, float):
        return KeyValue(key=name, value=AnyValue(double_value=value))
    if isinstance(value, list):
        return KeyValue(key=name, value=AnyValue(array_value={"values": [
            AnyValue(string_value=one) for one in value]}))  # fmt: skip
    return KeyValue(key=name, value=AnyValue(string_value=value))


class Corpus:
    """An endless supply of spans; `ids` are those that were handed out last."""

    def __init__(self, seed: int = 20261122) -> None:
        self.rng = random.Random(seed)
        self.prose = prose()
        self.system = json.dumps([{"type": "text", "content": self.text(400)}])
        self.number = 0
        self.trace = b""
        self.root = b""
        self.now_ns = time.time_ns()
        self.ids: list[tuple[bytes, bytes]] = []

    def text(self, length: int) -> str:
        out = ""
        while len(out) < length:
            part = self.rng.choice(self.prose)
            begin = self.rng.randrange(0, max(1, len(part) - 60))
            out += part[begin : begin + 240] + " "
        return out[:length]

    def attributes(self, step: str) -> Iterator[KeyValue]:
        rng = self.rng
        told: dict[str, Any] = {"gen_ai.operation.name": step}
        if step == "chat":
            provider, model = rng.choice(MODELS)
            asked = [{"role": "user", "parts": [{"type": "text", "content": self.text(1150)}]}]
            needle = f" {NEEDLE} feather" if self.number % 20_000 == 2 else ""
            said = [{"role": "assistant", "finish_reason": "stop",
                     "parts": [{"type": "text", "content": self.text(620) + needle}]}]  # fmt: skip
            told |= {
                "gen_ai.provider.name": provider, "gen_ai.request.model": model,
                "gen_ai.response.model": model, "gen_ai.request.temperature": 0.2,
                "gen_ai.request.max_tokens": 256, "gen_ai.usage.input_tokens": 460,
                "gen_ai.usage.output_tokens": 180, "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.response.id": f"chatcmpl-{rng.getrandbits(96):x}",
                "gen_ai.system_instructions": self.system, "gen_ai.tool.definitions": TOOLS,
                "gen_ai.input.messages": json.dumps(asked),
                "gen_ai.output.messages": json.dumps(said),
            }  # fmt: skip
        elif step == "retrieval":
            told |= {"gen_ai.data_source.id": "menu", "gen_ai.retrieval.query.text": self.text(80),
                     "gen_ai.retrieval.documents": self.text(1340)}  # fmt: skip
        elif step == "execute_tool":
            told |= {"gen_ai.tool.name": "price_of", "gen_ai.tool.call.arguments": self.text(200),
                     "gen_ai.tool.call.result": self.text(700)}  # fmt: skip
        else:
            told |= {"gen_ai.agent.name": "waiter", "session.id": f"s-{rng.randrange(5000)}",
                     "user.id": f"guest-{rng.randrange(500)}"}  # fmt: skip
            asked = [{"role": "user", "parts": [{"type": "text", "content": self.text(500)}]}]
            told["gen_ai.input.messages"] = json.dumps(asked)
        return (attribute(name, value) for name, value in told.items())

    def batch(self, size: int = BATCH, at_ns: int | None = None) -> bytes:
        """One request."""
        rng = self.rng
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.extend(attribute(n, v) for n, v in RESOURCE.items())
        scope = group.scope_spans.add()
        scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.agent", "1.2.0"
        self.ids = []
        for _ in range(size):
            step = STEPS[self.number % len(STEPS)]
            ident = rng.randbytes(8)
            if step == STEPS[0]:
                self.trace, self.root = rng.randbytes(16), ident
            took = int(rng.lognormvariate(20.5, 0.6))
            end = at_ns or time.time_ns()
            span = scope.spans.add(
                trace_id=self.trace, span_id=ident, name=f"{step} waiter", kind=3, flags=256,
                parent_span_id=b"" if ident == self.root else self.root,
                start_time_unix_nano=end - took, end_time_unix_nano=end,
            )  # fmt: skip
            span.attributes.extend(self.attributes(step))
            if rng.random() < 0.02:
                span.status.code, span.status.message = 2, "bad gateway"
            self.ids.append((self.trace, ident))
            self.number += 1
        return request.SerializeToString()
