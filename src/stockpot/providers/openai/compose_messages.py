"""Turns written as the messages of a chat request in OpenAI's format. Knows no other field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stockpot.providers.canon import (
    Loss,
    Media,
    Reasoning,
    Refusal,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)

if TYPE_CHECKING:
    from stockpot.providers.base import UpstreamTarget
    from stockpot.providers.canon import Part, Prompt, Turn

JSON = dict[str, Any]

_AUDIO = {"audio/wav": "wav", "audio/x-wav": "wav", "audio/mpeg": "mp3", "audio/mp3": "mp3"}


def write_messages(prompt: Prompt, target: UpstreamTarget, losses: list[Loss]) -> list[JSON]:
    """`target.options['reasoning']` = 'return' hands reasoning back as text, for servers that want
    it (DeepSeek's thinking models between tool calls)."""
    writer = _Writer(losses, target.options.get("reasoning") == "return")
    if prompt.system:
        writer.say("system", list(prompt.system), "")
    for turn in prompt.turns:
        writer.turn(turn)
    if writer.marked or any(type(tool) is Tool and tool.cache for tool in prompt.tools):
        losses.append(Loss("cache_control", "servers of this format cache on their own"))
    return writer.messages


class _Writer:
    def __init__(self, losses: list[Loss], returns_reasoning: bool) -> None:
        self.messages: list[JSON] = []
        self.marked = False
        self._losses = losses
        self._told: set[str] = set()
        self._returns_reasoning = returns_reasoning

    def _lose(self, loss: Loss) -> None:
        """Once, however many messages it stands in."""
        if loss.field not in self._told:
            self._told.add(loss.field)
            self._losses.append(loss)

    def turn(self, turn: Turn) -> None:
        if turn.role == "assistant":
            self._assistant(turn)
        elif turn.role == "system":
            self.say("system", list(turn.parts), turn.name)
        else:
            self._user(turn)

    def say(self, role: str, parts: list[Part], name: str) -> None:
        """A message of text and media; text alone is sent in the form that every server reads."""
        written = [found for part in parts if (found := self._part(part)) is not None]
        content: object = written
        if len(written) == 1 and written[0]["type"] == "text":
            content = written[0]["text"]
        message: JSON = {"role": role, "content": content}
        if name:
            message["name"] = name
        if written:
            self.messages.append(message)

    def _user(self, turn: Turn) -> None:
        """Results of tools come first: they must follow the message that called them."""
        rest: list[Part] = []
        shown: list[Part] = []
        for part in turn.parts:
            if type(part) is ToolResult:
                self._result(part, shown)
            else:
                rest.append(part)
        if shown or rest:
            self.say("user", shown + rest, turn.name)

    def _result(self, result: ToolResult, shown: list[Part]) -> None:
        self.marked = self.marked or bool(result.cache)
        texts = []
        for part in result.parts:
            if type(part) is Text:
                self.marked = self.marked or bool(part.cache)
                texts.append(part.text)
            else:
                why = "media of a tool's result follow as a user's message"
                self._lose(Loss("tool_result.content", why))
                shown.append(part)
        if result.failed:
            self._lose(Loss("tool_result.is_error", "a result is told as text only"))
        content: object = texts[0] if len(texts) == 1 else [
            {"type": "text", "text": text} for text in texts
        ]  # fmt: skip
        if not texts:
            content = "see the next message" if result.parts else ""
        self.messages.append({"role": "tool", "tool_call_id": result.ident, "content": content})

    def _assistant(self, turn: Turn) -> None:
        message: JSON = {"role": "assistant"}
        texts, calls, refusals, reasoning = [], [], [], []
        for part in turn.parts:
            if type(part) is Text:
                texts.append(self._text(part))
            elif type(part) is ToolCall:
                calls.append(self._call(part))
            elif type(part) is Refusal:
                refusals.append(part.text)
            elif type(part) is Reasoning:
                reasoning.append(self._reasoning(part))
            elif type(part) is Media and part.kind == "audio" and part.file_id:
                message["audio"] = {"id": part.file_id}
            else:
                why = "an assistant's message may hold text only"
                self._lose(Loss("messages.assistant.media", why, "content"))
        content: object = texts[0]["text"] if len(texts) == 1 else texts or None
        message["content"] = content
        if calls:
            message["tool_calls"] = calls
        if refusals:
            message["refusal"] = "".join(refusals)
        if any(reasoning):
            message["reasoning_content"] = "".join(reasoning)
        if turn.name:
            message["name"] = turn.name
        if len(message) > 2 or content is not None:
            self.messages.append(message)

    def _reasoning(self, part: Reasoning) -> str:
        if self._returns_reasoning:
            if part.signature or part.hidden:
                why = "the proof of reasoning is another vendor's"
                self._lose(Loss("reasoning.signature", why))
            return part.text
        self._lose(Loss("reasoning", "this format does not take it back"))
        return ""

    def _call(self, call: ToolCall) -> JSON:
        self.marked = self.marked or bool(call.cache)
        if call.signature:
            why = "the proof of a tool call is another vendor's"
            self._lose(Loss("tool_call.signature", why))
        function = {"name": call.name, "arguments": call.arguments or "{}"}
        return {"id": call.ident, "type": "function", "function": function}

    # parts

    def _part(self, part: Part) -> JSON | None:
        if type(part) is Text:
            return self._text(part)
        if type(part) is not Media:
            kind = type(part).__name__.lower()
            self._lose(Loss(f"messages.user.{kind}", "a user does not say it", "content"))
            return None
        self.marked = self.marked or bool(part.cache)
        if part.kind == "image":
            return self._image(part)
        if part.kind == "audio":
            return self._audio(part)
        if part.kind == "document":
            return self._document(part)
        self._lose(Loss("video", "OpenAI's chat format takes none", "content"))
        return None

    def _text(self, part: Text) -> JSON:
        self.marked = self.marked or bool(part.cache)
        if part.citations:
            self._lose(Loss("citations", "this format does not take them back"))
        return {"type": "text", "text": part.text}

    def _image(self, part: Media) -> JSON | None:
        if part.file_id:
            self._lose(Loss("image.file_id", "an image cannot be named by a file", "content"))
            return None
        url = part.url or f"data:{part.media_type or 'image/png'};base64,{part.data}"
        image = {"url": url, "detail": part.detail} if part.detail else {"url": url}
        return {"type": "image_url", "image_url": image}

    def _audio(self, part: Media) -> JSON | None:
        form = _AUDIO.get(part.media_type)
        if not part.data or form is None:
            why = f"audio must be wav or mp3 in the request, not {part.media_type or part.url!r}"
            self._lose(Loss("audio", why, "content"))
            return None
        return {"type": "input_audio", "input_audio": {"data": part.data, "format": form}}

    def _document(self, part: Media) -> JSON | None:
        if part.cite:
            self._lose(Loss("document.citations", "this format cites nothing of a document"))
        if part.text:
            title = f"{part.name}\n\n" if part.name else ""
            return {"type": "text", "text": title + part.text}
        if part.url:
            self._lose(Loss("document.url", "a document must be in the request", "content"))
            return None
        if part.file_id:
            return {"type": "file", "file": {"file_id": part.file_id}}
        media_type = part.media_type or "application/pdf"
        data = f"data:{media_type};base64,{part.data}"
        name = part.name or "document"
        if "." not in name:  # the ending tells OpenAI what it is
            name += f".{media_type.rpartition('/')[2]}"
        return {"type": "file", "file": {"filename": name, "file_data": data}}
