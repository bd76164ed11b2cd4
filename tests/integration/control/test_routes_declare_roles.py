"""Every route says who may call it, and what it says is enforced."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from stockpot.access import declared, public, requires
from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.instance import Instance
from tests.integration.control.plane import Plane

pytestmark = pytest.mark.integration

PUBLIC = {
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/sign-in"),
    ("GET", "/api/v1/sign-in/{name}"),
    ("GET", "/api/v1/sign-in/{name}/callback"),
    ("OPTIONS", "/api/v1/feedback"),  # what a browser asks before it sends
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/api/v1/openapi.json"),
    ("GET", "/{path:path}"),
}


def flat(routes: Iterable[object]) -> Iterator[APIRoute]:
    """Every route of an application, however its routers are nested."""
    for route in routes:
        if isinstance(route, APIRoute):
            yield route
            continue
        included = getattr(route, "original_router", None)
        if included is None:
            raise AssertionError(f"{route!r} is a route that declares nothing")
        yield from flat(included.routes)


def declarations(dependant: Dependant) -> Iterator[str]:
    for inner in dependant.dependencies:
        if (told := declared(inner.call)) is not None:
            yield told
        yield from declarations(inner)


def undeclared(app: FastAPI) -> set[str]:
    return {
        f"{sorted(route.methods)} {route.path}"
        for route in flat(app.routes)
        if not set(declarations(route.dependant))
    }


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    return control_app(settings, Instance(tmp_path))


def test_every_route_declares_who_may_call_it(app: FastAPI) -> None:
    assert len(list(flat(app.routes))) > 40
    assert undeclared(app) == set()


def test_only_these_routes_are_public(app: FastAPI) -> None:
    found = {
        (method, route.path)
        for route in flat(app.routes)
        if "public" in set(declarations(route.dependant))
        for method in route.methods - {"HEAD"}
    }
    assert found == PUBLIC


def test_a_route_without_a_declaration_is_seen(app: FastAPI) -> None:
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> None: ...

    @router.get("/remembered", dependencies=[Depends(requires("viewer"))])
    async def remembered() -> None: ...

    @router.get("/open", dependencies=[Depends(public)])
    async def everyone() -> None: ...

    app.include_router(router)
    assert undeclared(app) == {"['GET'] /forgotten"}


async def test_nobody_gets_in_without_a_credential(plane: Plane) -> None:
    nobody = await plane.client()
    for route in flat(plane.app.routes):
        for method in route.methods:
            if (method, route.path) in PUBLIC or method == "HEAD":
                continue
            path = route.path.replace("{name:path}", "x").replace("{", "").replace("}", "")
            answer = await nobody.request(method, path, json={})
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.json()["error"]["code"] == "not_signed_in"
