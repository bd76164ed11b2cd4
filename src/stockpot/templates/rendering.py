"""From a version and variables to what goes to a model. Knows versions, and both languages.

What is compiled of a version is kept by its content hash, so that a worker compiles it once.
A variable that holds an image, a sound or a file (a part) stands in a chat message as a part of its
own, where the template places it.
"""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable, Mapping
from threading import Lock
from typing import Any, NamedTuple

from stockpot.templates.models import JSON, Message, Rendered, TemplateFault, Version
from stockpot.templates.mustache import MustacheTemplate
from stockpot.templates.mustache import included as mustache_included
from stockpot.templates.mustache import used as mustache_used
from stockpot.templates.schema import PARTS, Check, compile_schema, wrong

Template = Callable[[Mapping[str, Any]], str]

ROLES = ("system", "developer", "user", "assistant")
_KEPT = 1024
_PART_TYPES = frozenset(("text", "image_url", "input_audio", "file"))


class Line(NamedTuple):
    """A message, ready to be rendered."""

    role: str
    template: Template | None
    insert: str


class Program:
    """What a version compiles to."""

    __slots__ = ("_absent", "check", "formats", "lines", "text")

    def __init__(self, version: Version) -> None:
        self.check: Check | None = None
        schema = version.variables_schema
        if schema:
            self.check = compile_schema(schema)
        known = schema.get("properties", {}) if isinstance(schema, dict) else {}
        told = {n: s for n, s in known.items() if isinstance(s, dict)}
        self.formats = {n: s["format"] for n, s in told.items() if s.get("format") in PARTS}
        self._absent = {n: told.get(n, {}).get("default") for n in known}
        make = _maker(version)
        self.text = make(version.body, "the prompt") if version.kind == "text" else None
        self.lines = tuple(_line(message, n, make) for n, message in enumerate(version.messages, 1))

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The variables, checked; what may be absent and is gets its default, or null."""
        if self.check is not None:
            self.check(given, "")
        return {**self._absent, **given}


def _line(message: Message, number: int, make: Callable[[str, str], Template]) -> Line:
    if message.insert:
        return Line("", None, message.insert)
    return Line(message.role, make(message.content, f"message {number} ({message.role})"), "")


def _maker(version: Version) -> Callable[[str, str], Template]:
    if version.syntax == "mustache":
        return lambda source, where: MustacheTemplate(source, where, version.partials, version.pins)
    from stockpot.templates.jinja import JinjaTemplate, Sandbox  # most workers render no Jinja

    sandbox = Sandbox(version.partials, version.pins)
    return lambda source, where: JinjaTemplate(sandbox, source, where)


_programs: OrderedDict[str, Program] = OrderedDict()
_lock = Lock()


def program_of(version: Version) -> Program:
    """Compiled, or as it was compiled before. Raises TemplateFault."""
    name = version.content_hash
    if not name:
        return Program(version)
    found = _programs.get(name)
    if found is None:
        found = Program(version)
        with _lock:
            _programs[name] = found
            if len(_programs) > _KEPT:
                _programs.popitem(last=False)
    return found


def render(version: Version, variables: Mapping[str, object]) -> Rendered:
    """Raises TemplateFault, which names the variable or the line at fault."""
    program = program_of(version)
    values = program.values(variables)
    text = ""
    messages: tuple[JSON, ...] = ()
    if program.text is not None:
        text = program.text(values)
    else:
        messages = _messages(program, values)
    return Rendered(
        version.name, version.number, version.kind, text, messages, version.tools,
        version.response_schema, version.model, version.params, version.content_hash,
    )  # fmt: skip


def _messages(program: Program, values: dict[str, Any]) -> tuple[JSON, ...]:
    inserts = {line.insert for line in program.lines if line.insert}
    placed = _placed(program.formats, values, inserts)
    said: list[JSON] = []
    for line in program.lines:
        if line.template is None:
            said += _history(line.insert, values)
        else:
            text = line.template(placed.values)
            content = _split(text, placed) if placed.parts else text
            said.append({"role": line.role, "content": content})
    return tuple(said)


def _history(name: str, values: Mapping[str, Any]) -> list[JSON]:
    value = values.get(name)
    if value is None:
        if name in values:
            return []
        raise TemplateFault(f"the variable {name!r} (a list of messages) is missing", variable=name)
    if not isinstance(value, list | tuple):
        raise wrong(name, "a list of messages", value)
    for number, item in enumerate(value):
        if not (isinstance(item, dict) and isinstance(item.get("role"), str)):
            raise wrong(f"{name}[{number}]", "a message with a 'role'", item)
    return list(value)


# --- parts --------------------------------------------------------------------------------------


class Placed(NamedTuple):
    """Variables in which marks stand for parts. A mark cannot be guessed, so no text is one."""

    values: Mapping[str, Any]
    parts: dict[str, tuple[str, list[JSON]]]
    mark: str


def _placed(formats: Mapping[str, str], values: dict[str, Any], inserts: set[str]) -> Placed:
    parts: dict[str, tuple[str, list[JSON]]] = {}
    nonce = ""
    for name, value in values.items():
        if name in inserts or value is None:
            continue
        form = formats.get(name, "")
        found = _parts_of(name, form, value) if form or isinstance(value, list | dict) else None
        if found:
            nonce = nonce or os.urandom(8).hex()
            parts[f"\0{nonce}:{len(parts)}\0"] = (name, found)
    marks = {name: mark for mark, (name, _) in parts.items()}
    return Placed({**values, **marks} if marks else values, parts, nonce)


def _parts_of(name: str, form: str, value: Any) -> list[JSON] | None:
    if form == "image" and isinstance(value, str):
        if not value.startswith(("data:image/", "https://", "http://")):
            raise wrong(name, "an image: a data: URL or an http(s) URL", value)
        return [{"type": "image_url", "image_url": {"url": value}}]
    items = value if isinstance(value, list | tuple) else [value]
    if items and all(isinstance(i, dict) and _is_part(i) for i in items):
        return list(items)
    if form in ("image", "audio", "file", "parts"):
        raise wrong(
            name, f"a part ({form}) such as {{'type': 'image_url', 'image_url': ...}}", value
        )
    return None


def _is_part(item: JSON) -> bool:
    kind = item.get("type")
    return kind in _PART_TYPES and kind in item


def _split(text: str, placed: Placed) -> str | list[JSON]:
    pieces = re.split(f"(\0{placed.mark}:[0-9]+\0)", text)
    if len(pieces) == 1:
        _whole(text, placed)
        return text
    content: list[JSON] = []
    for piece in pieces:
        if piece in placed.parts:
            content += placed.parts[piece][1]
        elif piece.strip():
            _whole(piece, placed)
            content.append({"type": "text", "text": piece})
    return content


def _whole(text: str, placed: Placed) -> None:
    if "\0" in text and placed.mark in text.lower():
        names = ", ".join(repr(name) for name, _ in placed.parts.values())
        raise TemplateFault(f"a part ({names}) stands in the text as it is, and is not changed")


# --- looking at a version that is being made ----------------------------------------------------


class Examined(NamedTuple):
    """The variables that a version reads, and the partials that it names."""

    variables: tuple[str, ...]
    partials: tuple[str, ...]


def named_partials(syntax: str, source: str, where: str) -> tuple[str, ...]:
    """The partials that a template names, as it names them."""
    if syntax == "mustache":
        return mustache_included(source, where)
    from stockpot.templates.jinja import included

    return included(source, where)


def sources(version: Version) -> list[tuple[str, str]]:
    """Each template of a version, and where it stands."""
    if version.kind == "text":
        return [(version.body, "the prompt")]
    return [
        (message.content, f"message {number} ({message.role})")
        for number, message in enumerate(version.messages, 1)
        if not message.insert
    ]


def examine(version: Version) -> Examined:
    """What a version reads. Raises TemplateFault for what can be seen to be wrong without any
    variables: its syntax, its schema, a variable that the schema does not have."""
    if version.syntax == "mustache":
        used = mustache_used
    else:
        from stockpot.templates.jinja import used
    names: set[str] = {message.insert for message in version.messages if message.insert}
    partials: set[str] = set()
    for source, where in sources(version):
        names |= used(source, where)
        partials |= set(named_partials(version.syntax, source, where))
    for partial in version.partials.values():
        names |= used(partial.body, f"the partial {partial.name!r}")
    Program(version)
    schema = version.variables_schema
    known = schema.get("properties") if isinstance(schema, dict) else None
    if known is not None and schema.get("additionalProperties") is False:
        for name in sorted(names - set(known)):
            raise TemplateFault(
                f"the template reads {name!r}, which the schema of its variables does not have",
                variable=name,
                hint="declare it under properties, or correct the name",
            )
    return Examined(tuple(sorted(names)), tuple(sorted(partials)))
