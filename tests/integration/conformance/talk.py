"""What a case asks and what it gets, in words of no dialect."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from typing import Any, Literal

Mode = Literal["whole", "stream", "async", "async stream"]
MODES: tuple[Mode, ...] = ("whole", "stream", "async", "async stream")

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n a picture").decode()
PDF = "JVBERi0xLjQKJSVFT0YK"
WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
}
CLOCK: dict[str, Any] = {"type": "object", "properties": {}}
POT: dict[str, Any] = {
    "type": "object",
    "properties": {"pot": {"type": "string"}, "litres": {"type": "integer"}},
    "required": ["pot", "litres"],
    "additionalProperties": False,
}


@dataclass(frozen=True)
class Call:
    ident: str
    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True)
class Result:
    ident: str
    name: str
    text: str
    failed: bool = False


@dataclass(frozen=True)
class Turn:
    """One message, or what it holds of a kind."""

    role: Literal["user", "assistant"]
    text: str = ""
    image: str = ""
    image_url: str = ""
    document: str = ""
    calls: tuple[Call, ...] = ()
    results: tuple[Result, ...] = ()


@dataclass(frozen=True)
class Asked:
    """One request. `choice` is auto, none, required, or the name of a tool."""

    turns: tuple[Turn, ...]
    system: str = ""
    tools: tuple[tuple[str, dict[str, Any]], ...] = ()
    choice: str = ""
    schema: dict[str, Any] | None = None
    effort: str = ""
    most: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None


@dataclass
class Got:
    """One answer. `finish` is stop, length, tool_calls or refused."""

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    idents: list[str] = field(default_factory=list)
    """Of the calls, as the SDK knows them."""
    finish: str = ""
    input: int = 0
    output: int = 0
    cached: int = 0
    left_out: frozenset[str] = frozenset()
    """What the gateway says that it left out of the request."""
    raw: Any = None
    """The whole answer as the SDK gives it, to be handed back."""


class Failed(Exception):
    """The SDK raised; `status` is None for an error inside a stream."""

    def __init__(self, status: int | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass
class Seen:
    """What reached the upstream, of what a case may look for."""

    system: str = ""
    texts: list[tuple[str, str]] = field(default_factory=list)
    """Role and text of each message that has text."""
    images: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    tools: list[str] = field(default_factory=list)
    choice: str = ""
    schema: Any = None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    results: list[tuple[str, bool]] = field(default_factory=list)
    thinks: bool = False
    most: int | None = None
    stop: list[str] = field(default_factory=list)
    temperature: float | None = None
    proofs: list[str] = field(default_factory=list)
    """Signatures of reasoning that were handed back."""
    thoughts: list[str] = field(default_factory=list)
    """Texts of reasoning that were handed back."""


def left_out(header: str | None) -> frozenset[str]:
    return frozenset(filter(None, (header or "").split(", ")))
