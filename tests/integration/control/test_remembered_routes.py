"""What tests keep of the analysis of routes is what an analysis afresh would say."""

# No `from __future__ import annotations`: FastAPI reads these signatures, which name locals.

from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query
from pydantic import BaseModel

from stockpot.app import openapi_document
from stockpot.core import config
from tests import remembered_routes

pytestmark = pytest.mark.integration

DIFFERENCES = (
    {"most": 5},
    {"default": 2},
    {"type_": float},
    {"answer": dict[str, str]},
    {"alias": "n"},
)


def test_the_api_is_the_same_remembered_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    remembered = [openapi_document(config.load({})) for _ in range(2)]
    monkeypatch.setattr(remembered_routes, "_declare_alike", lambda a, b: False)
    assert [openapi_document(config.load({}))] * 2 == remembered


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda one: str(*one))
def test_who_declares_another_thing_is_read_afresh(difference: dict[str, Any]) -> None:
    first, again, other = (described(**what) for what in ({}, {}, difference))
    assert first == again
    assert other != first


async def test_each_application_asks_its_own_dependency_and_endpoint() -> None:
    for name in ("one", "two", "three"):
        transport = httpx.ASGITransport(greeting(name))
        async with httpx.AsyncClient(transport=transport, base_url="http://plane") as client:
            assert (await client.get("/")).json() == [name, name]


def greeting(name: str) -> FastAPI:
    app = FastAPI()

    def asked() -> str:
        return name

    @app.get("/")
    async def root(told: Annotated[str, Depends(asked)]) -> list[str]:
        return [told, name]

    return app


class Answer(BaseModel):
    text: str


def described(
    *, most: int = 9, default: int = 1, type_: Any = int, answer: Any = Answer, alias: str = "many"
) -> dict[str, Any]:
    app, routes = FastAPI(), APIRouter()

    @routes.get("/things")
    async def things(
        many: Annotated[type_, Query(le=most, alias=alias)] = default,
    ) -> answer:
        raise NotImplementedError

    app.include_router(routes)
    return app.openapi()
