"""Records out of values that are checked already: of this product's own store, and of scorers.

Knows how pydantic lays a frozen record out; `model_construct` does the same and takes five times as
long, which is most of what a row costs where nobody has to be asked.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=BaseModel)
_put = object.__setattr__


class _Layout(NamedTuple):
    """Every field in its order with its default (None where it has none), and what makes those that
    each record has for itself."""

    plain: Mapping[str, Any]
    made: Mapping[str, Callable[[], Any]]


@functools.cache
def _layout(kind: type[BaseModel]) -> _Layout:
    fields = kind.model_fields.items()
    plain = {name: None if field.is_required() else field.default for name, field in fields}
    made: dict[str, Any] = {n: f.default_factory for n, f in fields if f.default_factory}
    return _Layout(plain, made)


def trusted(kind: type[M], values: Mapping[str, Any]) -> M:
    """A record of these values, unchecked. Names are fields; records inside are records already."""
    plain, made = _layout(kind)
    found = {**plain, **values}
    for name, make in made.items():
        if name not in values:
            found[name] = make()
    record = kind.__new__(kind)
    _put(record, "__dict__", found)
    _put(record, "__pydantic_fields_set__", set(values))
    _put(record, "__pydantic_extra__", None)
    _put(record, "__pydantic_private__", None)
    return record
