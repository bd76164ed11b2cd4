"""FastAPI's analysis of a route, done once for each place in the sources and kept for the process.

Every control plane that a test starts declares the same 270 routes anew, and reading their
signatures took two thirds of its start. What was read of a function is used again for the next
function of the same code, path and declarations; whoever differs in one of them is read afresh.
Processes that tests start know nothing of this.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin

import fastapi.dependencies.utils as analysis
from fastapi import params, routing
from fastapi.dependencies.models import Dependant
from fastapi.utils import create_model_field
from pydantic.fields import FieldInfo

_LISTS = ("path_params", "query_params", "header_params", "cookie_params", "body_params")
_read = analysis.get_dependant
_field = create_model_field
_returned = analysis.get_typed_return_annotation


def remember() -> None:
    """Use what was read before, from now on and everywhere in this process."""
    dependants = _Dependants()
    for module, name, better in (
        (analysis, "get_dependant", dependants),
        (routing, "get_dependant", dependants),
        (routing, "create_model_field", _Fields()),
        (routing, "get_typed_return_annotation", _Returns()),
    ):
        setattr(module, name, better)


class _Dependants:
    """Stands in for `get_dependant`."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Callable[..., Any], Dependant]] = {}

    def __call__(self, *, path: str, call: Callable[..., Any], **more: Any) -> Dependant:
        if not hasattr(call, "__code__") or hasattr(call, "__wrapped__"):
            return _read(path=path, call=call, **more)
        # A scope is a list; it is part of the key as it prints.
        key = (call.__code__, path, repr(sorted(more.items())))
        kept = self._kept.get(key)
        if kept is None or not _declare_alike(kept[0], call):
            kept = self._kept[key] = (call, _read(path=path, call=call, **more))
        lists: dict[str, Any] = {
            name: [*getattr(kept[1], name)] for name in (*_LISTS, "dependencies")
        }
        return dataclasses.replace(kept[1], call=call, **lists)


class _Fields:
    """Stands in for `create_model_field` where routes describe their answers."""

    def __init__(self) -> None:
        self._kept: dict[Any, Any] = {}

    def __call__(self, name: str, type_: Any, mode: Any = "validation") -> Any:
        key = (name, mode, type_)
        try:
            return self._kept[key]
        except KeyError:
            return self._kept.setdefault(key, _field(name=name, type_=type_, mode=mode))
        except TypeError:  # a type that has no hash
            return _field(name=name, type_=type_, mode=mode)


class _Returns:
    """Stands in for `get_typed_return_annotation`."""

    def __init__(self) -> None:
        self._kept: dict[Any, tuple[Callable[..., Any], Any]] = {}

    def __call__(self, call: Callable[..., Any]) -> Any:
        code = getattr(call, "__code__", None)
        kept = self._kept.get(code)
        if code is None or kept is None or not _declare_alike(kept[0], call):
            kept = self._kept[code] = (call, _returned(call))
        return kept[1]


def _declare_alike(a: Any, b: Any) -> bool:
    """Whether two functions of one code have the same annotations and defaults."""
    ours, theirs = a.__annotations__, b.__annotations__
    return (
        a.__globals__ is b.__globals__
        and (a.__defaults__, a.__kwdefaults__) == (b.__defaults__, b.__kwdefaults__)
        and ours.keys() == theirs.keys()
        and all(_alike(ours[name], theirs[name]) for name in ours)
    )


def _alike(a: Any, b: Any) -> bool:
    """Whether two annotations say the same."""
    if a is b:
        return True
    if get_origin(a) is Annotated and get_origin(b) is Annotated:
        mine, others = get_args(a), get_args(b)
        return len(mine) == len(others) and all(map(_alike, mine, others))
    if type(a) is not type(b):
        return False
    if isinstance(a, params.Depends):
        return (a.dependency, a.use_cache, a.scope) == (b.dependency, b.use_cache, b.scope)
    if isinstance(a, FieldInfo):
        return _said(a) == _said(b)
    return bool(a == b)


def _said(info: FieldInfo) -> str:
    """Everything that a declaration like `Query(le=500)` says."""
    return repr((info._attributes_set, info.metadata, getattr(info, "__dict__", {})))
