"""Checking values against a JSON Schema. Knows the schema's words and how to say what is wrong.

A schema becomes plain functions once; a check of a few values takes about a microsecond. The words
are those that prompts and answers need, with their meaning in draft 2020-12; a word that is not
known is refused when a schema is compiled, because a check that is skipped in silence is worse than
none. Formats are notes for people and are not checked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from re import _parser  # type: ignore[attr-defined]
from typing import Any

from stockpot.core.errors import InvalidInput, did_you_mean

JSON = dict[str, Any]
Check = Callable[[Any, str], None]
"""Raises SchemaFault for a value at a path."""


class SchemaFault(InvalidInput):
    """What is wrong with a value, or with the schema itself (`of_schema`).

    `path` leads to the value (`dishes[0].price`, empty for the whole); `says` goes on after its
    name: `must be a text, not the number 7`. `unknown` says that there may be nothing of that name.
    """

    def __init__(
        self, says: str, *, path: str = "", of_schema: bool = False, unknown: bool = False,
        hint: str = "",
    ) -> None:  # fmt: skip
        whole = says if of_schema else f"{path!r} {says}" if path else f"the whole {says}"
        super().__init__(whole, hint=hint)
        self.says, self.path, self.of_schema, self.unknown = says, path, of_schema, unknown


_NOTES = frozenset((
    "title", "description", "default", "examples", "$schema", "$id", "$comment", "$defs",
    "definitions", "deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding",
))  # fmt: skip

_NUMBER, _ARRAY = (int, float), (list, tuple)
_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda v: type(v) is str,
    "number": lambda v: isinstance(v, _NUMBER) and type(v) is not bool,
    "integer": lambda v: (type(v) is int) or (type(v) is float and v.is_integer()),
    "boolean": lambda v: type(v) is bool,
    "null": lambda v: v is None,
    "array": lambda v: isinstance(v, _ARRAY),
    "object": lambda v: isinstance(v, dict),
}
_LONGEST_SHOWN = 60


def shown(value: Any) -> str:
    """What came, in words."""
    names = {str: "the text", bool: "the truth value", int: "the number", float: "the number"}
    if value is None:
        return "null"
    if isinstance(value, dict):
        return f"an object with {', '.join(map(repr, list(value)[:5]))}" if value else "an object"
    if isinstance(value, _ARRAY):
        return f"a list of {len(value)}"
    text = repr(value)
    cut = text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
    return f"{names.get(type(value), type(value).__name__)} {cut}"


def _ill(says: str, hint: str = "") -> SchemaFault:
    return SchemaFault(says, of_schema=True, hint=hint)


def wrong(path: str, wanted: str, value: Any) -> SchemaFault:
    return SchemaFault(f"must be {wanted}, not {shown(value)}", path=path)


def compile_schema(schema: Any, name: str = "schema") -> Check:
    """A function that checks; `name` is how messages about the schema call its root. Raises
    SchemaFault where the schema itself is at fault."""
    return _Compiler(schema).check(schema, name)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


class _Compiler:
    """One schema with its definitions; references are compiled once, so they may be circular."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._known: dict[str, Check] = {}

    def check(self, schema: Any, at: str) -> Check:
        if schema is True or schema == {}:
            return _anything
        if schema is False:
            return _nothing
        if not isinstance(schema, dict):
            raise SchemaFault(
                f"the schema at {at!r} is no object but {shown(schema)}", of_schema=True
            )
        checks = [self._word(word, value, schema, at) for word, value in schema.items()]
        real = [check for check in checks if check is not _anything]
        if len(real) == 1:
            return real[0]

        def every(value: Any, path: str) -> None:
            for check in real:
                check(value, path)

        return every if real else _anything

    def _word(self, word: str, told: Any, schema: JSON, at: str) -> Check:
        if word in _NOTES:
            return _anything
        make = _WORDS.get(word)
        if make is None:
            raise SchemaFault(
                f"the schema at {at!r} has the word {word!r}, which is not checked here."
                f"{did_you_mean(word, _WORDS)}",
                of_schema=True,
                hint=f"words: {', '.join(sorted(_WORDS))}",
            )
        try:
            return make(self, told, schema, at)
        except (TypeError, AttributeError, ValueError, re.error) as bad:
            raise SchemaFault(
                f"the schema at {at!r} has a wrong {word!r}: {bad}", of_schema=True
            ) from None

    def reference(self, told: Any, _: JSON, at: str) -> Check:
        if told not in self._known:
            self._known[told] = _anything  # stands in while the definition itself is compiled
            found = self._at(told, at)
            self._known[told] = self.check(found, told)
        known = self._known
        return lambda value, path: known[told](value, path)

    def _at(self, pointer: str, at: str) -> Any:
        if not pointer.startswith("#"):
            raise SchemaFault(
                f"the schema at {at!r} refers to {pointer!r}, which is elsewhere", of_schema=True
            )
        found = self._root
        for step in pointer[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise SchemaFault(
                    f"the schema at {at!r} refers to {pointer!r}, which is missing", of_schema=True
                )
            found = found[name]
        return found


def _anything(value: Any, path: str) -> None:
    return None


def _nothing(value: Any, path: str) -> None:
    raise wrong(path, "absent", value)


def same(one: Any, other: Any) -> bool:
    """JSON's equality: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(v, other[k]) for k, v in one.items())
    if isinstance(one, _ARRAY) and isinstance(other, _ARRAY):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


# --- words: each makes a check of what the schema tells -----------------------------------------


def _type(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    names = (told,) if isinstance(told, str) else tuple(told)
    if unknown := [name for name in names if name not in _TYPES]:
        near = did_you_mean(str(unknown[0]), _TYPES)
        raise _ill(f"the schema at {at!r} has no type {unknown[0]!r}.{near}")
    tests = [_TYPES[name] for name in names]
    wanted = " or ".join(_a(name) for name in names)
    if len(tests) == 1:
        (test,) = tests

        def one(value: Any, path: str) -> None:
            if not test(value):
                raise wrong(path, wanted, value)

        return one

    def several(value: Any, path: str) -> None:
        if not any(test(value) for test in tests):
            raise wrong(path, wanted, value)

    return several


def _a(name: str) -> str:
    return {"null": "null", "array": "a list", "string": "a text", "boolean": "true or false",
            "integer": "a whole number", "object": "an object"}.get(name, f"a {name}")  # fmt: skip


def _enum(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    allowed = list(told)
    wanted = f"one of {', '.join(map(repr, allowed[:20]))}"

    def check(value: Any, path: str) -> None:
        if not any(same(value, item) for item in allowed):
            raise wrong(path, wanted, value)

    return check


def _const(c: _Compiler, told: Any, schema: JSON, at: str) -> Check:
    return _enum(c, [told], schema, at)


def _limit(says: str, holds: Callable[[Any, Any], bool], of: Callable[[Any], bool]) -> Any:
    def make(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
        holds(0, told), of(told)  # a bound of the wrong type shows here

        def check(value: Any, path: str) -> None:
            if of(value) and not holds(value, told):
                raise wrong(path, says.format(told), value)

        return check

    return make


def _multiple(value: Any, told: Any) -> bool:
    if isinstance(value, int) and isinstance(told, int):
        return value % told == 0
    return bool((value / told) == int(value / told))


def _unique(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    def check(value: Any, path: str) -> None:
        if not isinstance(value, _ARRAY):
            return
        if any(same(v, other) for n, v in enumerate(value) for other in value[:n]):
            raise wrong(path, "a list without repeated items", value)

    return check if told else _anything


def _pattern(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    if _explodes(_parser.parse(told)):
        raise SchemaFault(
            f"the schema at {at!r}: the pattern {told!r} repeats what repeats or has alternatives; "
            "such a search can take for ever",
            of_schema=True,
        )
    search = re.compile(told).search

    def check(value: Any, path: str) -> None:
        if type(value) is str and not search(value):
            raise wrong(path, f"a text that matches {told!r}", value)

    return check


def _explodes(parsed: Any, inside: bool = False) -> bool:
    """Whether an unbounded repetition holds another one, or alternatives."""
    for op, told in parsed:
        name = str(op)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            many = told[1] is _parser.MAXREPEAT or told[1] > 100
            if (inside and told[1] != 1) or _explodes(told[2], inside or many):
                return True
        elif name == "BRANCH":
            if inside or any(_explodes(branch, inside) for branch in told[1]):
                return True
        elif _within(name, told, inside):
            return True
    return False


def _within(name: str, told: Any, inside: bool) -> bool:
    group = name in ("SUBPATTERN", "ASSERT", "ASSERT_NOT")
    return name == "GROUPREF" or (group and _explodes(told[-1], inside))


def _items(c: _Compiler, told: Any, schema: JSON, at: str) -> Check:
    inner, first = c.check(told, f"{at}[]"), len(schema.get("prefixItems", ()))

    def check(value: Any, path: str) -> None:
        if isinstance(value, _ARRAY):
            for number in range(first, len(value)):
                inner(value[number], f"{path}[{number}]")

    return check


def _prefix_items(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = [c.check(item, f"{at}[{number}]") for number, item in enumerate(told)]

    def check(value: Any, path: str) -> None:
        if isinstance(value, _ARRAY):
            for number, (one, item) in enumerate(zip(inner, value, strict=False)):
                one(item, f"{path}[{number}]")

    return check


def _properties(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = [(name, c.check(schema, f"{at}.{name}")) for name, schema in told.items()]
    real = [(name, check) for name, check in inner if check is not _anything]

    def check(value: Any, path: str) -> None:
        if isinstance(value, dict):
            for name, one in real:
                if name in value:
                    one(value[name], _join(path, name))

    return check if real else _anything


def _required(c: _Compiler, told: Any, schema: JSON, at: str) -> Check:
    names = list(told)
    known: Mapping[str, Any] = schema.get("properties", {})

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            return
        for name in names:
            if name not in value:
                missing = _join(path, name)
                kind = known.get(name)
                wanted = kind.get("type") if isinstance(kind, dict) else None
                of = f"({_a(wanted)}) " if isinstance(wanted, str) else ""
                raise SchemaFault(f"{of}is missing", path=missing)

    return check


def _additional(c: _Compiler, told: Any, schema: JSON, at: str) -> Check:
    known = frozenset(schema.get("properties", ()))
    inner = c.check(told, f"{at}.*")

    def check(value: Any, path: str) -> None:
        if not isinstance(value, dict):
            return
        for name in value:
            if name in known:
                continue
            if told is False:
                near = did_you_mean(name, known) or f" There are {', '.join(sorted(known))}."
                raise SchemaFault(f"is not known.{near}", path=_join(path, name), unknown=True)
            inner(value[name], _join(path, name))

    return check


def _any_of(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = [c.check(schema, f"{at}|{number}") for number, schema in enumerate(told)]

    def check(value: Any, path: str) -> None:
        faults = _faults(inner, value, path)
        if len(faults) == len(inner):
            raise _none_of(faults, path)

    return check


def _one_of(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = [c.check(schema, f"{at}|{number}") for number, schema in enumerate(told)]

    def check(value: Any, path: str) -> None:
        faults = _faults(inner, value, path)
        if len(faults) == len(inner):
            raise _none_of(faults, path)
        if len(faults) < len(inner) - 1:
            raise wrong(path, "of exactly one of its alternatives", value)

    return check


def _none_of(faults: list[SchemaFault], path: str) -> SchemaFault:
    if all(fault.path == path for fault in faults):
        return SchemaFault(" or ".join(dict.fromkeys(f.says for f in faults)), path=path)
    told = " or ".join(dict.fromkeys(fault.message for fault in faults))
    return SchemaFault(f"fits none of its alternatives: {told}", path=path)


def _faults(inner: list[Check], value: Any, path: str) -> list[SchemaFault]:
    found = []
    for check in inner:
        try:
            check(value, path)
        except SchemaFault as fault:
            found.append(fault)
    return found


def _all_of(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = [c.check(schema, f"{at}&{number}") for number, schema in enumerate(told)]

    def check(value: Any, path: str) -> None:
        for one in inner:
            one(value, path)

    return check


def _not(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    inner = c.check(told, f"{at}!")

    def check(value: Any, path: str) -> None:
        if not _faults([inner], value, path):
            raise wrong(path, "something else", value)

    return check


def _format(c: _Compiler, told: Any, _: JSON, at: str) -> Check:
    """A note for people, or for whoever places the value."""
    return _anything


def _text(value: Any) -> bool:
    return type(value) is str


_is_number = _TYPES["number"]
_is_array = _TYPES["array"]
_is_object = _TYPES["object"]
_WORDS: dict[str, Callable[[_Compiler, Any, JSON, str], Check]] = {
    "type": _type,
    "enum": _enum,
    "const": _const,
    "minimum": _limit("at least {}", lambda v, told: v >= told, _is_number),
    "maximum": _limit("at most {}", lambda v, told: v <= told, _is_number),
    "exclusiveMinimum": _limit("more than {}", lambda v, told: v > told, _is_number),
    "exclusiveMaximum": _limit("less than {}", lambda v, told: v < told, _is_number),
    "multipleOf": _limit("a multiple of {}", _multiple, _is_number),
    "minLength": _limit("of {} characters or more", lambda v, t: _size(v) >= t, _text),
    "maxLength": _limit("of {} characters or fewer", lambda v, t: _size(v) <= t, _text),
    "minItems": _limit("a list of {} or more", lambda v, t: _size(v) >= t, _is_array),
    "maxItems": _limit("a list of {} or fewer", lambda v, t: _size(v) <= t, _is_array),
    "minProperties": _limit("an object of {} or more", lambda v, t: _size(v) >= t, _is_object),
    "maxProperties": _limit("an object of {} or fewer", lambda v, t: _size(v) <= t, _is_object),
    "uniqueItems": _unique,
    "pattern": _pattern,
    "items": _items,
    "prefixItems": _prefix_items,
    "properties": _properties,
    "required": _required,
    "additionalProperties": _additional,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "not": _not,
    "$ref": lambda c, told, schema, at: c.reference(told, schema, at),
    "format": _format,
}


def _size(value: Any) -> int:
    return len(value) if hasattr(value, "__len__") else 0
