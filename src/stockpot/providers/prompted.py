"""A rendered prompt put before what a client asks, in the client's own dialect. Knows dialects'
requests; knows no template, no label and no vendor.

What the client says stands behind the prompt's messages; what it says of its own of model, tools,
form of the answer and parameters stands instead of the prompt's. A dialect that cannot say a
parameter leaves it out aloud: its name is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from stockpot.providers.anthropic.turns import Turns as AnthropicTurns
from stockpot.providers.base import BadRequest
from stockpot.providers.canon import JSON, Loss, Media, Prompt, Text, ToolCall, ToolResult, Turn
from stockpot.providers.gemini.turns import Losses
from stockpot.providers.gemini.turns import Turns as GeminiTurns
from stockpot.providers.openai.messages import read_messages

_decode = msgspec.json.Decoder().decode
_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
Fields = dict[str, Any]


class Said(NamedTuple):
    """What a prompt says: messages in OpenAI's form, functions, a JSON Schema for the answer, and
    parameters by OpenAI's names. `text` instead of messages is for an endpoint that takes text."""

    messages: tuple[JSON, ...]
    tools: tuple[JSON, ...] = ()
    response_schema: JSON | None = None
    params: Mapping[str, Any] = {}
    text: str = ""


def put_before(dialect: str, endpoint: str, fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    """The client's fields with the prompt in them, and the parameters that could not be said.
    Values of `fields` may be raw JSON. Raises BadRequest."""
    if endpoint == "completions":
        return _completions(fields, said)
    put = _PUT.get(dialect) if endpoint in ("chat", "count_tokens") else None
    if put is None:
        raise BadRequest(f"a prompt is for chat, not for {endpoint}", "model", "wrong_endpoint")
    return put(fields, said)


def _functions(said: Said) -> list[JSON]:
    """The functions alone, however they were written down."""
    return [tool.get("function", tool) for tool in said.tools]


def _behind(fields: Fields, name: str) -> list[Any]:
    """A list of the client's, or nothing."""
    value = fields.get(name)
    if value is None or (isinstance(value, msgspec.Raw) and bytes(value) == b"null"):
        return []
    try:
        return list(_list(value) if isinstance(value, msgspec.Raw) else value)
    except msgspec.MsgspecError:
        raise BadRequest(f"{name!r} must be an array", name) from None


def _plain(fields: Fields, name: str) -> Any:
    value = fields.get(name)
    return _decode(value) if isinstance(value, msgspec.Raw) else value


# --- OpenAI -------------------------------------------------------------------------------------

_SAME = (frozenset(("max_tokens", "max_completion_tokens")),)


def _openai(fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    fields["messages"] = [*said.messages, *_behind(fields, "messages")]
    if said.tools and "tools" not in fields:
        functions = [{"type": "function", "function": made} for made in _functions(said)]
        fields["tools"] = functions
    if said.response_schema is not None and "response_format" not in fields:
        schema = {"name": "answer", "schema": said.response_schema}
        fields["response_format"] = {"type": "json_schema", "json_schema": schema}
    for name, value in said.params.items():
        other = next((group for group in _SAME if name in group), (name,))
        if not any(one in fields for one in other):
            fields[name] = value
    return fields, []


def _completions(fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    if not said.text:
        raise BadRequest("this endpoint takes a text prompt, not a chat", "model")
    own = _plain(fields, "prompt")
    if own is not None and type(own) is not str:
        raise BadRequest("behind a prompt 'prompt' must be a string", "prompt")
    fields["prompt"] = said.text + (own or "")
    for name, value in said.params.items():
        fields.setdefault(name, value)
    return fields, []


# --- Anthropic ----------------------------------------------------------------------------------

_ANTHROPIC = {
    "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens",
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "thinking": "thinking",
    "metadata": "metadata",
}  # fmt: skip


def _anthropic(fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    losses: list[Loss] = []
    system, turns = read_messages(list(said.messages), {})
    writer = AnthropicTurns(losses, system_turns=True, native=True)
    messages, blocks = writer.composed(Prompt(system=system, turns=turns)) if turns else ([], [])
    if system and not turns:
        blocks = [{"type": "text", "text": text.text} for text in system]
    fields["messages"] = [*messages, *_behind(fields, "messages")]
    own = _plain(fields, "system")
    if type(own) is str:
        own = [{"type": "text", "text": own}] if own else []
    if blocks or own:
        fields["system"] = [*blocks, *(own or [])]
    if said.tools and "tools" not in fields:
        fields["tools"] = [
            _named({"input_schema": made.get("parameters") or {"type": "object"}}, made)
            for made in _functions(said)
        ]
    if said.response_schema is not None and "output_config" not in fields:
        schema = {"type": "json_schema", "schema": said.response_schema}
        fields["output_config"] = {"format": schema}
    return fields, _mapped(fields, said, _ANTHROPIC, {"stop": _stops("stop_sequences")})


def _named(made: JSON, function: JSON) -> JSON:
    about = {n: function[n] for n in ("name", "description") if function.get(n)}
    return {**about, **made}


_Special = Callable[[Fields, Any], None]


def _stops(name: str) -> _Special:
    def put(fields: Fields, value: Any) -> None:
        fields.setdefault(name, [value] if isinstance(value, str) else value)

    return put


def _mapped(
    fields: Fields, said: Said, names: Mapping[str, str], special: Mapping[str, _Special]
) -> list[str]:
    """Parameters by the dialect's own names; those that it has no name for are returned."""
    lost = []
    for name, value in said.params.items():
        if name in special:
            special[name](fields, value)
        elif name in names:
            fields.setdefault(names[name], value)
        else:
            lost.append(name)
    return lost


# --- Gemini -------------------------------------------------------------------------------------

_GEMINI = {
    "max_tokens": "maxOutputTokens", "max_completion_tokens": "maxOutputTokens",
    "temperature": "temperature", "top_p": "topP", "top_k": "topK", "seed": "seed",
    "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty",
    "n": "candidateCount",
}  # fmt: skip


def _gemini(fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    _one_spelling(fields)
    system, turns = read_messages(list(said.messages), {})
    writer = GeminiTurns(Losses(), recent=False, names_files=False)
    fields["contents"] = [*writer.contents(turns), *_behind(fields, "contents")]
    if system:
        own = _plain(fields, "systemInstruction")
        parts = [own] if isinstance(own, str) else (own or {}).get("parts", [])
        parts = parts if isinstance(parts, list) else [parts]
        told = [{"text": part} if isinstance(part, str) else part for part in parts]
        fields["systemInstruction"] = {"parts": [*({"text": t.text} for t in system), *told]}
    if said.tools and "tools" not in fields:
        made = [
            _named({"parametersJsonSchema": f["parameters"]} if f.get("parameters") else {}, f)
            for f in _functions(said)
        ]
        fields["tools"] = [{"functionDeclarations": made}]
    config: Fields = _plain(fields, "generationConfig") or {}
    if said.response_schema is not None and not _FORMS & set(config):
        config |= {"responseMimeType": "application/json"}
        config["responseJsonSchema"] = said.response_schema
    config = {_CAMEL.get(name, name): value for name, value in config.items()}
    lost = _mapped(config, said, _GEMINI, {"stop": _stops("stopSequences")})
    if config:
        fields["generationConfig"] = config
    return fields, lost


_FORMS = {"responseMimeType", "response_mime_type"}
_CAMEL = {
    "max_output_tokens": "maxOutputTokens", "top_p": "topP", "top_k": "topK",
    "presence_penalty": "presencePenalty", "frequency_penalty": "frequencyPenalty",
    "candidate_count": "candidateCount", "stop_sequences": "stopSequences",
}  # fmt: skip


def _one_spelling(fields: Fields) -> None:
    """Google's JSON takes each field in two spellings."""
    for snake, camel in (("system_instruction", "systemInstruction"),
                         ("generation_config", "generationConfig")):  # fmt: skip
        if snake in fields:
            fields.setdefault(camel, fields.pop(snake))


# --- Responses ----------------------------------------------------------------------------------

_RESPONSES = {
    "max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens",
    "temperature": "temperature", "top_p": "top_p", "metadata": "metadata", "user": "user",
    "parallel_tool_calls": "parallel_tool_calls", "service_tier": "service_tier", "store": "store",
}  # fmt: skip


def _responses(fields: Fields, said: Said) -> tuple[Fields, list[str]]:
    own = _plain(fields, "input")
    if type(own) is str:
        own = [{"role": "user", "content": own}]
    system, turns = read_messages(list(said.messages), {})
    first = [Turn("system", system)] if system else []
    items = [item for turn in (*first, *turns) for item in _items(turn)]
    fields["input"] = [*items, *(own or [])]
    if said.tools and "tools" not in fields:
        fields["tools"] = [{"type": "function", "strict": False, **f} for f in _functions(said)]
    if said.response_schema is not None and "text" not in fields:
        form = {"type": "json_schema", "name": "answer", "schema": said.response_schema}
        fields["text"] = {"format": form}

    def effort(fields: Fields, value: Any) -> None:
        fields.setdefault("reasoning", {"effort": value})

    return fields, _mapped(fields, said, _RESPONSES, {"reasoning_effort": effort})


def _items(turn: Turn) -> list[JSON]:
    """A turn as items: a message, the calls of tools, and their results."""
    side = "output_text" if turn.role == "assistant" else "input_text"
    content: list[JSON] = []
    others: list[JSON] = []
    for part in turn.parts:
        if isinstance(part, Text):
            content.append({"type": side, "text": part.text})
        elif isinstance(part, Media):
            content.append(_media(part))
        elif isinstance(part, ToolCall):
            others.append({"type": "function_call", "call_id": part.ident, "name": part.name,
                           "arguments": part.arguments})  # fmt: skip
        elif isinstance(part, ToolResult):
            text = "".join(one.text for one in part.parts if isinstance(one, Text))
            others.append({"type": "function_call_output", "call_id": part.ident, "output": text})
    message = {"type": "message", "role": turn.role, "content": content}
    return [*([message] if content else []), *others]


def _media(part: Media) -> JSON:
    url = part.url or f"data:{part.media_type};base64,{part.data}"
    if part.kind == "image":
        detail = {"detail": part.detail or "auto"}
        return {"type": "input_image", "image_url": url, **detail}
    if part.kind == "audio":
        sound = {"data": part.data, "format": part.media_type.rpartition("/")[2]}
        return {"type": "input_audio", "input_audio": sound}
    if part.file_id:
        return {"type": "input_file", "file_id": part.file_id}
    if part.url:
        return {"type": "input_file", "file_url": part.url}
    return {"type": "input_file", "filename": part.name or "file", "file_data": url}


_PUT: dict[str, Callable[[Fields, Said], tuple[Fields, list[str]]]] = {
    "openai": _openai,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "responses": _responses,
}
