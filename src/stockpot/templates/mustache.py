"""Mustache templates. Knows the Mustache language; knows no prompt.

An implementation of our own, of the specification's modules comments, delimiters, interpolation,
inverted, partials and sections: the libraries for Python that are there escape for HTML, take a
missing variable for an empty one without a word, and have had no release for years. Lambdas and
inheritance are left out. In a prompt nothing is escaped, and with `strict` a name that is nowhere
is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from stockpot.templates.models import Partial, TemplateFault
from stockpot.templates.values import MOST_STEPS, MOST_TEXT, text_of, too_large

_DEEPEST = 50
_MISSING: Any = object()


class Piece(NamedTuple):
    """`kind`: text, name, section, inverted, partial. `lead` is a partial's indentation."""

    kind: str
    text: str
    line: int = 0
    inner: tuple[Piece, ...] = ()
    escape: bool = False
    lead: str = ""


class _Tag(NamedTuple):
    sign: str
    text: str
    line: int
    lead: str


@lru_cache(maxsize=512)
def parse(source: str, where: str = "the prompt") -> tuple[Piece, ...]:
    """Raises TemplateFault with the line."""
    return _Parser(source, where).whole()


class _Parser:
    def __init__(self, source: str, where: str) -> None:
        self._source = source
        self._where = where
        self._at = 0
        self._opening, self._closing = "{{", "}}"

    def _wrong(self, message: str, line: int) -> TemplateFault:
        return TemplateFault(f"{self._where}, line {line}: {message}", line=line)

    def _line(self, at: int) -> int:
        return self._source.count("\n", 0, at) + 1

    def whole(self) -> tuple[Piece, ...]:
        stack: list[tuple[_Tag | None, list[Piece]]] = [(None, [])]
        while self._at < len(self._source):
            start = self._source.find(self._opening, self._at)
            if start < 0:
                stack[-1][1].append(Piece("text", self._source[self._at :]))
                break
            self._take(start, stack)
        opened, pieces = stack[-1]
        if opened is not None:
            raise self._wrong(f"the section {opened.text!r} is not closed", opened.line)
        return tuple(pieces)

    def _take(self, start: int, stack: list[tuple[_Tag | None, list[Piece]]]) -> None:
        before = self._source[self._at : start]
        tag, end = self._tag(start)
        if tag.sign not in ("", "&", "{"):
            before, end, tag = self._alone(start, end, before, tag)
        if before:
            stack[-1][1].append(Piece("text", before))
        self._at = end
        if tag.sign in ("#", "^"):
            stack.append((tag, []))
        elif tag.sign == "/":
            opened, inner = stack.pop()
            if opened is None or opened.text != tag.text:
                open_ = f"{opened.text!r} is open" if opened else "nothing is open"
                raise self._wrong(f"{tag.text!r} is closed, but {open_}", tag.line)
            kind = "section" if opened.sign == "#" else "inverted"
            stack[-1][1].append(Piece(kind, opened.text, opened.line, tuple(inner)))
        elif tag.sign == "=":
            self._delimit(tag)
        elif tag.sign == ">":
            stack[-1][1].append(Piece("partial", tag.text, tag.line, lead=tag.lead))
        elif tag.sign != "!":
            stack[-1][1].append(Piece("name", tag.text, tag.line, escape=tag.sign == ""))

    def _tag(self, start: int) -> tuple[_Tag, int]:
        line = self._line(start)
        inner = start + len(self._opening)
        sign = self._source[inner : inner + 1]
        sign = sign if sign and sign in "#^/!=>&{" else ""
        closing = {"{": "}" + self._closing, "=": "=" + self._closing}.get(sign, self._closing)
        end = self._source.find(closing, inner + len(sign))
        if end < 0:
            raise self._wrong(f"a tag that begins with {self._opening!r} does not end", line)
        text = self._source[inner + len(sign) : end].strip()
        if not text and sign != "!":
            raise self._wrong("a tag names nothing", line)
        if sign not in ("!", "=", ">") and re.search(r"\s", text):
            raise self._wrong(f"{text!r} is no name", line)
        return _Tag(sign, text, line, ""), end + len(closing)

    def _alone(self, start: int, end: int, before: str, tag: _Tag) -> tuple[str, int, _Tag]:
        """A tag that has a line to itself takes the line with it."""
        line_start = self._source.rfind("\n", 0, start) + 1
        lead = self._source[line_start:start]
        rest = re.compile(r"[ \t]*(\r?\n|\Z)").match(self._source, end)
        if rest is None or lead.strip(" \t") or len(before) < len(lead):
            return before, end, tag
        return before[: len(before) - len(lead)], rest.end(), tag._replace(lead=lead)

    def _delimit(self, tag: _Tag) -> None:
        names = tag.text.split()
        if len(names) != 2 or any("=" in name for name in names):
            raise self._wrong(f"{tag.text!r} are no two delimiters", tag.line)
        self._opening, self._closing = names


class MustacheTemplate:
    """One parsed template. As a callable it renders."""

    __slots__ = ("_escape", "_partials", "_pieces", "_pins", "_strict", "_where")

    def __init__(
        self,
        source: str,
        where: str,
        partials: Mapping[str, Partial],
        pins: Mapping[str, str],
        *,
        strict: bool = True,
        escape: Callable[[str], str] | None = None,
    ) -> None:
        self._pieces = parse(source, where)
        self._where = where
        self._partials = partials
        self._pins = pins
        self._strict = strict
        self._escape = escape

    def __call__(self, values: Mapping[str, Any]) -> str:
        return _Run(self, self._strict, self._escape).whole(values)

    def named(self, name: str, pins: Mapping[str, str]) -> Partial | None:
        return self._partials.get(pins.get(name, name))

    @property
    def start(self) -> tuple[tuple[Piece, ...], Mapping[str, str], str]:
        return self._pieces, self._pins, self._where


class _Run:
    """One rendering: what it has written, and how much it may still do."""

    def __init__(
        self, template: MustacheTemplate, strict: bool, escape: Callable[[str], str] | None
    ) -> None:
        self._template = template
        self._strict = strict
        self._escape = escape
        self._said: list[str] = []
        self._size = 0
        self._steps = MOST_STEPS

    def whole(self, values: Mapping[str, Any]) -> str:
        pieces, pins, where = self._template.start
        self._all(pieces, (values,), pins, where, 0)
        return "".join(self._said)

    def _say(self, text: str) -> None:
        self._size += len(text)
        if self._size > MOST_TEXT:
            raise too_large()
        self._said.append(text)

    def _all(
        self, pieces: tuple[Piece, ...], stack: tuple[Any, ...], pins: Mapping[str, str],
        where: str, depth: int,
    ) -> None:  # fmt: skip
        self._steps -= 1
        if self._steps < 0 or depth > _DEEPEST:
            raise TemplateFault(
                f"{where}: it takes more than {MOST_STEPS:,} steps, or nests deeper"
            )
        for piece in pieces:
            if piece.kind == "text":
                self._say(piece.text)
            elif piece.kind == "name":
                value = self._found(piece, stack, where)
                text = "" if value is _MISSING else text_of(value)
                self._say(self._escape(text) if piece.escape and self._escape else text)
            elif piece.kind == "partial":
                self._include(piece, stack, pins, where, depth)
            else:
                self._section(piece, stack, pins, where, depth)

    def _section(
        self, piece: Piece, stack: tuple[Any, ...], pins: Mapping[str, str], where: str, depth: int
    ) -> None:
        value = self._found(piece, stack, where)
        empty = value is _MISSING or value is None or value is False or value in ("", [], ())
        if piece.kind == "inverted":
            if empty:
                self._all(piece.inner, stack, pins, where, depth + 1)
            return
        if empty:
            return
        for item in value if isinstance(value, list | tuple) else (value,):
            self._all(piece.inner, (*stack, item), pins, where, depth + 1)

    def _include(
        self, piece: Piece, stack: tuple[Any, ...], pins: Mapping[str, str], where: str, depth: int
    ) -> None:
        partial = self._template.named(piece.text, pins)
        if partial is None:
            if self._strict:
                raise TemplateFault(
                    f"{where}, line {piece.line}: there is no partial {piece.text!r}",
                    line=piece.line,
                )
            return
        body = partial.body
        if piece.lead:
            body = re.sub(r"(?m)^(?=[\s\S])", lambda _: piece.lead, body)
        inner = f"the partial {partial.name!r}"
        self._all(parse(body, inner), stack, partial.pins, inner, depth + 1)

    def _found(self, piece: Piece, stack: tuple[Any, ...], where: str) -> Any:
        if piece.text == ".":
            return stack[-1]
        first, *rest = piece.text.split(".")
        for context in reversed(stack):
            if isinstance(context, Mapping) and first in context:
                value = context[first]
                for name in rest:
                    value = value.get(name, _MISSING) if isinstance(value, Mapping) else _MISSING
                if value is not _MISSING or not self._strict:
                    return value
                break
        if not self._strict:
            return _MISSING
        raise TemplateFault(
            f"{where}, line {piece.line}: {piece.text!r} is undefined",
            variable=piece.text,
            line=piece.line,
        )


def included(source: str, where: str = "the prompt") -> tuple[str, ...]:
    """The partials that a template names."""
    found = (piece.text for piece in _walk(parse(source, where)) if piece.kind == "partial")
    return tuple(dict.fromkeys(found))


def used(source: str, where: str = "the prompt") -> frozenset[str]:
    """The outermost variables that a template may read; inside a section a name may also be its
    item's, so only those outside are sure."""
    return frozenset(
        piece.text.split(".")[0]
        for piece in parse(source, where)
        if piece.kind in ("name", "section", "inverted") and piece.text != "."
    )


def _walk(pieces: tuple[Piece, ...]) -> list[Piece]:
    return [found for piece in pieces for found in (piece, *_walk(piece.inner))]
