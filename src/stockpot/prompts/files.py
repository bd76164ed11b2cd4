"""A prompt as a file: front matter in YAML, then its template; a chat has a section per message.

    ---
    kind: chat
    model: gpt-4o
    ---
    === system ===
    You write menus.
    === messages: history ===
    === user ===
    {{ dish }}

Reading and writing are each other's inverse, byte for byte. A line of a template that looks like a
section is written with a backslash before it. Knows text; knows no folder and no API.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from stockpot.core.errors import InvalidInput, StockpotError, did_you_mean
from stockpot.core.faults import in_words
from stockpot.prompts.composing import refs_of
from stockpot.prompts.models import PromptContent, PromptMessage
from stockpot.templates import TemplateFault, compile_schema, named_partials

ENDING = ".prompt.md"
_FENCE = "---\n"
_SECTION = re.compile(r"=== (?:(system|developer|user|assistant)|messages: (\S+)) ===")
_LOOKS_SO = re.compile(r"\\*=== .* ===")
_FIELDS = {
    "kind": "kind", "syntax": "syntax", "model": "model", "params": "params",
    "variables": "variables_schema", "tools": "tools", "response_schema": "response_schema",
}  # fmt: skip
_ABOUT = ("description", "tags", "owner")


class FileFault(InvalidInput):
    """What is wrong with a file, and in which line."""

    code = "invalid_prompt_file"

    def __init__(self, path: str, line: int, message: str, *, hint: str = "") -> None:
        super().__init__(f"{path}:{line}: {message}", hint=hint)
        self.path = path
        self.line = line


class PromptFile(NamedTuple):
    """What a file says. `lines` tell in which line each template begins, for errors."""

    content: PromptContent
    description: str = ""
    tags: tuple[str, ...] = ()
    owner: str = ""
    lines: tuple[int, ...] = ()


def write(file: PromptFile) -> str:
    """The text of a file."""
    told = file.content.model_dump(mode="json", exclude_defaults=True)
    told["kind"] = file.content.kind
    head: dict[str, Any] = {}
    for name in _ABOUT:
        if value := getattr(file, name):
            head[name] = list(value) if isinstance(value, tuple) else value
    head |= {name: told[field] for name, field in _FIELDS.items() if field in told}
    front = yaml.dump(
        head, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100,
        default_flow_style=False,
    )  # fmt: skip
    return f"{_FENCE}{front}{_FENCE}{_body(file.content)}"


def _body(content: PromptContent) -> str:
    if content.kind == "text":
        return f"{content.body}\n"
    pieces = []
    for message in content.messages:
        if message.insert:
            pieces.append(f"=== messages: {message.insert} ===\n")
        else:
            pieces.append(f"=== {message.role} ===\n{_escaped(message.content)}\n")
    return "".join(pieces)


def _escaped(text: str) -> str:
    lines = text.split("\n")
    return "\n".join(f"\\{line}" if _LOOKS_SO.fullmatch(line) else line for line in lines)


class _Dumper(yaml.SafeDumper):  # type: ignore[misc]
    """Texts of several lines stand as blocks, which people can read and compare."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]")
_NO_BLOCK = re.compile(r"[^\S\n]\n|\n\s|^\s|\t")


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.Node:
    style = None
    if _ODD.search(text):
        style = '"'  # YAML would take some of them for the end of a line
    elif "\n" in text and not _NO_BLOCK.search(text):
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def parse(text: str, path: str = "the file") -> PromptFile:
    """Raises FileFault with the line."""
    text = text.replace("\r\n", "\n")
    if not text.startswith(_FENCE):
        raise FileFault(path, 1, "the first line must be '---'", hint="front matter, then '---'")
    end = text.find(f"\n{_FENCE}", len(_FENCE) - 1)
    if end < 0:
        raise FileFault(path, 1, "the front matter is not closed by a line '---'")
    front, body = text[len(_FENCE) : end + 1], text[end + 1 + len(_FENCE) :]
    head, lines = _front(front, path)
    first = text.count("\n", 0, end + 1) + 2
    about = {name: head.pop(name) for name in _ABOUT if name in head}
    fields = {_FIELDS[name]: value for name, value in head.items()}
    kind = fields.get("kind", "chat" if _SECTION.match(body) else "text")
    if kind == "chat":
        messages, starts = _messages(body, first, path)
        fields |= {"kind": "chat", "messages": messages}
    else:
        fields |= {"kind": kind, "body": body.removesuffix("\n")}
        starts = (first,)
    return _made(fields, about, starts, lines, path)


def check(file: PromptFile, path: str) -> tuple[str, ...]:
    """The partials that a file names. Raises FileFault for what is wrong with a template or with
    the schema, and in which line of the file."""
    content = file.content
    sources = [content.body] if content.kind == "text" else [m.content for m in content.messages]
    for source, first in zip(sources, file.lines or [1] * len(sources), strict=True):
        try:
            named_partials(content.syntax, source, "the template")
        except TemplateFault as fault:
            line = first + fault.line - 1 if fault.line else first
            raise FileFault(path, line, fault.message) from None
    try:
        compile_schema(content.variables_schema)
        return refs_of(content)
    except StockpotError as fault:
        raise FileFault(path, 1, fault.message, hint=fault.hint) from None


def _made(
    fields: dict[str, Any],
    about: dict[str, Any],
    starts: tuple[int, ...],
    lines: dict[str, int],
    path: str,
) -> PromptFile:
    try:
        content = PromptContent(**fields)
    except ValidationError as bad:
        fault = bad.errors()[0]
        field = str(fault["loc"][0]) if fault["loc"] else ""
        shown = next((name for name, own in _FIELDS.items() if own == field), field)
        raise FileFault(path, lines.get(shown, 1), f"{shown or 'it'}: {in_words(fault)}") from None
    for name, value in about.items():
        good = _is_texts(value) if name == "tags" else isinstance(value, str)
        if not good:
            wanted = "a list of texts" if name == "tags" else "a text"
            raise FileFault(path, lines.get(name, 1), f"{name} must be {wanted}")
    tags = tuple(about.get("tags", ()))
    return PromptFile(content, about.get("description", ""), tags, about.get("owner", ""), starts)


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _front(front: str, path: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The front matter, and the line of each of its names."""
    try:
        node = yaml.compose(front, Loader=yaml.SafeLoader)
        head = yaml.safe_load(front)
    except yaml.MarkedYAMLError as bad:
        mark = bad.problem_mark
        raise FileFault(path, (mark.line if mark else 0) + 2, str(bad.problem)) from None
    except (yaml.YAMLError, ValueError) as bad:
        raise FileFault(path, 2, str(bad)) from None
    if head is None:
        return {}, {}
    if not isinstance(head, dict):
        raise FileFault(path, 2, "the front matter is no list of names and values")
    lines = {str(key.value): key.start_mark.line + 2 for key, _ in node.value}
    known = (*_FIELDS, *_ABOUT)
    for name in head:
        if name not in known:
            near = did_you_mean(str(name), known)
            raise FileFault(path, lines.get(str(name), 2), f"there is no field {name!r}.{near}",
                            hint=f"fields: {', '.join(known)}")  # fmt: skip
        try:
            json.dumps(head[name], allow_nan=False)
        except (TypeError, ValueError):
            told = f"{name} holds what JSON cannot (a date?); put it in quotes"
            raise FileFault(path, lines.get(name, 2), told) from None
    return head, lines


def _messages(body: str, first: int, path: str) -> tuple[list[PromptMessage], tuple[int, ...]]:
    """The sections of a chat, and the line in which each template begins."""
    found: list[tuple[PromptMessage, int]] = []
    held: list[str] = []
    opened: tuple[str, str, int] | None = None

    def close() -> None:
        if opened is not None:
            role, insert, at = opened
            if insert and any(line.strip() for line in held):
                raise FileFault(path, at + 1, f"nothing stands below '=== messages: {insert} ==='")
            told = {"insert": insert} if insert else {"role": role, "content": "\n".join(held)}
            found.append((PromptMessage.model_validate(told), at + 1))

    for number, line in enumerate(body.removesuffix("\n").split("\n"), first):
        section = _SECTION.fullmatch(line)
        if section is not None:
            close()
            opened, held = (section[1] or "", section[2] or "", number), []
        elif opened is None:
            if line.strip():
                raise FileFault(
                    path, number, "a chat begins with a section such as '=== system ==='"
                )
        else:
            held.append(_unescaped(line, path, number))
    close()
    return [message for message, _ in found], tuple(at for _, at in found)


def _unescaped(line: str, path: str, number: int) -> str:
    if not _LOOKS_SO.fullmatch(line):
        return line
    if not line.startswith("\\"):
        raise FileFault(
            path,
            number,
            f"{line!r} is no section",
            hint="system, developer, user, assistant, 'messages: NAME'; a text has \\ before it",
        )
    return line[1:]
