"""A stand-in for OpenAI's API on loopback: checks each request and builds each answer with the
types that the `openai` package publishes. Shares no code with the product.

What it does to a call is chosen by the model's name through `behaviours`; a list is used up from
the front and its last entry stays. A request with a field that the published types do not have, or
of another type, is answered with status 400.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

from openai.types import CompletionUsage, CreateEmbeddingResponse, Embedding
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice
from openai.types.chat.chat_completion_chunk import ChoiceDelta
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.create_embedding_response import Usage as EmbeddingUsage
from openai.types.embedding_create_params import EmbeddingCreateParams
from pydantic import TypeAdapter, ValidationError

from tests.vendors.loopback import Loopback, begin, end, reset, send, whole

VENDOR_KEY = "sk-vendor-secret-1234"
_CHAT = TypeAdapter(CompletionCreateParams)
_EMBEDDING = TypeAdapter(EmbeddingCreateParams)


@dataclass(frozen=True)
class Behaviour:
    """How one call is answered. `cut_after` resets the connection after so many events.

    `message` is the assistant's message where it is more than `text`; a stream sends it in small
    pieces. `bill` is the usage as the vendor writes it.
    """

    status: int = 200
    text: str = "The kettle is on."
    delay_s: float = 0.0
    interval_s: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    cut_after: int | None = None
    close_early: bool = False
    usage: bool = True
    done_mark: bool = True
    error_in_stream: str = ""
    newline: str = "\n"
    message: dict[str, Any] | None = None
    finish: str = "stop"
    bill: dict[str, Any] = field(
        default_factory=lambda: {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    )
    tier: str | None = None

    @property
    def said(self) -> ChatCompletionMessage:
        message = {"role": "assistant", "content": self.text, **(self.message or {})}
        return ChatCompletionMessage.model_validate(message)


@dataclass
class OpenAIStub(Loopback):
    """Runs in a thread of its own; use as a context manager."""

    behaviours: dict[str, list[Behaviour]] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    asked_at: dict[str, float] = field(default_factory=dict)
    """When each model was asked last, by `time.monotonic`."""
    returns_reasoning: bool = False
    """Whether messages may hold `reasoning_content`, as DeepSeek's and vLLM's may."""
    cancelled: int = 0

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
        method, _, path = line.partition(" ")
        self.heads.append(head)
        if method == "GET" and path.endswith("/models"):
            return await self._json(writer, 200, {"object": "list", "data": []})
        beyond = await self._beyond(writer, path, head, raw)
        if beyond is not None:
            return beyond
        body = json.loads(raw)
        self.requests.append(body)
        self.asked_at[body.get("model", "")] = time.monotonic()
        self.paths.append(path)
        refusal = self._refusal(path, head)
        if refusal is not None:
            return await self._error(writer, refusal[0], refusal[1], ())
        behaviour = self._behaviour(body["model"])
        await asyncio.sleep(behaviour.delay_s)
        if behaviour.close_early:
            writer.transport.abort()
            return False
        if behaviour.status >= 400:
            return await self._error(writer, behaviour.status, "as told", behaviour.headers)
        embeds = path.partition("?")[0].endswith("/embeddings")
        checked = self._without_reasoning(body) if self.returns_reasoning else body
        wrong = unlike(_EMBEDDING if embeds else _CHAT, checked)
        if wrong:
            return await self._error(writer, 400, wrong, ())
        if embeds:
            return await self._embed(writer, body)
        return await self._chat(reader, writer, body, behaviour)

    async def _beyond(
        self, writer: asyncio.StreamWriter, path: str, head: dict[str, str], raw: bytes
    ) -> bool | None:
        """Serves what only some stand-ins have; None when the path is none of theirs."""
        return None

    def _without_reasoning(self, body: dict[str, Any]) -> dict[str, Any]:
        messages = [
            {key: value for key, value in message.items() if key != "reasoning_content"}
            for message in body.get("messages", [])
        ]
        return {**body, "messages": messages}

    def _refusal(self, path: str, head: dict[str, str]) -> tuple[int, str] | None:
        """Status and message when the call is not let in."""
        if head.get("authorization") != f"Bearer {VENDOR_KEY}":
            return 401, "Incorrect API key provided"
        return None

    def _behaviour(self, model: str) -> Behaviour:
        script = self.behaviours.get(model, [Behaviour()])
        return script.pop(0) if len(script) > 1 else script[0]

    async def _chat(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        body: dict[str, Any],
        behaviour: Behaviour,
    ) -> bool:
        usage = CompletionUsage.model_validate(behaviour.bill)
        if body.get("stream"):
            events = self._events(body, behaviour, usage)
            return await self._stream(reader, writer, behaviour, events)
        said: Any = {"index": 0, "message": behaviour.said, "logprobs": None}
        choice = Choice.model_validate({**said, "finish_reason": behaviour.finish})
        answer = ChatCompletion.model_validate(
            {
                "id": "chatcmpl-stub",
                "object": "chat.completion",
                "created": 1_700_000_000,
                "model": body["model"] + "-2026",
                "choices": [choice],
                "usage": usage if behaviour.usage else None,
                "service_tier": behaviour.tier,
            }
        )
        return await self._json(writer, 200, answer.model_dump(mode="json"), behaviour.headers)

    async def _embed(self, writer: asyncio.StreamWriter, body: dict[str, Any]) -> bool:
        inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
        answer = CreateEmbeddingResponse(
            object="list",
            model=body["model"],
            data=[
                Embedding(object="embedding", index=i, embedding=[0.5, -0.25, float(i)])
                for i, _ in enumerate(inputs)
            ],
            usage=EmbeddingUsage(prompt_tokens=7, total_tokens=7),
        )
        return await self._json(writer, 200, answer.model_dump(mode="json"))

    def _events(self, body: dict[str, Any], behaviour: Behaviour, usage: Any) -> list[str]:
        def chunk(choices: list[Any], **more: Any) -> str:
            made = ChatCompletionChunk(
                id="chatcmpl-stub",
                object="chat.completion.chunk",
                created=1_700_000_000,
                model=body["model"] + "-2026",
                choices=choices,
                **more,
            )
            return made.model_dump_json(exclude_unset=True)

        def choice(delta: ChoiceDelta, reason: Any = None) -> ChunkChoice:
            return ChunkChoice(index=0, delta=delta, finish_reason=reason)

        events = self._first_events(chunk)
        events.append(chunk([choice(ChoiceDelta(role="assistant", content=""))]))
        for delta in pieces(behaviour.said):
            events.append(chunk([choice(ChoiceDelta.model_validate(delta))]))
        if behaviour.error_in_stream:
            events.append(json.dumps({"error": {"message": behaviour.error_in_stream}}))
            return events
        events.append(chunk([choice(ChoiceDelta(), behaviour.finish)]))
        if (body.get("stream_options") or {}).get("include_usage") and behaviour.usage:
            events.append(chunk([], usage=usage, service_tier=behaviour.tier))
        if behaviour.done_mark:
            events.append("[DONE]")
        return events

    def _first_events(self, chunk: Any) -> list[str]:
        """What comes before the first choice."""
        return []

    async def _stream(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        behaviour: Behaviour,
        events: list[str],
    ) -> bool:
        begin(writer, "text/event-stream; charset=utf-8")
        for i, event in enumerate(events):
            if behaviour.cut_after is not None and i >= behaviour.cut_after:
                return await reset(writer)
            data = f"data: {event}{behaviour.newline * 2}".encode()
            await send(writer, data)
            await asyncio.sleep(behaviour.interval_s)
            if reader.at_eof() or writer.transport.is_closing():
                self.cancelled += 1
                return False
        return end(writer)

    async def _error(
        self, writer: asyncio.StreamWriter, status: int, message: str, headers: Any
    ) -> bool:
        body = {"error": {"message": message, "type": "stub_error", "param": None, "code": "stub"}}
        return await self._json(writer, status, body, headers)

    async def _json(
        self, writer: asyncio.StreamWriter, status: int, body: Any, headers: Any = ()
    ) -> bool:
        return await whole(writer, status, json.dumps(body).encode(), headers)


def unlike(kind: TypeAdapter[Any], body: Any) -> str:
    """What is wrong with a request, '' when it is as the published types say."""
    try:
        read = plain(kind.validate_python(body))
    except ValidationError as bad:
        return str(bad)
    return "" if read == plain(body) else f"Unrecognized request argument in {body} (read {read})"


def plain(value: Any) -> Any:
    """Dicts and lists only. Pydantic checks an Iterable not before it is walked through."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, str | bytes | int | float | None):
        return value
    return [plain(inner) for inner in value]


def pieces(said: ChatCompletionMessage) -> list[dict[str, Any]]:
    """The deltas of a stream that says this message."""
    found: list[dict[str, Any]] = []
    extra = said.model_extra or {}
    for name, text in (
        ("reasoning_content", extra.get("reasoning_content")),
        ("content", said.content),
        ("refusal", said.refusal),
    ):
        words = (text or "").split(" ") if text else []
        found += [{name: word if i == 0 else f" {word}"} for i, word in enumerate(words)]
    if said.annotations:
        found.append({"annotations": [a.model_dump() for a in said.annotations]})
    for index, call in enumerate(said.tool_calls or []):
        assert call.type == "function"
        name, arguments = call.function.name, call.function.arguments
        head = {"index": index, "id": call.id, "type": "function"}
        found.append({"tool_calls": [{**head, "function": {"name": name, "arguments": ""}}]})
        for at in range(0, len(arguments), 7):
            piece = {"index": index, "function": {"arguments": arguments[at : at + 7]}}
            found.append({"tool_calls": [piece]})
    return found
