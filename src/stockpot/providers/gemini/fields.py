"""One object of a request, read field by field. Knows JSON's types; knows no field's meaning.

Google's JSON takes each field in camelCase and in snake_case; what nobody takes is `left`.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

from stockpot.providers.base import BadRequest

_HUMP = re.compile(r"(?<!^)(?=[A-Z])")


@lru_cache(512)
def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def camel(name: str) -> str:
    """The spelling that Google's reference has."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


class Fields:
    """`where` is the object's place in the body, for errors; '' is the body itself."""

    __slots__ = ("left", "where")

    def __init__(self, value: Any, where: str = "") -> None:
        if not isinstance(value, dict):
            raise BadRequest(f"{where or 'the body'} must be a JSON object", where)
        self.left: dict[str, Any] = dict(value)
        self.where = where

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def take(self, name: str) -> Any:
        """A field of any type, None when it is not there."""
        left = self.left
        if name in left:
            return left.pop(name)
        return left.pop(_snake(name), None)

    def _typed(self, name: str, kind: type | tuple[type, ...], called: str) -> Any:
        value = self.take(name)
        if value is None or (isinstance(value, kind) and (kind is bool or value is not True)):
            return value
        raise BadRequest(f"{self.at(name)} must be {called}", self.at(name))

    def text(self, name: str) -> str:
        """A string; '' when it is not there."""
        return self._typed(name, str, "a string") or ""

    def flag(self, name: str) -> bool | None:
        value: bool | None = self._typed(name, bool, "true or false")
        return value

    def number(self, name: str) -> float | None:
        value: float | None = self._typed(name, (int, float), "a number")
        return value

    def whole(self, name: str) -> int | None:
        """An integer; Google's JSON allows it as a string too."""
        value = self.take(name)
        if isinstance(value, str) and value.lstrip("-").isdigit():
            return int(value)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise BadRequest(f"{self.at(name)} must be an integer", self.at(name))

    def items(self, name: str) -> list[Any]:
        """A list; empty when it is not there."""
        return self._typed(name, list, "a list") or []

    def objects(self, name: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(v, f"{self.at(name)}[{i}]") for i, v in enumerate(self.items(name))]

    def object(self, name: str) -> Fields | None:
        value = self.take(name)
        return None if value is None else Fields(value, self.at(name))
