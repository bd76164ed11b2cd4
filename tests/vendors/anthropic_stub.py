"""A stand-in for Anthropic's Messages API on loopback: checks each request and builds each answer
with the types that the `anthropic` package publishes. Shares no code with the product.

What it answers is chosen by words in the last user message that begin with `#`, see `SCENES`; a
forced tool, a schema and results of tools are answered as such. Beyond the types it enforces rules
that Anthropic documents: API versions, the order of turns, results of tools that match their calls.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from anthropic.types import (
    Base64ImageSourceParam,
    CitationCharLocation,
    CitationsDelta,
    CitationsWebSearchResultLocation,
    Message,
    MessageCountTokensParams,
    MessageCreateParams,
    MessageTokensCount,
    RawContentBlockDeltaEvent,
    RawContentBlockStartEvent,
    RawContentBlockStopEvent,
    RawMessageDeltaEvent,
    RawMessageStartEvent,
    RawMessageStopEvent,
)
from anthropic.types.shared.error_response import ErrorResponse
from pydantic import ConfigDict, TypeAdapter, ValidationError

from tests.vendors.loopback import Loopback, begin, end, reset, send, whole

VENDOR_KEY = "sk-ant-vendor-secret-1234"
VERSIONS = ("2023-06-01", "2026-10-21")
_STRICT = ConfigDict(extra="forbid")
CREATE: TypeAdapter[Any] = TypeAdapter(MessageCreateParams, config=_STRICT)
COUNT: TypeAdapter[Any] = TypeAdapter(MessageCountTokensParams | None, config=_STRICT)
assert Base64ImageSourceParam  # resolved by the adapters

TEXT = "The kettle is on."
THOUGHT = "Water boils at 100 °C; the kettle knows."
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h=="
REDACTED = "EmwKAhgBEgy3va3pzix=="
EXPLANATION = "This request was declined under the usage policy."
CALLS = (
    ("toolu_01", "weather", {"city": "Kraków", "days": 3, "note": 'a "quoted"\nline'}),
    ("toolu_02", "clock", {}),
)

Block = dict[str, Any]


class Refused(Exception):
    """A request that Anthropic would not take."""

    def __init__(self, status: int, kind: str, message: str, *headers: tuple[str, str]) -> None:
        super().__init__(message)
        self.status, self.kind, self.headers = status, kind, headers


def _bad(message: str) -> Refused:
    return Refused(400, "invalid_request_error", message)


# --- checking requests --------------------------------------------------------------------------


def check(adapter: TypeAdapter[Any], body: Block, version: str) -> None:
    """Raises Refused unless the body is what the published types and the rules say."""
    body = dict(body)
    for name in ("temperature", "top_p", "top_k"):
        if name in body and version != VERSIONS[0]:
            raise _bad(f"{name}: Extra inputs are not permitted")
        body.pop(name, None)
    try:
        _exhaust(adapter.validate_python(body))
    except ValidationError as bad:
        raise _bad(f"{bad.errors()[0]['loc']}: {bad.errors()[0]['msg']}") from None
    _check_order(body["messages"])
    _check_thinking(body)


def _exhaust(value: Any) -> None:
    """Iterables are validated while they are read."""
    if isinstance(value, dict):
        for one in value.values():
            _exhaust(one)
    elif not isinstance(value, (str, bytes, int, float, type(None))) and hasattr(value, "__iter__"):
        for one in value:
            _exhaust(one)


def _blocks(message: Block) -> list[Block]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _check_order(messages: list[Block]) -> None:
    if not messages or messages[0]["role"] != "user":
        raise _bad('messages: first message must use the "user" role')
    waiting: set[str] = set()
    for message in messages:
        blocks = _blocks(message)
        kinds = [block["type"] for block in blocks]
        given = {b["tool_use_id"] for b in blocks if b["type"] == "tool_result"}
        if message["role"] != "system" and given != waiting:
            raise _bad(f"messages: tool_use ids {waiting} and tool_result ids {given} differ")
        if kinds != sorted(kinds, key=lambda kind: kind != "tool_result") and given:
            raise _bad("messages: tool_result blocks must come first")
        if any(b["type"] == "text" and not b["text"] for b in blocks) or not blocks:
            raise _bad("messages: text content blocks must be non-empty")
        if message["role"] == "assistant" and "document" in kinds:
            raise _bad("messages: document blocks are not permitted in assistant messages")
        waiting = {b["id"] for b in blocks if b["type"] == "tool_use"}
    last = _blocks(messages[-1])[-1].get("text", "x")
    if messages[-1]["role"] == "assistant" and last != last.rstrip():
        raise _bad("messages: final assistant content cannot end with trailing whitespace")


def _check_thinking(body: Block) -> None:
    thinking = body.get("thinking") or {}
    if thinking.get("type") != "enabled":
        return
    if not 1024 <= thinking["budget_tokens"] < body["max_tokens"]:
        raise _bad("thinking.budget_tokens: at least 1024 and less than max_tokens")
    if (body.get("tool_choice") or {}).get("type") in ("any", "tool"):
        raise _bad("Thinking may not be enabled when tool_choice forces tool use.")


# --- what is answered ---------------------------------------------------------------------------


@dataclass(frozen=True)
class Scene:
    """One answer. `broken_after` resets the connection after so many events; `fails_after` sends an
    error event instead of the next one."""

    content: tuple[Block, ...]
    reason: str = "end_turn"
    stop: str | None = None
    details: Block | None = None
    usage: Block = field(default_factory=lambda: {"input_tokens": 11, "output_tokens": 5})
    broken_after: int | None = None
    fails_after: int | None = None
    refused: Refused | None = None
    delay_s: float = 0.0


def _text(text: str, **more: Any) -> Block:
    return {"type": "text", "text": text, **more}


_THINKING = {"type": "thinking", "thinking": THOUGHT, "signature": SIGNATURE}
_USES = tuple({"type": "tool_use", "id": i, "name": n, "input": v} for i, n, v in CALLS)
_QUOTE = CitationCharLocation(
    type="char_location", cited_text="Kettles boil.", document_index=0, document_title="Kettles",
    start_char_index=0, end_char_index=13,
).model_dump()  # fmt: skip
_FOUND = CitationsWebSearchResultLocation(
    type="web_search_result_location", cited_text="A kettle.", encrypted_index="Eo8B", title="Tea",
    url="https://tea.example/kettle",
).model_dump()  # fmt: skip
_CACHED = {
    "input_tokens": 7, "output_tokens": 5, "cache_creation_input_tokens": 300,
    "cache_read_input_tokens": 2000, "service_tier": "priority",
    "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
}  # fmt: skip
_SEARCH = {
    "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tea"},
}  # fmt: skip
_RESULT = {
    "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1",
    "content": [{
        "type": "web_search_result", "title": "Tea", "url": "https://tea.example/kettle",
        "encrypted_content": "EqgB", "page_age": None,
    }],
}  # fmt: skip

SCENES: dict[str, Scene] = {
    "text": Scene((_text(TEXT),)),
    "tools": Scene((_text("Let me look."), *_USES), "tool_use"),
    "thinking": Scene(
        (_THINKING, _text(TEXT)),
        usage={
            "input_tokens": 11,
            "output_tokens": 25,
            "output_tokens_details": {"thinking_tokens": 20},
        },
    ),
    "redacted": Scene(({"type": "redacted_thinking", "data": REDACTED}, _text(TEXT))),
    "citations": Scene((_text(TEXT, citations=[_QUOTE]), _text(" So it is."))),
    "search": Scene(
        (_SEARCH, _RESULT, _text(TEXT, citations=[_FOUND])),
        usage={
            "input_tokens": 11,
            "output_tokens": 5,
            "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 0},
        },
    ),
    "cache": Scene((_text(TEXT),), usage=_CACHED),
    "refusal": Scene(
        (),
        "refusal",
        details={"type": "refusal", "category": None, "explanation": EXPLANATION},
    ),
    "pause": Scene((_text(TEXT),), "pause_turn"),
    "length": Scene((_text(TEXT),), "max_tokens"),
    "stop": Scene((_text(TEXT),), "stop_sequence", stop="END"),
    "long": Scene((_text(" ".join(f"word{i}" for i in range(200))),)),
    "slow": Scene((_text(TEXT),), delay_s=0.05),
    "cut": Scene((_text(TEXT),), broken_after=4),
    "late_error": Scene((_text(TEXT),), fails_after=5),
    "rate_limit": Scene(
        (), refused=Refused(429, "rate_limit_error", "Number of requests has exceeded your limit",
                            ("retry-after", "7"))
    ),
    "overloaded": Scene((), refused=Refused(529, "overloaded_error", "Overloaded")),
    "unwell": Scene((), refused=Refused(500, "api_error", "Internal server error")),
}  # fmt: skip


def scene_of(body: Block) -> Scene:
    """The scene that a request asks for."""
    choice, form = body.get("tool_choice") or {}, (body.get("output_config") or {}).get("format")
    if choice.get("type") == "tool":
        tool = next(t for t in body["tools"] if t["name"] == choice["name"])
        made = instance_of(tool["input_schema"], tool["input_schema"]) or {"kettle": True}
        use = {"type": "tool_use", "id": "toolu_09", "name": choice["name"], "input": made}
        return Scene((use,), "tool_use")
    if form is not None:
        return Scene((_text(json.dumps(instance_of(form["schema"], form["schema"]))),))
    user = [m for m in body["messages"] if m["role"] == "user"]
    blocks = _blocks(user[-1])
    if any(block["type"] == "tool_result" for block in blocks):
        return Scene((_text("It is sunny, and ten o'clock."),))
    said = " ".join(block["text"] for block in blocks if block["type"] == "text")
    found = re.search(r"#(\w+)", said)
    return SCENES[found[1]] if found else SCENES["text"]


def instance_of(schema: Block, root: Block) -> Any:
    """A value that follows a schema."""
    if "$ref" in schema:
        return instance_of(root["$defs"][schema["$ref"].rsplit("/", 1)[-1]], root)
    if "enum" in schema or "const" in schema:
        return schema.get("const", (schema.get("enum") or [None])[0])
    for many in ("anyOf", "allOf"):
        if many in schema:
            return instance_of(schema[many][0], root)
    kind = schema.get("type")
    if kind == "object":
        return {k: instance_of(v, root) for k, v in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [instance_of(schema.get("items") or {"type": "string"}, root)]
    return {"string": "tea", "integer": 7, "number": 1.5, "boolean": True}.get(str(kind))


def message_of(scene: Scene, model: str, *, begun: bool = False) -> Message:
    """The whole answer, or its beginning as `message_start` carries it."""
    usage = {**scene.usage, "output_tokens": 1} if begun else scene.usage
    usage = {k: v for k, v in usage.items() if not (begun and k.endswith("_details"))}
    return Message.model_validate({
        "id": "msg_stub", "type": "message", "role": "assistant", "model": f"{model}-2026",
        "content": [] if begun else list(scene.content),
        "stop_reason": None if begun else scene.reason,
        "stop_sequence": None if begun else scene.stop,
        "stop_details": None if begun else scene.details,
        "usage": usage,
    })  # fmt: skip


def _pieces(text: str) -> Iterator[str]:
    """Odd fragments: 1, 2, 3, 4, 5, 1, ... characters."""
    at, size = 0, 1
    while at < len(text):
        yield text[at : at + size]
        at, size = at + size, size % 5 + 1


def _words(text: str) -> list[str]:
    return re.findall(r"\s*\S+", text)


def _deltas(block: Block) -> tuple[Block, list[Block]]:
    """How a block begins, and its deltas."""
    kind = block["type"]
    if kind == "text":
        deltas = [{"type": "text_delta", "text": word} for word in _words(block["text"])]
        for one in block.get("citations") or ():
            made = CitationsDelta.model_validate({"type": "citations_delta", "citation": one})
            deltas.append(made.model_dump(mode="json"))
        return {"type": "text", "text": ""}, deltas
    if kind == "thinking":
        deltas = [{"type": "thinking_delta", "thinking": w} for w in _words(block["thinking"])]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if kind in ("tool_use", "server_tool_use"):
        text = json.dumps(block["input"]) if block["input"] else ""
        deltas = [{"type": "input_json_delta", "partial_json": p} for p in ("", *_pieces(text))]
        return {**block, "input": {}}, deltas
    return block, []


def events_of(scene: Scene, model: str) -> list[tuple[str, str]]:
    """Names and data of a stream's events."""
    made: list[Any] = [
        RawMessageStartEvent(type="message_start", message=message_of(scene, model, begun=True))
    ]
    for i, block in enumerate(scene.content):
        begin, deltas = _deltas(block)
        start = {"type": "content_block_start", "index": i, "content_block": begin}
        made.append(RawContentBlockStartEvent.model_validate(start))
        for delta in deltas:
            one = {"type": "content_block_delta", "index": i, "delta": delta}
            made.append(RawContentBlockDeltaEvent.model_validate(one))
        made.append(RawContentBlockStopEvent(type="content_block_stop", index=i))
    counted = ("output_tokens", "output_tokens_details", "server_tool_use")
    made.append(
        RawMessageDeltaEvent.model_validate({
            "type": "message_delta",
            "delta": {"stop_reason": scene.reason, "stop_sequence": scene.stop,
                      "stop_details": scene.details},
            "usage": {k: v for k, v in scene.usage.items() if k in counted},
        })
    )  # fmt: skip
    made.append(RawMessageStopEvent(type="message_stop"))
    events = [(event.type, event.model_dump_json(exclude_none=True)) for event in made]
    return [events[0], ("ping", '{"type": "ping"}'), *events[1:]]


def stream_of(name: str, model: str = "claude") -> bytes:
    """The bytes of one scene's stream."""
    return b"".join(_framed(*event) for event in events_of(SCENES[name], model))


def whole_of(name: str, model: str = "claude") -> bytes:
    """The body of one scene's whole answer."""
    return message_of(SCENES[name], model).model_dump_json().encode()


def _framed(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def error_of(kind: str, message: str) -> str:
    """An error in Anthropic's shape."""
    made = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_stub"}
    return ErrorResponse.model_validate(made).model_dump_json()


# --- the server ---------------------------------------------------------------------------------


@dataclass
class AnthropicStub(Loopback):
    """Runs in a thread of its own; use as a context manager."""

    requests: list[Block] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    """The bodies of all answers, streams joined."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        line: str,
        head: dict[str, str],
        raw: bytes,
    ) -> bool:
        path = line.partition(" ")[2]
        self.heads.append(head)
        try:
            return await self._answer(writer, path, head, raw)
        except Refused as refused:
            body = error_of(refused.kind, str(refused))
            return await self._json(writer, refused.status, body, refused.headers)

    async def _answer(
        self, writer: asyncio.StreamWriter, path: str, head: dict[str, str], raw: bytes
    ) -> bool:
        if VENDOR_KEY not in (head.get("x-api-key"), head.get("authorization", "")[7:]):
            raise Refused(401, "authentication_error", "invalid x-api-key")
        version = head.get("anthropic-version", "")
        if version not in VERSIONS:
            raise _bad("anthropic-version: header is required")
        if path.startswith("/v1/models"):
            return await self._json(writer, 200, MODELS)
        body = json.loads(raw)
        if "structured-outputs-" in head.get("anthropic-beta", "") and "output_format" in body:
            # The name that it had while it was in beta is taken still.
            body["output_config"] = {"format": body.pop("output_format")}
        self.requests.append(body)
        self.bodies.append(raw)
        if path == "/v1/messages/count_tokens":
            check(COUNT, body, version)
            return await self._json(writer, 200, MessageTokensCount(input_tokens=14).to_json())
        check(CREATE, body, version)
        scene = scene_of(body)
        await asyncio.sleep(scene.delay_s)
        if scene.refused is not None:
            raise scene.refused
        if body.get("stream"):
            return await self._stream(writer, scene, body["model"])
        return await self._json(writer, 200, message_of(scene, body["model"]).model_dump_json())

    async def _stream(self, writer: asyncio.StreamWriter, scene: Scene, model: str) -> bool:
        begin(writer, "text/event-stream; charset=utf-8", (("request-id", "req_stub"),))
        self.sent.append(b"")
        for i, (name, data) in enumerate(events_of(scene, model)):
            if i == scene.broken_after:
                return await reset(writer)
            if i == scene.fails_after:
                await asyncio.sleep(0.05)
                name, data = "error", error_of("overloaded_error", "Overloaded")
            event = _framed(name, data)
            self.sent[-1] += event
            await send(writer, event)
            if i == scene.fails_after:
                break
        return end(writer)

    async def _json(
        self,
        writer: asyncio.StreamWriter,
        status: int,
        body: str,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> bool:
        self.sent.append(body.encode())
        named = (*headers, ("request-id", "req_stub"))
        return await whole(writer, status, body.encode(), named)


MODELS = json.dumps({
    "data": [{
        "type": "model", "id": "claude-stub", "display_name": "Claude Stub",
        "created_at": "2026-01-01T00:00:00Z", "lifecycle": "active",
    }],
    "has_more": False, "first_id": "claude-stub", "last_id": "claude-stub",
})  # fmt: skip
