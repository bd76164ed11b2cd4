"""A whole control plane in this process, over real files, for tests that speak HTTP to it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi import FastAPI

from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.config import Settings
from stockpot.core.instance import Instance
from tests.postgres import migrated_database
from tests.stores import migrated_file

ADDRESS = "http://127.0.0.1:4001"


class Plane:
    """The application, and clients that are somebody."""

    def __init__(self, app: FastAPI, settings: Settings, instance: Instance) -> None:
        self.app = app
        self.settings = settings
        self.instance = instance
        self._stack = contextlib.AsyncExitStack()

    async def client(self, token: str = "", *, caller: str = "127.0.0.1") -> httpx.AsyncClient:
        """A client that shows a token, or nothing."""
        transport = httpx.ASGITransport(self.app, client=(caller, 50000))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        client = httpx.AsyncClient(transport=transport, base_url=ADDRESS, headers=headers)
        return await self._stack.enter_async_context(client)

    async def admin(self) -> httpx.AsyncClient:
        """The command line."""
        return await self.client(self.instance.derive("cli"))

    async def worker(self) -> httpx.AsyncClient:
        """A process of the instance."""
        return await self.client(self.instance.internal_token)

    async def signed_in(self) -> httpx.AsyncClient:
        """A browser with a session, which sends the CSRF value as the console does."""
        link = (await (await self.admin()).post("/api/v1/session/links")).json()["url"]
        browser = await self.client()
        answer = await browser.post("/api/v1/session", json={"token": link.partition("=")[2]})
        browser.headers["x-stockpot-csrf"] = answer.json()["csrf"]
        return browser

    async def kept(self) -> bytes:
        """All that the store has at rest, as bytes to search for what must not be there."""
        if not self.settings.database_url:
            files = self.settings.home.glob("control.db*")
            return b"\n".join(file.read_bytes() for file in files)

        def dump(c: sa.Connection) -> str:
            tables = sa.inspect(c).get_table_names()
            rows = (c.exec_driver_sql(f"SELECT t::text FROM {table} t") for table in tables)
            return "\n".join(text for found in rows for (text,) in found)

        return str(await self.app.state.control.db.read(dump)).encode()

    async def close(self) -> None:
        await self._stack.aclose()


@contextlib.asynccontextmanager
async def running(home: Path, **changes: Any) -> AsyncIterator[Plane]:
    """A control plane from its start to its end. It finds nothing of this machine by itself."""
    settings = config.load({"STOCKPOT_HOME": str(home)})
    settings = settings.replaced(**{"discover": False, "workers": 2, **changes})
    instance = Instance(settings.home)
    if not settings.database_url and not instance.control_db.exists():
        instance.home.mkdir(parents=True, exist_ok=True)
        migrated_file(instance.home)
    app = control_app(settings, instance, watch=True)
    plane = Plane(app, settings, instance)
    async with app.router.lifespan_context(app):
        yield plane
        await plane.close()


@pytest.fixture(params=["sqlite", "postgres"])
async def plane(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Plane]:
    """A fresh instance, on each kind of store."""
    url = migrated_database() if request.param == "postgres" else ""
    async with running(tmp_path / "home", database_url=url) as fresh:
        yield fresh
