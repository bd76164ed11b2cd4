"""OpenAI's Responses: a dialect of its own, and what passes to servers that speak it themselves."""

from stockpot.providers.responses.dialect import ResponsesDialect
from stockpot.providers.responses.listen import TypedAnswer
from stockpot.providers.responses.native import ResponsesNative

__all__ = ["ResponsesDialect", "ResponsesNative", "TypedAnswer"]
