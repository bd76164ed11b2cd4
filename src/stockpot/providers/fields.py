"""One JSON object of a client's request, taken apart field by field. Knows no format.

What is wrong is a BadRequest that names the field by its path. What was not taken is left over, so
that a reader can say which fields it did not understand.
"""

from __future__ import annotations

import re
from typing import Any

from stockpot.providers.base import BadRequest

_NUMBERED = re.compile(r"\[\d+\]")
_KINDS = {
    dict: "an object", list: "an array", str: "a string", bool: "true or false",
    int: "a number", float: "a number", type(None): "null",
}  # fmt: skip


def wrong(at: str, wanted: str, value: object) -> BadRequest:
    """The complaint that a field has the wrong type."""
    return BadRequest(f"{at!r} must be {wanted}, not {_KINDS[type(value)]}", at)


class Fields:
    """An object whose fields are taken once; null counts as not said. The object is used up."""

    __slots__ = ("at", "left")

    def __init__(self, value: object, at: str = "") -> None:
        if type(value) is not dict:
            raise wrong(at or "body", "an object", value)
        self.left: dict[str, Any] = value
        self.at = at

    def path(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def take(self, name: str) -> Any:
        return self.left.pop(name, None)

    def text(self, name: str) -> str:
        """'' when it is not said."""
        value = self.left.pop(name, None)
        if type(value) is str:
            return value
        if value is None:
            return ""
        raise wrong(self.path(name), "a string", value)

    def needed(self, name: str) -> str:
        value = self.left.pop(name, None)
        if type(value) is str:
            return value
        if value is None:
            raise BadRequest(f"{self.path(name)!r} is missing", self.path(name))
        raise wrong(self.path(name), "a string", value)

    def number(self, name: str) -> float | None:
        value = self.left.pop(name, None)
        if value is None or type(value) is float or type(value) is int:
            return value
        raise wrong(self.path(name), "a number", value)

    def whole(self, name: str) -> int | None:
        value = self.left.pop(name, None)
        if value is None or type(value) is int:
            return value
        if type(value) is float and value.is_integer():
            return int(value)
        raise wrong(self.path(name), "a whole number", value)

    def flag(self, name: str) -> bool | None:
        value = self.left.pop(name, None)
        if value is None or type(value) is bool:
            return value
        raise wrong(self.path(name), "true or false", value)

    def inner(self, name: str) -> Fields | None:
        """An object, to be taken apart in its turn."""
        value = self.left.pop(name, None)
        return None if value is None else Fields(value, self.path(name))

    def whatever(self, name: str) -> dict[str, Any] | None:
        """An object that is kept as it is."""
        value = self.left.pop(name, None)
        if value is None or type(value) is dict:
            return value
        raise wrong(self.path(name), "an object", value)

    def items(self, name: str) -> list[Any]:
        """An array, [] when it is not said."""
        value = self.left.pop(name, None)
        if type(value) is list:
            return value
        if value is None:
            return []
        raise wrong(self.path(name), "an array", value)

    def strings(self, name: str) -> tuple[str, ...]:
        """An array of strings, or one string alone."""
        value = self.left.pop(name, None)
        if value is None:
            return ()
        if type(value) is str:
            return (value,)
        if type(value) is not list:
            raise wrong(self.path(name), "an array of strings", value)
        for number, each in enumerate(value):
            if type(each) is not str:
                raise wrong(f"{self.path(name)}[{number}]", "a string", each)
        return tuple(value)

    def leave(self, extra: dict[str, Any]) -> None:
        """Put what was not taken and says something into `extra`, by its path without numbers."""
        if self.left:
            for name, value in self.left.items():
                if value is not None and value != {} and value != []:
                    extra.setdefault(_NUMBERED.sub("[]", self.path(name)), value)
