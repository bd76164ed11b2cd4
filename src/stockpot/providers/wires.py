"""Finding a wire format by name: those in the box, then entry points in `stockpot.wires`."""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points
from typing import cast

from stockpot.core.errors import ConfigError, did_you_mean
from stockpot.providers.anthropic import AnthropicDialect, AnthropicWire
from stockpot.providers.azure import AzureWire
from stockpot.providers.base import Dialect, Wire
from stockpot.providers.bedrock import BedrockWire
from stockpot.providers.gemini import GeminiDialect, GeminiWire, VertexWire
from stockpot.providers.openai import OpenAIDialect, OpenAIWire
from stockpot.providers.openai.deployments import AzureDialect
from stockpot.providers.responses import ResponsesDialect

_WIRES: tuple[Wire, ...] = (
    OpenAIWire(),
    AzureWire(),
    AnthropicWire(),
    GeminiWire(),
    VertexWire(),
    BedrockWire(),
)
_IN_THE_BOX = {wire.name: wire for wire in _WIRES}
_DIALECTS: tuple[Dialect, ...] = (
    OpenAIDialect(),
    AnthropicDialect(),
    GeminiDialect("v1beta"),
    GeminiDialect("v1"),
    ResponsesDialect(),
    AzureDialect(),
)


def dialects() -> tuple[Dialect, ...]:
    """What clients may speak; OpenAI's is the first, and the gateway's own where none is known."""
    return _DIALECTS


@cache
def wire_names() -> tuple[str, ...]:
    """All wire formats that a target may name."""
    return (*_IN_THE_BOX, *(point.name for point in entry_points(group="stockpot.wires")))


@cache
def wire_named(name: str) -> Wire:
    """Raises ConfigError with the nearest spelling when nobody provides it."""
    if name in _IN_THE_BOX:
        return _IN_THE_BOX[name]
    for point in entry_points(group="stockpot.wires", name=name):
        return cast("Wire", point.load()())
    known = wire_names()
    raise ConfigError(
        f"no wire format {name!r}.{did_you_mean(name, known)}",
        hint=f"known: {', '.join(known)}",
    )
