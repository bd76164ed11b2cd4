"""Topics: named lists of words with weights. Knows words only; what is told in others is missed.

A text has a topic when the weights of the different words that it holds add up to the threshold of
the topic. A negative weight speaks against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stockpot.rails.models import Finding, InvalidRule, Rule
from stockpot.rails.registry import Settings
from stockpot.rails.words import Needles


class _Topic:
    def __init__(self, name: str, weights: dict[str, float], threshold: float) -> None:
        self.name, self.weights, self.threshold = name, weights, threshold
        self.needles = Needles(tuple(weights))

    def weigh(self, text: str) -> tuple[float, int, int, list[str]]:
        """The sum of weights, the stretch of text that holds the words, and the words."""
        words: dict[str, None] = {}
        first, last = len(text), 0
        for start, end, word in self.needles.find(text):
            words[word] = None
            first, last = min(first, start), max(last, end)
        return sum(self.weights[word] for word in words), first, last, list(words)


class TopicsRail:
    """Finds topics; the finding is the stretch that holds the words, its note names them."""

    kind = "topics"
    reach = 0

    def __init__(self, topics: tuple[_Topic, ...]) -> None:
        self._topics = topics

    def find(self, text: str) -> list[Finding]:
        found = []
        for topic in self._topics:
            total, first, last, words = topic.weigh(text)
            if words and total >= topic.threshold:
                score = total / (total + topic.threshold)
                found.append(Finding(first, last, topic.name, score, ", ".join(words[:8])))
        return found


def build_topics(rule: Rule, models: Mapping[str, bytes]) -> TopicsRail:
    """Setting `topics`: name -> {"words": [...] or {word: weight}, "threshold": 2}."""
    told = Settings(rule, ("topics",))
    topics = told.table("topics")
    if not topics:
        raise InvalidRule(
            f"rule {rule.id!r} (topics) has no topics", hint="settings.topics = {...}"
        )
    return TopicsRail(tuple(_topic(rule, name, row) for name, row in topics.items()))


def _topic(rule: Rule, name: str, row: Any) -> _Topic:
    told: dict[str, Any] = row if isinstance(row, dict) else {}
    words: Any = told.get("words")
    threshold: Any = told.get("threshold", 1.0)
    if isinstance(words, list | tuple):
        words = dict.fromkeys(words, 1.0)
    if not _weights(words) or type(threshold) not in (int, float) or threshold <= 0:
        raise InvalidRule(
            f"rule {rule.id!r} (topics): the topic {name!r} needs words and a threshold above 0",
            hint='{"words": {"dosage": 1.0, "recipe": -1.0}, "threshold": 1}',
        )
    return _Topic(name, {word: float(n) for word, n in words.items()}, float(threshold))


def _weights(words: Any) -> bool:
    return (
        isinstance(words, dict)
        and bool(words)
        and all(type(w) is str and w.strip() for w in words)
        and all(type(n) in (int, float) for n in words.values())
    )
