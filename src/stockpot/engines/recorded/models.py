"""A recording of a model: its lines, and which of them a request asks for. Knows no HTTP.

A line answers a conversation (`messages`), the last thing that a user said (`question`), or a
conversation of which only the hash is known (`key`), in this order. Several lines for the same
question are answers of several times and are played in turn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

from stockpot.core.errors import InvalidInput

_WORD = re.compile(r"\w+")
_SHOWN = 120


class Usage(msgspec.Struct, frozen=True):
    """Tokens as the vendor counted them."""

    prompt_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0
    completion_tokens: Annotated[int, msgspec.Meta(ge=0)] = 0


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One recorded answer. `model` is whose answer it is, where a file has several models'; times
    are milliseconds, `ttft_ms` until the first token. Without `usage`, tokens are counted as a
    quarter of the characters. `id` and `note` are for people."""

    answer: str
    question: str = ""
    messages: tuple[dict[str, Any], ...] = ()
    key: str = ""
    model: str = ""
    usage: Usage | None = None
    latency_ms: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)] = 0.0
    ttft_ms: Annotated[float, msgspec.Meta(ge=0, le=3_600_000)] | None = None
    finish_reason: Literal["stop", "length", "content_filter"] = "stop"
    id: str = ""
    note: str = ""


class Found(NamedTuple):
    """What a request gets: a line, or none and the recorded question that is nearest to it."""

    line: Line | None
    asked: str
    nearest: str = ""


class Tape:
    """All lines of one model. Raises InvalidInput where a line answers nothing."""

    def __init__(self, name: str, lines: Sequence[Line]) -> None:
        self.name = name
        self.lines = len(lines)
        self._by_key: dict[str, list[Line]] = {}
        self._by_question: dict[str, list[Line]] = {}
        self._played: dict[str, int] = {}
        self._words: dict[str, frozenset[str]] | None = None
        for number, line in enumerate(lines, 1):
            if line.messages or line.key:
                key = key_of(line.messages) if line.messages else line.key.lower()
                self._by_key.setdefault(key, []).append(line)
            elif line.question:
                self._by_question.setdefault(_plain(line.question), []).append(line)
            else:
                raise InvalidInput(
                    f"line {number} of the recording of {name!r} says not what it answers",
                    hint="give question, messages or key",
                )

    def find(self, messages: Sequence[dict[str, Any]]) -> Found:
        """The answer to a conversation."""
        asked = last_asked(messages)
        key, question = key_of(messages), _plain(asked)
        if key in self._by_key:
            return Found(self._next(key, self._by_key[key]), asked)
        if question in self._by_question:
            return Found(self._next(question, self._by_question[question]), asked)
        return Found(None, asked, self._nearest(question))

    def _next(self, place: str, lines: list[Line]) -> Line:
        turn = self._played.get(place, 0)
        self._played[place] = turn + 1
        return lines[turn % len(lines)]

    def _nearest(self, question: str) -> str:
        """The recorded question with the most words in common (Jaccard 1901)."""
        if self._words is None:
            known = {line.question: line for lines in self._by_question.values() for line in lines}
            spoken = (last_asked(lines[0].messages) for lines in self._by_key.values())
            self._words = {text: _words(text) for text in (*known, *filter(None, spoken))}
        wanted = _words(question)
        scored = [(_jaccard(wanted, words), text) for text, words in self._words.items()]
        return max(scored)[1][:_SHOWN] if scored else ""


def key_of(messages: Sequence[dict[str, Any]]) -> str:
    """SHA-256 of a conversation in hex: role and text of each message, a line each."""
    said = "\n".join(f"{m.get('role', '')}\t{_plain(_text(m.get('content')))}" for m in messages)
    return hashlib.sha256(said.encode()).hexdigest()


def last_asked(messages: Sequence[dict[str, Any]]) -> str:
    """The last thing that a user said; without a user, the last thing said."""
    texts = [(m.get("role"), _text(m.get("content"))) for m in messages]
    users = [text for role, text in texts if role == "user"]
    return users[-1] if users else texts[-1][1] if texts else ""


def tokens_of(line: Line, messages: Sequence[dict[str, Any]]) -> Usage:
    """The recorded tokens, or a quarter of the characters."""
    if line.usage is not None:
        return line.usage
    asked = sum(len(_text(m.get("content"))) for m in messages)
    return Usage(max(1, asked // 4), max(1, len(line.answer) // 4))


def read(data: bytes, name: str) -> Tape:
    """The lines of a file that are of this model, or of no model in particular. Raises
    InvalidInput, with the number of the line."""
    return Tape(name, tuple(lines_of(data, name)))


def lines_of(data: bytes, name: str) -> Iterable[Line]:
    """Each line of a file that belongs to a model."""
    found = 0
    for number, text in enumerate(data.splitlines(), 1):
        if not text.strip():
            continue
        try:
            line = msgspec.json.decode(text, type=Line)
        except msgspec.DecodeError as bad:
            raise InvalidInput(f"line {number} is no recorded answer: {bad}") from None
        if line.model in ("", name):
            found += 1
            yield line
    if not found:
        raise InvalidInput(f"the file has no answers of {name!r}")


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def _plain(text: str) -> str:
    return " ".join(text.split())


def _words(text: str) -> frozenset[str]:
    return frozenset(_WORD.findall(text.lower()))


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / max(1, len(one | other))
