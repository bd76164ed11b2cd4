"""Every way of telling spans of generative AI, read into one vocabulary.

One file per dialect, each a table first; `normalise` asks them all, `bodies` shows what was said in
the form of a chat request and its answer. Knows OTLP's model; knows no store, no price and no key.
"""

from stockpot.traces.dialects.bodies import bodies, conversation_text
from stockpot.traces.dialects.normalise import ORDER, Normal, normalise

__all__ = ["ORDER", "Normal", "bodies", "conversation_text", "normalise"]
