"""Telling in the API's description who may call each route. Knows declarations; knows no role.

Each operation gets `x-stockpot-access`: `{"public": true}`, or the lowest `role` with where it has
to hold (`of`: `instance` or `project`) and whether a record's `owner` is let in with less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from stockpot.access.guard import declaration_of, public


def describe_access(app: FastAPI) -> None:
    """Let the application's description tell what its routes declare."""
    describe = app.openapi

    def described() -> dict[str, Any]:
        document = describe()
        for route in every_route(app.routes):
            operations = document["paths"].get(route.path_format, {})
            for method in route.methods or ():
                if method.lower() in operations:
                    told = _told(route.dependant)
                    operations[method.lower()]["x-stockpot-access"] = told
        return document

    app.openapi = described  # type: ignore[method-assign]


def every_route(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Every route of an application, however its routers are nested."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from every_route(included.routes)


def _told(dependant: Dependant) -> dict[str, object]:
    for inner in _inside(dependant):
        if inner.call is public:
            return {"public": True}
        if (asked := declaration_of(inner.call)) is not None:
            return asked._asdict()
    return {}


def _inside(dependant: Dependant) -> Iterator[Dependant]:
    for inner in dependant.dependencies:
        yield inner
        yield from _inside(inner)
