"""What a call says: text for previews and search, and its parameters. Knows the OpenAI dialect's
bodies, and of others where they keep their text; knows nothing of spans, stores or sockets.

Bodies are read with shallow typed structs, which skip what nobody searches for (images, logprobs,
vectors). A body that does not fit them (another dialect, a vendor's habit) is read generically, and
one that is no JSON at all counts as text: nothing here ever raises for what a client sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

PREVIEW = 200
"""Characters of a preview."""

TEXT_LIMIT = 32_768
"""Characters of each side that are searchable; a payload itself is kept whole."""

PARAMS = (
    "temperature", "top_p", "max_tokens", "max_completion_tokens", "n", "seed", "stop",
    "frequency_penalty", "presence_penalty", "reasoning_effort", "tool_choice", "dimensions",
    "encoding_format", "service_tier",
)  # fmt: skip
"""Request parameters that a span carries; longer values than `_PARAM_BYTES` are left out."""

_PARAM_BYTES = 200


class Excerpt(NamedTuple):
    """`setup` identifies parameters and tools together (8 bytes), for a span's provenance; `tools`
    are the tools' names, a JSON array or ''."""

    input_text: str = ""
    output_text: str = ""
    input_preview: str = ""
    output_preview: str = ""
    params: str = ""
    setup: bytes = b""
    tools: str = ""


class _Function(msgspec.Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct):
    function: _Function | None = None
    index: int | None = None


class _Part(msgspec.Struct):
    text: str | None = None
    refusal: str | None = None


class _Message(msgspec.Struct):
    """A chat message, or the delta of one."""

    role: str | None = None
    content: str | list[_Part] | None = None
    tool_calls: list[_ToolCall] | None = None
    reasoning_content: str | None = None
    refusal: str | None = None


class _Choice(msgspec.Struct):
    index: int = 0
    message: _Message | None = None
    delta: _Message | None = None
    text: str | None = None


class _Error(msgspec.Struct):
    message: str | None = None


class _Answer(msgspec.Struct):
    """A whole answer or one chunk of a stream."""

    choices: list[_Choice] | None = None
    error: _Error | None = None


_ABSENT = msgspec.Raw()

_Request = msgspec.defstruct(
    "_Request",
    [
        *((name, msgspec.Raw, _ABSENT) for name in PARAMS),
        ("messages", list[_Message] | None, None),
        ("prompt", msgspec.Raw, _ABSENT),
        ("input", msgspec.Raw, _ABSENT),
        ("contents", list[msgspec.Raw] | None, None),
        ("tools", msgspec.Raw, _ABSENT),
    ],
)

_NAMES = tuple(name.encode() for name in PARAMS)
_fields = msgspec.structs.astuple
_request = msgspec.json.Decoder(_Request).decode
_answer = msgspec.json.Decoder(_Answer).decode
_any = msgspec.json.Decoder().decode
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read(request: bytes | None, response: bytes | None) -> Excerpt:
    """The excerpt of one call; sides that were not kept are empty."""
    input_text = input_preview = params = tools = ""
    setup = b""
    if request:
        input_text, last, params, setup, tools = _read_request(request)
        input_preview = preview(last)
    output_text = _read_response(response) if response else ""
    return Excerpt(
        input_text[:TEXT_LIMIT],
        output_text[:TEXT_LIMIT],
        input_preview,
        preview(output_text),
        params,
        setup,
        tools,
    )


def turn(request: bytes | None, response: bytes | None) -> tuple[str, str]:
    """What was asked last and what came back, whole."""
    last = _read_request(request)[1] if request else ""
    return last, _read_response(response) if response else ""


def preview(text: str) -> str:
    """The beginning of a text on one line."""
    return " ".join(text[: PREVIEW + 50].split())[:PREVIEW]


# --- requests -----------------------------------------------------------------------------------


def _read_request(body: bytes) -> tuple[str, str, str, bytes, str]:
    """All text, the text worth previewing (what the user said last), parameters, setup, tools."""
    try:
        request: Any = _request(body)
    except _UNREADABLE:
        text = _loosely(body)
        return text, text, "", b"", ""
    setup = (*_setup(request), _tools(bytes(request.tools)))
    if request.messages:
        texts = [_said(message) for message in request.messages]
        return "\n".join(texts), _last_of_user(request.messages, texts), *setup
    if request.contents:
        texts = [_loosely(bytes(content)) for content in request.contents]
        return "\n".join(texts), texts[-1], *setup
    raw = bytes(request.prompt) or bytes(request.input)
    text = _loosely(raw) if raw else ""
    return text, text, *setup


def _last_of_user(messages: list[_Message], texts: list[str]) -> str:
    for message, text in zip(reversed(messages), reversed(texts), strict=True):
        if message.role == "user" and text:
            return text
    return texts[-1]


def _setup(request: Any) -> tuple[str, bytes]:
    given = [
        b'"%s":%s' % (name, raw)
        for name, value in zip(_NAMES, _fields(request), strict=False)
        if value is not _ABSENT and (raw := bytes(value)) != b"null" and len(raw) <= _PARAM_BYTES
    ]
    params = b"{%s}" % b",".join(given) if given else b""
    tools = bytes(request.tools)
    setup = blake2b(params + b"\0" + tools, digest_size=8).digest() if params or tools else b""
    return params.decode("utf-8", "replace"), setup


class _Tool(msgspec.Struct):
    """OpenAI's chat form, and that of Anthropic and of OpenAI's responses."""

    name: str | None = None
    function: _Function | None = None


_tool_list = msgspec.json.Decoder(list[_Tool]).decode


def _tools(raw: bytes) -> str:
    """Names of tools, sorted, as a JSON array; '' for none and for what names none."""
    if not raw or raw == b"null":
        return ""
    try:
        found = {(tool.function or tool).name or "" for tool in _tool_list(raw)} - {""}
    except _UNREADABLE:
        return ""
    return msgspec.json.encode(sorted(found)).decode() if found else ""


def _said(message: _Message) -> str:
    """The text of a message, its reasoning and tool calls included."""
    content = message.content
    if isinstance(content, str) and not (
        message.tool_calls or message.reasoning_content or message.refusal
    ):
        return content
    pieces = [message.reasoning_content or ""]
    if isinstance(content, str):
        pieces.append(content)
    elif content:
        pieces += [part.text or part.refusal or "" for part in content]
    pieces.append(message.refusal or "")
    pieces += [_called(call.function) for call in message.tool_calls or () if call.function]
    return "\n".join(piece for piece in pieces if piece)


def _called(function: _Function) -> str:
    return f"{function.name or ''}({function.arguments or ''})"


# --- answers ------------------------------------------------------------------------------------


def _read_response(body: bytes) -> str:
    if body.startswith((b"data:", b"event:", b":", b"id:", b"retry:")):
        return _read_stream(body)
    try:
        answer = _answer(body)
    except _UNREADABLE:
        return _pieces([body]) if body.startswith(b"[") else _loosely(body)
    if not answer.choices:
        return (answer.error.message or "") if answer.error is not None else _loosely(body)
    return "\n".join(
        _said(choice.message) if choice.message is not None else choice.text or ""
        for choice in answer.choices or ()
    )


class _Growing:
    """One choice of a stream while its deltas arrive."""

    __slots__ = ("calls", "reasoning", "text")

    def __init__(self) -> None:
        self.reasoning: list[str] = []
        self.text: list[str] = []
        self.calls: dict[int, _Function] = {}

    def take(self, choice: _Choice) -> None:
        if choice.text:
            self.text.append(choice.text)
        delta = choice.delta
        if delta is None:
            return
        if delta.reasoning_content:
            self.reasoning.append(delta.reasoning_content)
        if delta.content:
            content = delta.content
            self.text.append(content if isinstance(content, str) else _said(delta))
        if delta.refusal:
            self.text.append(delta.refusal)
        for call in delta.tool_calls or ():
            self._take_call(call)

    def _take_call(self, call: _ToolCall) -> None:
        index = call.index if call.index is not None else max(self.calls, default=0)
        whole = self.calls.setdefault(index, _Function("", ""))
        if call.function is not None:
            whole.name = (whole.name or "") + (call.function.name or "")
            whole.arguments = (whole.arguments or "") + (call.function.arguments or "")

    def whole(self) -> str:
        pieces = ["".join(self.reasoning), "".join(self.text)]
        pieces += [_called(self.calls[index]) for index in sorted(self.calls)]
        return "\n".join(piece for piece in pieces if piece)


def _read_stream(body: bytes) -> str:
    """Re-assemble the answer of an event stream; events that do not parse are skipped."""
    if not any(marker in body for marker in _NOT_PLAIN):
        try:
            return _string(b'"%s"' % b"".join(_CONTENT.findall(body)))
        except _UNREADABLE:
            pass
    choices: dict[int, _Growing] = {}
    failed = ""
    events = list(_events(body))
    for data in events:
        try:
            chunk = _answer(data)
        except _UNREADABLE:
            continue
        for choice in chunk.choices or ():
            growing = choices.get(choice.index)
            if growing is None:
                growing = choices[choice.index] = _Growing()
            growing.take(choice)
        if chunk.error is not None:
            failed = chunk.error.message or ""
    texts = [choices[index].whole() for index in sorted(choices)] or [_pieces(events)]
    return "\n".join(text for text in (*texts, failed) if text)


# Most streams say nothing but the content of one choice. Its strings are lifted out without
# decoding the chunks around them, five times faster; inside a JSON string a quote is escaped, so
# the pattern cannot begin there.
_CONTENT = re.compile(rb'"content":\s?"([^"\\]*(?:\\.[^"\\]*)*)"')
_NOT_PLAIN = (
    b"tool_calls", b"reasoning", b'"refusal":', b'"error"', b'"text"', b'"index":1', b'"index": 1',
)  # fmt: skip
_string = msgspec.json.Decoder(str).decode


def _events(body: bytes) -> Iterator[bytes]:
    for line in body.splitlines():
        if line.startswith(b"data:"):
            yield line[5:]


# --- bodies of unknown shape --------------------------------------------------------------------

_DEPTH = 12
_NAMES_OF_TEXT = frozenset(
    ("content", "text", "input", "output", "prompt", "message", "messages", "parts", "arguments",
     "name", "system", "query", "documents", "choices", "delta", "error", "tool_calls", "function",
     "contents", "candidates", "response", "result", "functionCall", "functionResponse", "thinking",
     "partial_json", "content_block")
)  # fmt: skip


def _pieces(bodies: list[bytes]) -> str:
    """One text whose pieces are spread over a stream of another dialect."""
    found: list[str] = []
    for body in bodies:
        try:
            found += _strings(_any(body))
        except _UNREADABLE:
            continue
    return "".join(found)


def _loosely(body: bytes) -> str:
    try:
        return "\n".join(_strings(_any(body)))
    except _UNREADABLE:
        return body[: 4 * TEXT_LIMIT].decode("utf-8", "replace")


def _strings(value: Any, depth: int = 0) -> Iterable[str]:
    """Strings at the places where dialects keep text; bounded in depth."""
    if isinstance(value, str):
        yield value
    elif depth < _DEPTH and isinstance(value, list):
        for item in value:
            yield from _strings(item, depth + 1)
    elif depth < _DEPTH and isinstance(value, dict):
        for name, item in value.items():
            if name in _NAMES_OF_TEXT:
                yield from _strings(item, depth + 1)
