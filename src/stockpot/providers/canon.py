"""The one form that every dialect is read into and written from. Knows no dialect and no vendor.

A translated call goes dialect -> `Prompt` -> wire, and its answer wire -> `Event`s -> dialect, so
that N formats need 2 N pieces and not N x N. The form is a superset: what a dialect says and this
form cannot hold goes by name into `Prompt.extra`, and what a wire cannot express is a `Loss`; both
are told to the client or refused, never dropped in silence.

A whole answer and a streamed one are the same sequence of events:

    Began, then for each part PartBegan, PartDelta..., PartEnded, then Ended and Metered in any
    order; Failed may come at any point and is the last.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from stockpot.prices import Usage

JSON = dict[str, Any]


# --- what a client asks -------------------------------------------------------------------------


class Citation(msgspec.Struct, frozen=True, kw_only=True):
    """Where a piece of text comes from. Offsets count characters of the answer's text part."""

    url: str = ""
    title: str = ""
    quote: str = ""
    start: int | None = None
    end: int | None = None
    source: str = ""
    """Of a document of the request: its index or id."""


class Text(msgspec.Struct, frozen=True):
    """Text. `cache` is a vendor's cache mark: '' none, else its lifetime ('5m', '1h')."""

    text: str
    cache: str = ""
    citations: tuple[Citation, ...] = ()


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """An image, audio, video or document, by exactly one of base64 `data`, `url` and `file_id`."""

    kind: Literal["image", "audio", "video", "document"]
    media_type: str = ""
    """For example `image/png`; may be unknown ('') with a URL."""
    data: str = ""
    url: str = ""
    file_id: str = ""
    text: str = ""
    """Of a document that is plain text, instead of `data`."""
    name: str = ""
    detail: str = ""
    """`low`, `high` or '' (the model decides)."""
    cite: bool = False
    cache: str = ""


class Reasoning(msgspec.Struct, frozen=True, kw_only=True):
    """A model's reasoning, handed back to it. `signature` proves where it came from; `hidden` is
    what a vendor encrypted instead of the text."""

    text: str = ""
    signature: str = ""
    hidden: str = ""
    ident: str = ""


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """`arguments` is JSON text exactly as the model wrote it."""

    ident: str
    name: str
    arguments: str
    signature: str = ""
    cache: str = ""


class ToolResult(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool answered; belongs to a user's turn. `name` is '' where a dialect does not say."""

    ident: str
    parts: tuple[Text | Media, ...]
    name: str = ""
    failed: bool = False
    cache: str = ""


class Refusal(msgspec.Struct, frozen=True):
    """A model's refusal, as a part of its own."""

    text: str


Part = Text | Media | Reasoning | ToolCall | ToolResult | Refusal


class Turn(msgspec.Struct, frozen=True):
    """One message. `system` occurs here only after the first other turn; before, see Prompt."""

    role: Literal["user", "assistant", "system"]
    parts: tuple[Part, ...]
    name: str = ""


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the client runs. `schema` is its JSON Schema, None without parameters."""

    name: str
    description: str = ""
    schema: JSON | None = None
    strict: bool | None = None
    cache: str = ""


class ServerTool(msgspec.Struct, frozen=True):
    """A tool that the vendor runs, in the words of one dialect: no other wire can express it."""

    dialect: str
    name: str
    raw: JSON


class ToolChoice(msgspec.Struct, frozen=True):
    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """The form of the answer: `json` is any JSON object, `schema` follows a JSON Schema."""

    kind: Literal["json", "schema"]
    schema: JSON | None = None
    name: str = ""
    description: str = ""
    strict: bool | None = None


class Thinking(msgspec.Struct, frozen=True, kw_only=True):
    """How much the model may reason: an effort (`none`, `minimal`, `low`, `medium`, `high`) or a
    budget in tokens (0 is off, -1 as the model likes); `show` asks for its text or a summary."""

    effort: str = ""
    budget: int | None = None
    show: bool | None = None


class Prompt(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a chat answer. None is "not said" everywhere."""

    system: tuple[Text, ...] = ()
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool | ServerTool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tools: bool | None = None
    format: Format | None = None
    thinking: Thinking | None = None
    max_output: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    choices: int = 1
    logprobs: int | None = None
    """How many alternatives per token; 0 is the chosen token alone."""
    user: str = ""
    service_tier: str = ""
    modalities: tuple[str, ...] = ()
    """Of the answer; empty is text."""
    extra: dict[str, Any] = {}
    """Fields of the dialect that this form does not hold, by their name there."""


class Loss(msgspec.Struct, frozen=True):
    """Something of a request that a wire cannot express.

    A `hint` changes how the answer comes about (seed, logit_bias, user); `content` changes what was
    asked (an image, a tool, a schema). `field` is the name that the client used, or canon's own.
    """

    field: str
    why: str
    kind: Literal["hint", "content"] = "hint"


# --- what a model answers -----------------------------------------------------------------------

PartKind = Literal["text", "reasoning", "tool_call", "refusal", "image", "audio"]
Reason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error"]


class Began(msgspec.Struct, frozen=True):
    """The answer has an id and the model that gives it; either may be ''."""

    ident: str
    model: str


class PartBegan(msgspec.Struct, frozen=True, kw_only=True):
    """Part `index` (counted over the whole answer) begins. `choice` counts alternatives, from 0.

    A tool call has `ident` and `name`; media have `media_type`; hidden reasoning has `hidden`.
    """

    index: int
    kind: PartKind
    choice: int = 0
    ident: str = ""
    name: str = ""
    media_type: str = ""
    hidden: str = ""


class PartDelta(msgspec.Struct, frozen=True):
    """More of a part: text, a piece of a tool call's JSON, or base64 of media."""

    index: int
    text: str


class PartSigned(msgspec.Struct, frozen=True):
    """The vendor's proof of a reasoning part or a tool call."""

    index: int
    signature: str


class Cited(msgspec.Struct, frozen=True):
    index: int
    citation: Citation


class PartEnded(msgspec.Struct, frozen=True):
    index: int


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """A choice is complete. `said` is the vendor's own word for the reason."""

    reason: Reason
    choice: int = 0
    stop: str = ""
    """The stop sequence that ended it, where the vendor says."""
    said: str = ""


class Metered(msgspec.Struct, frozen=True):
    """Usage so far; a later one replaces it."""

    usage: Usage


class Failed(msgspec.Struct, frozen=True):
    """The upstream reported an error inside its answer."""

    message: str
    code: str = ""


Event = Began | PartBegan | PartDelta | PartSigned | Cited | PartEnded | Ended | Metered | Failed
