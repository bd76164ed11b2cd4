"""Dialects that a server of OpenAI's wire may speak besides, and how they pass it untouched."""

from __future__ import annotations

from typing import Protocol

from stockpot.providers.anthropic import AnthropicWire
from stockpot.providers.base import Answer, Ask, Outgoing, UpstreamTarget
from stockpot.providers.responses import ResponsesNative


class Native(Protocol):
    """One such dialect: the client's bytes go on but for the model's name."""

    def outgoing(self, ask: Ask, target: UpstreamTarget) -> Outgoing: ...

    def answer(self, ask: Ask, target: UpstreamTarget) -> Answer: ...


NATIVE: dict[str, Native] = {"responses": ResponsesNative(), "anthropic": AnthropicWire()}
