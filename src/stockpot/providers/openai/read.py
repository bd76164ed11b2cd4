"""An answer in OpenAI's chat format, whole or streamed, read into events. Knows no dialect.

Source: OpenAI's API reference; for reasoning, pictures and errors inside an answer the
documentation of DeepSeek, OpenRouter, Mistral and Google.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from stockpot.providers.canon import Began, Citation, Failed, Metered
from stockpot.providers.openai.alternative import Alternative, Parts
from stockpot.providers.openai.answer_body import Body, Message, decode, error_of, usage_of
from stockpot.providers.sse import Splitter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stockpot.providers.canon import Event
    from stockpot.providers.openai.answer_body import Annotation, Call, Detail, Image, Piece
    from stockpot.providers.sse import ServerEvent


class ChatReader:
    """Reads one answer."""

    __slots__ = ("_alternatives", "_began", "_parts", "_splitter", "_tier")

    def __init__(self) -> None:
        self._splitter = Splitter()
        self._alternatives: dict[int, Alternative] = {}
        self._parts = Parts()
        self._began = False
        self._tier = ""

    def feed(self, data: bytes) -> Sequence[Event]:
        return self._read(self._splitter.feed(data))

    def end(self) -> Sequence[Event]:
        return self._read(self._splitter.end())

    def complete(self, body: bytes) -> Sequence[Event]:
        """Raises ValueError when it is no answer, or an error that came as one."""
        whole = decode(body)
        if whole.error:
            raise ValueError(error_of(whole.error)[0])
        if not whole.choices:
            raise ValueError("it has no choices")
        self._meta(whole)
        for choice in whole.choices:
            said = self._alternative(choice.index)
            if choice.message is not None:
                self._message(said, choice.message)
            said.finish(choice.finish_reason or "stop")
        return self._parts.taken()

    def _read(self, events: list[ServerEvent]) -> Sequence[Event]:
        for event in events:
            if event.data == b"[DONE]":
                continue
            try:
                self._chunk(decode(event.data))
            except ValueError as bad:
                self._parts.events.append(Failed(f"the upstream sent an unreadable event: {bad}"))
        return self._parts.taken()

    def _chunk(self, chunk: Body) -> None:
        if chunk.error:
            self._parts.events.append(Failed(*error_of(chunk.error)))
            return
        self._meta(chunk)
        for choice in chunk.choices or ():
            said = self._alternative(choice.index)
            message = choice.delta or choice.message
            if message is not None and not said.ended:
                self._message(said, message)
            if choice.finish_reason:
                said.finish(choice.finish_reason)

    def _meta(self, body: Body) -> None:
        if not self._began and (body.id or body.choices):
            self._began = True
            self._parts.events.append(Began(body.id or "", body.model or ""))
        if body.service_tier:
            self._tier = body.service_tier
        if body.usage is not None:
            self._parts.events.append(Metered(usage_of(body.usage, self._tier)))

    def _alternative(self, number: int) -> Alternative:
        found = self._alternatives.get(number)
        if found is None:
            found = self._alternatives[number] = Alternative(number, self._parts)
        return found

    def _message(self, said: Alternative, message: Message) -> None:
        content = message.content
        plain = message.reasoning_content or message.reasoning
        if plain:
            said.say("reasoning", plain)
        for detail in message.reasoning_details or ():
            _detail(said, detail, bool(plain))
        if isinstance(content, str):
            if content:
                said.say("text", content)
        elif content:
            _array(said, content)
        for annotation in message.annotations or ():
            _annotation(said, annotation)
        if message.refusal:
            said.say("refusal", message.refusal)
        self._rare(said, message)
        for call in message.tool_calls or ():
            self._call(said, call)

    def _rare(self, said: Alternative, message: Message) -> None:
        for image in message.images or ():
            _image(said, image)
        if message.audio is not None:
            if message.audio.data:
                said.say("audio", message.audio.data)
            if message.audio.transcript:
                said.transcript(message.audio.transcript)
        function = message.function_call
        if function is not None:
            said.call(0, "", function.name or "", _arguments(function.arguments), "")

    def _call(self, said: Alternative, call: Call) -> None:
        function = call.function
        name = (function.name if function else "") or ""
        arguments = _arguments(function.arguments) if function else ""
        proof = _proof(call.extra_content)
        if not said.call(call.index, call.id or "", name, arguments, proof):
            self._parts.events.append(
                Failed("the upstream sent more of a tool call that had ended")
            )


def _arguments(said: str | dict[str, Any] | None) -> str:
    if type(said) is dict:
        return msgspec.json.encode(said).decode()
    return said if type(said) is str else ""


def _proof(extra: Any) -> str:
    """Where Google's endpoint for this format keeps the proof of a tool call."""
    google = extra.get("google") if isinstance(extra, dict) else None
    proof = google.get("thought_signature") if isinstance(google, dict) else None
    return proof if isinstance(proof, str) else ""


def _array(said: Alternative, content: list[Piece]) -> None:
    """Mistral's reasoning models send thinking and text as pieces of the content."""
    for piece in content:
        thinking = piece.thinking
        if isinstance(thinking, str):
            said.say("reasoning", thinking)
        elif thinking:
            for inner in thinking:
                if inner.text:
                    said.say("reasoning", inner.text)
        elif piece.text:
            said.say("text", piece.text)


def _detail(said: Alternative, detail: Detail, told: bool) -> None:
    """`told` is whether the same text stands beside it as plain reasoning."""
    if detail.data:
        said.hidden(detail.data, detail.id or "")
        return
    text = detail.text or detail.summary
    if text and not told and not (detail.signature and said.has_reasoned(text)):
        said.say("reasoning", text)
    if detail.signature:
        said.proof(detail.signature)


def _annotation(said: Alternative, annotation: Annotation) -> None:
    cited = annotation.url_citation
    if cited is not None:
        said.cite(
            Citation(
                url=cited.url or "",
                title=cited.title or "",
                quote=cited.quote or "",
                start=cited.start_index,
                end=cited.end_index,
                source=cited.source or "",
            )
        )


def _image(said: Alternative, image: Image) -> None:
    url = image.image_url.url if image.image_url else ""
    if url.startswith("data:"):
        head, _, data = url[5:].partition(",")
        said.image(head.partition(";")[0], data)
    elif url:
        said.say("text", f"![image]({url})")
