"""Reading and writing the text of a `stockpot.toml`. Knows TOML and lines; knows no definition.

What is wrong is told with the line that it stands on, an unknown key with the nearest one. Written
text keeps the comments, the order and the layout of the text that it replaces, wherever the entry
is still there.
"""

from __future__ import annotations

import re
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from stockpot.core.errors import InvalidInput, did_you_mean
from stockpot.core.faults import in_words

_MOST_TOLD = 20
Loc = Sequence[str | int]


def parsed(text: str) -> dict[str, Any]:
    """The tables of a text. Raises InvalidInput with the line."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        raise InvalidInput(f"this is not TOML: {bad}") from None


class Faults:
    """Says what is wrong with a text, line by line; without a text, by its paths alone."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def explain(self, error: ValidationError, model: type[BaseModel]) -> InvalidInput:
        """What a validation found, in words."""
        found = sorted((self.line_of(e["loc"]) or 0, *_told(e, model)) for e in error.errors())
        lines = [f"line {line}: {told}" if line else told for line, told in found[:_MOST_TOLD]]
        if len(found) > _MOST_TOLD:
            lines.append(f"and {len(found) - _MOST_TOLD} more")
        return InvalidInput("\n".join(lines))

    def unknown(self, loc: Loc, known: Sequence[str]) -> InvalidInput:
        """A key that nobody knows."""
        line = self.line_of(loc)
        return InvalidInput((f"line {line}: " if line else "") + _unknown(loc, known))

    def line_of(self, loc: Loc) -> int | None:
        """The line, from 1, of the key at a path; None when there is no text or no such key."""
        path = [part for part in loc if part != "[key]"]
        while self._text is not None and path:
            line = _line_of(self._text.splitlines(), path)
            if line is not None:
                return line
            path.pop()
        return None


def _told(error: Any, model: type[BaseModel]) -> tuple[str]:
    loc = [part for part in error["loc"] if part != "[key]"]
    if error["type"] == "extra_forbidden":
        return (_unknown(loc, sorted(_known(model, loc[:-1]))),)
    return (f"{_path(loc)}: {in_words(error)}",)


def _unknown(loc: Loc, known: Sequence[str]) -> str:
    where = f" in {_path(loc[:-1])}" if len(loc) > 1 else ""
    return f"unknown key {str(loc[-1])!r}{where}.{did_you_mean(str(loc[-1]), known)}"


def _path(loc: Loc) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return text.removeprefix(".") or "the file"


def _known(kind: Any, loc: Loc) -> set[str]:
    """Names that are allowed at a path of a model."""
    kinds = [kind]
    for part in loc:
        kinds = [inner for k in kinds for option in _options(k) for inner in _inside(option, part)]
    models = [option for k in kinds for option in _options(k) if _is_model(option)]
    return {name for model in models for name in model.model_fields}


def _options(kind: Any) -> Iterator[Any]:
    if get_origin(kind) in (Union, types.UnionType):
        for option in get_args(kind):
            yield from _options(option)
    elif hasattr(kind, "__metadata__"):
        yield from _options(kind.__origin__)
    else:
        yield kind


def _inside(kind: Any, part: str | int) -> Iterator[Any]:
    if _is_model(kind):
        if part in kind.model_fields:
            yield kind.model_fields[part].annotation
    elif get_origin(kind) in (dict, tuple, list):
        yield get_args(kind)[1 if get_origin(kind) is dict else 0]


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _line_of(lines: list[str], path: Sequence[str | int]) -> int | None:
    """By reading ever longer beginnings of the text: once one that can be read holds the path, all
    longer ones do, so the first is found by halving. A statement of several lines can be read at
    its end only; inside it the key is looked for by its name."""
    if not _holds(lines, len(lines), path)[1]:
        return None
    low, high = 0, len(lines)  # `low` does not hold the path, `high` does
    while low < high:
        middle = (low + high) // 2
        end, there = _holds(lines, middle, path)
        if there:
            high = middle
        else:
            low = max(end, middle + 1)
    end = _holds(lines, low, path)[0]
    begin = end - 1
    while begin > 0 and _read(lines[:begin]) is None:
        begin -= 1
    name = next((str(part) for part in reversed(path) if isinstance(part, str)), "")
    key = re.compile(rf"(?<![\w-])[\"']?{re.escape(name)}[\"']?\s*[=.\]]")
    return next((n + 1 for n in range(begin, end) if key.search(lines[n])), begin + 1)


def _holds(lines: list[str], count: int, path: Sequence[str | int]) -> tuple[int, bool]:
    """The first beginning of at least `count` lines that can be read, and whether it has a path."""
    while (found := _read(lines[:count])) is None and count < len(lines):
        count += 1
    inside: Any = found
    for part in path:
        if isinstance(inside, Mapping) and part in inside:
            inside = inside[str(part)]
        elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
            inside = inside[part]
        else:
            return count, False
    return count, True


def _read(lines: list[str]) -> dict[str, Any] | None:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return None


def written(tables: Mapping[str, Any], over: str = "", *, base: int | None = None) -> str:
    """The text of some tables. `over` is the text that it replaces: its comments stay, and so do
    the tables that are not named here."""
    import tomlkit

    if base is not None and "base" not in parsed(over):
        over = f"base = {base}\n\n{over}"  # behind a table it would belong to that
    document = tomlkit.parse(over)
    if base is not None:
        document["base"] = base
    for section, entries in tables.items():
        if section not in document and entries:
            document.add(section, tomlkit.table(is_super_table=True))
        if section in document:
            _laid(document, section, entries)
    return tomlkit.dumps(document).strip("\n") + "\n"


def _laid(document: Any, section: str, entries: Mapping[str, Any]) -> None:
    table = document[section]
    for name in [name for name in table if name not in entries]:
        table.remove(name)
    for name, fields in entries.items():
        if name in table and isinstance(table[name], Mapping):
            _fill(table[name], fields)
        else:
            table[name] = _table(fields)


def _fill(table: Any, fields: Mapping[str, Any]) -> None:
    for field in [field for field in table if field not in fields]:
        table.remove(field)
    for field, value in fields.items():
        if field not in table or _plain(table[field]) != value:
            table[field] = _value(value)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _table(fields: Mapping[str, Any]) -> Any:
    import tomlkit

    table = tomlkit.table()
    for field, value in fields.items():
        table.add(field, _value(value))
    table.add(tomlkit.nl())
    return table


def _value(value: Any) -> Any:
    """Small tables on one line, a list of tables with one on each."""
    import tomlkit

    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for name, inner in value.items():
            inline.append(name, _value(inner))
        return inline
    if isinstance(value, list | tuple):
        array = tomlkit.array()
        for inner in value:
            array.append(_value(inner))
        if value and isinstance(value[0], Mapping):
            array.multiline(True)
        return array
    return value
