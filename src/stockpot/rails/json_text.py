"""JSON out of what a model wrote: finding the document in the text, and reading it leniently.

Knows the faults that models make: fences and prose around the document, trailing commas, single
quotes, bare keys, comments, Python's constants, line ends inside texts, an end that is missing. It
guesses no value: what is not there stays missing.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import Any, NamedTuple

import msgspec

DEEPEST = 100
"""Levels of nesting; deeper documents are refused."""

_decode = msgspec.json.Decoder().decode
_FENCE = re.compile(
    r"```[ \t]*(?:json[c5l]?)?[ \t]*\r?\n(.*?)(?:\r?\n[ \t]*```|\Z)", re.DOTALL | re.I
)


class Read(NamedTuple):
    """A value; whether it stood there as such (`exact`), and whether its end was missing."""

    value: Any
    exact: bool
    cut: bool = False


class NoJSON(ValueError):
    """What was written is no JSON document, in words for whoever wrote it."""


def read(text: str) -> Read:
    """The document in a text. Raises NoJSON."""
    try:
        return Read(strict(text), True)
    except NoJSON:
        pass
    inner = document(text)
    if not inner:
        raise NoJSON("there is no JSON object or list in it")
    try:
        return Read(strict(inner), False)
    except NoJSON:
        pass
    return _Lenient(inner).whole()


def strict(text: str) -> Any:
    """What a strict reader makes of the whole text. Raises NoJSON."""
    try:
        return _decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as bad:
        raise NoJSON(str(bad)) from None


def document(text: str) -> str:
    """The part of a text that is meant as JSON: a fenced block, or from the first bracket on to
    the last one that closes. Empty when there is neither."""
    for found in _FENCE.finditer(text):
        if found[1].lstrip()[:1] in ("{", "["):
            return found[1].strip()
    starts = [at for at in (text.find("{"), text.find("[")) if at >= 0]
    if not starts:
        return ""
    start = min(starts)
    end = max(text.rfind("}"), text.rfind("]")) + 1
    with suppress(ValueError, RecursionError):  # prose behind it may have brackets of its own
        _, end = json.JSONDecoder().raw_decode(text, start)
    return text[start : end if end > start else len(text)].strip()


_SPACE = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?(?:\*/|\Z)|#[^\n]*)*", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,300})(?:\.[0-9]{1,300})?(?:[eE][-+]?[0-9]{1,4})?")
_BARE = re.compile(r"[A-Za-z_$][\w$-]*")
_CONSTANTS = {
    "true": True, "false": False, "null": None, "True": True, "False": False, "None": None,
    "undefined": None, "NaN": None,
}  # fmt: skip
_CLOSING = {'"': '"', "'": "'", "\u201c": "\u201d", "\u2018": "\u2019"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_HEX = re.compile(r"[0-9a-fA-F]{4}")


class _Lenient:
    """One document, read once from left to right."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._cut = text, 0, False

    def whole(self) -> Read:
        value = self._value(0)
        self._skip()
        if self._at < len(self._text) and not self._cut:
            raise self._bad("the end")
        return Read(value, False, self._cut)

    def _bad(self, wanted: str) -> NoJSON:
        near = self._text[self._at : self._at + 20]
        return NoJSON(f"at character {self._at} it should have {wanted}, not {near!r}")

    def _skip(self) -> str:
        found = _SPACE.match(self._text, self._at)
        if found is not None:
            self._at = found.end()
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise NoJSON(f"it is nested more than {DEEPEST} levels deep")
        sign = self._skip()
        if sign == "{":
            return self._object(depth)
        if sign == "[":
            return self._list(depth)
        if sign in _CLOSING and sign:
            return self._string(_CLOSING[sign])
        return self._plain()

    def _plain(self) -> Any:
        bare = _BARE.match(self._text, self._at)
        if bare is not None and bare[0] in _CONSTANTS:
            self._at = bare.end()
            return _CONSTANTS[bare[0]]
        number = _NUMBER.match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            told = number[0].removeprefix("+")
            return float(told) if set(told) & set(".eE") else int(told)
        if bare is not None and bare.end() == len(self._text):
            for name, value in _CONSTANTS.items():
                if name.startswith(bare[0]):
                    self._at, self._cut = bare.end(), True
                    return value
        raise self._bad("a value")

    def _object(self, depth: int) -> dict[str, Any]:
        self._at += 1
        made: dict[str, Any] = {}
        while True:
            sign = self._skip()
            while sign == ",":
                self._at += 1
                sign = self._skip()
            if sign == "}":
                self._at += 1
                return made
            if not sign:
                self._cut = True
                return made
            key = self._key(sign)
            if self._skip() != ":":
                if self._at >= len(self._text):
                    self._cut = True  # a name without its value says nothing
                    return made
                raise self._bad("':'")
            self._at += 1
            if not self._skip():
                self._cut = True
                return made
            made[key] = self._value(depth + 1)

    def _key(self, sign: str) -> str:
        if sign in _CLOSING:
            return self._string(_CLOSING[sign])
        bare = _BARE.match(self._text, self._at)
        if bare is None:
            raise self._bad("a name")
        self._at = bare.end()
        return bare[0]

    def _list(self, depth: int) -> list[Any]:
        self._at += 1
        made: list[Any] = []
        while True:
            sign = self._skip()
            while sign == ",":
                self._at += 1
                sign = self._skip()
            if sign == "]":
                self._at += 1
                return made
            if not sign:
                self._cut = True
                return made
            made.append(self._value(depth + 1))

    def _string(self, closing: str) -> str:
        """Up to the quote that closes: one that stands before a comma, a colon, a bracket or the
        end. A quote elsewhere inside belongs to the text."""
        text, at = self._text, self._at + 1
        parts: list[str] = []
        while True:
            sign = text[at : at + 1]
            if not sign:
                self._at, self._cut = at, True
                return "".join(parts)
            if sign == "\\":
                told, at = _escaped(text, at)
                parts.append(told)
            elif sign == closing and self._closes(at + 1):
                self._at = at + 1
                return "".join(parts)
            else:
                found = _ORDINARY.match(text, at)
                end = found.end() if found is not None else at + 1
                parts.append(text[at:end])
                at = end

    def _closes(self, at: int) -> bool:
        found = _SPACE.match(self._text, at)
        after = self._text[found.end() : found.end() + 1] if found is not None else ""
        return after in ("", ",", ":", "}", "]")


_ORDINARY = re.compile(r"[^\\\"'\u201d\u2019]+")


def _escaped(text: str, at: int) -> tuple[str, int]:
    sign = text[at + 1 : at + 2]
    if sign == "u" and (found := _HEX.match(text, at + 2)):
        code = int(found[0], 16)
        if 0xD800 <= code < 0xDC00 and text.startswith("\\u", at + 6):
            low = _HEX.match(text, at + 8)
            if low is not None and 0xDC00 <= int(low[0], 16) < 0xE000:
                code = 0x10000 + (code - 0xD800) * 0x400 + int(low[0], 16) - 0xDC00
                return chr(code), at + 12
        return (chr(code) if not 0xD800 <= code < 0xE000 else "\ufffd"), at + 6
    return _ESCAPES.get(sign, sign), at + 2
