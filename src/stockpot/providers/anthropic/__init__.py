"""Anthropic's format: the dialect of its clients, and the wire to any server that speaks it."""

from stockpot.providers.anthropic.dialect import AnthropicDialect
from stockpot.providers.anthropic.listen import AnthropicAnswer
from stockpot.providers.anthropic.wire import AnthropicWire

__all__ = ["AnthropicAnswer", "AnthropicDialect", "AnthropicWire"]
