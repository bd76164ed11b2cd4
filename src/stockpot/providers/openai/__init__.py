"""OpenAI's format: the dialect of its clients, and the wire to any server that speaks it."""

from stockpot.providers.openai.dialect import OpenAIDialect
from stockpot.providers.openai.listen import OpenAIAnswer
from stockpot.providers.openai.wire import OpenAIWire

__all__ = ["OpenAIAnswer", "OpenAIDialect", "OpenAIWire"]
