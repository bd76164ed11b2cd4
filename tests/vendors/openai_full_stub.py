"""OpenAI's other endpoints beside chat: Responses, sound, images, moderation; and a rerank.

Requests are checked and answers built with the types of the `openai` package; rerank, which OpenAI
does not have, is as Jina and vLLM document it. Shares no code with the product.
"""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from openai.types import (
    ImageGenCompletedEvent,
    ImageGenPartialImageEvent,
    ImagesResponse,
    ModerationCreateParams,
    ModerationCreateResponse,
)
from openai.types.audio import (
    SpeechCreateParams,
    Transcription,
    TranscriptionTextDeltaEvent,
    TranscriptionTextDoneEvent,
    Translation,
)
from openai.types.image_generate_params import ImageGenerateParams
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_create_params import ResponseCreateParams
from pydantic import TypeAdapter

from tests.vendors.loopback import begin, end, reset, send, whole
from tests.vendors.openai_stub import Behaviour, OpenAIStub, unlike

SOUND = b"ID3" + bytes(range(256)) * 40
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20
_PARAMS: dict[str, TypeAdapter[Any]] = {
    "/responses": TypeAdapter(ResponseCreateParams),
    "/audio/speech": TypeAdapter(SpeechCreateParams),
    "/images/generations": TypeAdapter(ImageGenerateParams),
    "/moderations": TypeAdapter(ModerationCreateParams),
}
_EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
_FORMS = ("/audio/transcriptions", "/audio/translations", "/images/edits")
TOKENS = {
    "type": "tokens", "input_tokens": 14, "output_tokens": 6, "total_tokens": 20,
    "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
}  # fmt: skip
PICTURED = {
    "input_tokens": 9, "output_tokens": 272, "total_tokens": 281,
    "input_tokens_details": {"text_tokens": 9, "image_tokens": 0},
}  # fmt: skip
RESPONDED = {
    "input_tokens": 11, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
    "output_tokens": 5, "output_tokens_details": {"reasoning_tokens": 2}, "total_tokens": 16,
}  # fmt: skip


@dataclass
class OpenAIFullStub(OpenAIStub):
    """`bodies` and `files` are what came, as it came."""

    bodies: list[bytes] = field(default_factory=list)
    files: list[bytes] = field(default_factory=list)

    async def _beyond(
        self, writer: asyncio.StreamWriter, path: str, head: dict[str, str], raw: bytes
    ) -> bool | None:
        where = path.removeprefix("/v1")
        if where not in _PARAMS and where not in _FORMS and where != "/rerank":
            return None
        self.bodies.append(raw)
        self.paths.append(path)
        refusal = self._refusal(path, head)
        if refusal is not None:
            return await self._error(writer, refusal[0], refusal[1], ())
        body = self._form(head, raw) if where in _FORMS else json.loads(raw)
        self.requests.append(body)
        if where in _PARAMS and (wrong := unlike(_PARAMS[where], body)):
            return await self._error(writer, 400, wrong, ())
        behaviour = self._behaviour(body["model"])
        if behaviour.status >= 400:
            return await self._error(writer, behaviour.status, "as told", behaviour.headers)
        serve = {
            "/responses": self._respond,
            "/audio/speech": self._speak,
            "/audio/transcriptions": self._transcribe,
            "/audio/translations": self._translate,
            "/images/generations": self._draw,
            "/images/edits": self._draw,
            "/moderations": self._moderate,
            "/rerank": self._rerank,
        }[where]
        return await serve(writer, body, behaviour)

    def _form(self, head: dict[str, str], raw: bytes) -> dict[str, Any]:
        """A form, read by Python's own parser of mail."""
        whole = b"content-type: " + head["content-type"].encode() + b"\r\n\r\n" + raw
        fields: dict[str, Any] = {}
        for part in BytesParser(policy=HTTP).parsebytes(whole).iter_parts():
            name = part.get_param("name", header="content-disposition")
            data = part.get_payload(decode=True)
            if part.get_filename():
                self.files.append(data)
            else:
                fields[name] = data.decode()
        return fields

    async def _typed(
        self, writer: asyncio.StreamWriter, events: list[Any], behaviour: Behaviour
    ) -> bool:
        made = [e.model_dump_json(exclude_unset=True) if hasattr(e, "model_dump") else e
                for e in events]  # fmt: skip
        begin(writer, "text/event-stream")
        for number, event in enumerate(made):
            if number == behaviour.cut_after:
                return await reset(writer)
            kind = json.loads(event)["type"]
            data = f"event: {kind}\ndata: {event}\n\n".encode()
            await send(writer, data)
            await asyncio.sleep(behaviour.interval_s)
        return end(writer)

    async def _respond(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        if not body.get("stream"):
            answer = response(body, "completed", behaviour.text)
            return await self._json(writer, 200, answer.model_dump(mode="json"), behaviour.headers)
        return await self._typed(writer, response_events(body, behaviour), behaviour)

    async def _speak(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        if body.get("stream_format") == "sse":
            delta = base64.b64encode(SOUND[:90]).decode()
            usage = {"input_tokens": 3, "output_tokens": 40, "total_tokens": 43}
            events = [
                json.dumps({"type": "speech.audio.delta", "audio": delta}),
                json.dumps({"type": "speech.audio.done", "usage": usage}),
            ]
            return await self._typed(writer, events, behaviour)
        begin(writer, "audio/mpeg")
        for number, at in enumerate(range(0, len(SOUND), 1000)):
            if number == behaviour.cut_after:
                return await reset(writer)
            piece = SOUND[at : at + 1000]
            await send(writer, piece)
            await asyncio.sleep(behaviour.interval_s)
        return end(writer)

    async def _transcribe(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        text = behaviour.text
        if body.get("stream") == "true":
            words = [TranscriptionTextDeltaEvent(type="transcript.text.delta", delta=word)
                     for word in text.split(" ")]  # fmt: skip
            done = TranscriptionTextDoneEvent.model_validate(
                {"type": "transcript.text.done", "text": text, "usage": TOKENS}
            )
            return await self._typed(writer, [*words, done], behaviour)
        if body.get("response_format") == "text":
            return await whole(writer, 200, f"{text}\n".encode(), kind="text/plain")
        usage: Any = {"type": "duration", "seconds": 3} if "whisper" in body["model"] else TOKENS
        made = Transcription.model_validate({"text": text, "usage": usage})
        return await self._json(writer, 200, made.model_dump(mode="json"))

    async def _translate(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        return await self._json(writer, 200, Translation(text=behaviour.text).model_dump())

    async def _draw(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        picture = base64.b64encode(PNG).decode()
        if body.get("stream"):
            said = {"b64_json": picture, "background": "opaque", "created_at": 1,
                    "output_format": "png", "quality": "low", "size": "1024x1024"}  # fmt: skip
            partial = {**said, "type": "image_generation.partial_image", "partial_image_index": 0}
            done = {**said, "type": "image_generation.completed", "usage": PICTURED}
            events = [
                ImageGenPartialImageEvent.model_validate(partial),
                ImageGenCompletedEvent.model_validate(done),
            ]
            return await self._typed(writer, events, behaviour)
        made = ImagesResponse.model_validate(
            {"created": 1, "data": [{"b64_json": picture}], "usage": PICTURED}
        )
        return await self._json(writer, 200, made.model_dump(mode="json", exclude_none=True))

    async def _moderate(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        from openai.types.moderation import Categories, CategoryAppliedInputTypes, CategoryScores

        def filled(kind: Any, value: Any) -> dict[str, Any]:
            return {f.alias or name: value for name, f in kind.model_fields.items()}

        result = {
            "flagged": False,
            "categories": filled(Categories, False),
            "category_scores": filled(CategoryScores, 0.01),
            "category_applied_input_types": filled(CategoryAppliedInputTypes, ["text"]),
        }
        made = ModerationCreateResponse.model_validate(
            {"id": "modr-1", "model": body["model"], "results": [result]}
        )
        return await self._json(writer, 200, made.model_dump(mode="json", by_alias=True))

    async def _rerank(
        self, writer: asyncio.StreamWriter, body: dict[str, Any], behaviour: Behaviour
    ) -> bool:
        found = [{"index": i, "relevance_score": 1 / (i + 1)} for i, _ in
                 enumerate(body["documents"])]  # fmt: skip
        made: dict[str, Any] = {"model": body["model"], "results": found}
        if "cohere" in body["model"]:
            made["meta"] = {"billed_units": {"search_units": 1}}
        else:
            made["usage"] = {"total_tokens": 21}
        return await self._json(writer, 200, made)


def response(body: dict[str, Any], status: str, text: str) -> Response:
    """A response object with one message, empty while it is in progress."""
    content = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [content]}  # fmt: skip
    done = status != "in_progress"
    return Response.model_validate(
        {
            "id": "resp_1", "object": "response", "created_at": 1_700_000_000, "status": status,
            "model": body["model"] + "-2026", "output": [item] if done else [],
            "parallel_tool_calls": True, "tool_choice": "auto", "tools": [],
            "usage": RESPONDED if done else None,
            "previous_response_id": body.get("previous_response_id"),
        }
    )  # fmt: skip


def response_events(body: dict[str, Any], behaviour: Behaviour) -> list[Any]:
    """The events of a streamed response, each checked against the published union."""
    text = behaviour.text
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress",
            "content": []}  # fmt: skip
    full = {**part, "text": text}
    done = {**item, "status": "completed", "content": [full]}
    begun = response(body, "in_progress", text).model_dump(mode="json")
    said: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", **at, "part": part},
    ]
    for number, word in enumerate(text.split(" ")):
        delta = word if number == 0 else f" {word}"
        said.append({"type": "response.output_text.delta", **at, "delta": delta, "logprobs": []})
    if behaviour.error_in_stream:
        said.append({"type": "error", "code": "server_error", "message": behaviour.error_in_stream,
                     "param": None})  # fmt: skip
    else:
        end = response(body, "completed", text).model_dump(mode="json")
        said += [
            {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
            {"type": "response.content_part.done", **at, "part": full},
            {"type": "response.output_item.done", "output_index": 0, "item": done},
            {"type": "response.completed", "response": end},
        ]
    return [
        _EVENT.validate_python({**event, "sequence_number": number})
        for number, event in enumerate(said)
    ]
