"""Gemini's format: the dialect of Google's SDKs, the wires to the Gemini API and to Vertex AI."""

from stockpot.providers.gemini.dialect import GeminiDialect
from stockpot.providers.gemini.reader import GeminiReader
from stockpot.providers.gemini.vertex import VertexWire
from stockpot.providers.gemini.wire import GeminiWire
from stockpot.providers.gemini.writer import GeminiWriter

__all__ = ["GeminiDialect", "GeminiReader", "GeminiWire", "GeminiWriter", "VertexWire"]
