"""A real instance with real traffic, and a real Chromium in front of its console."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_asyncio
from playwright.async_api import (
    Browser,
    BrowserContext,
    Page,
    StorageState,
    async_playwright,
    expect,
)

from tests.e2e.console.traffic import echo_server, send_traffic
from tests.running import Instance, running

CHROMIUM = "/usr/bin/chromium"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
EXPECTED = (
    "the server responded with a status of 4",
    "net::ERR_INTERNET_DISCONNECTED",
    "The control plane does not answer.",
)
"""What Chromium and React write to the console when a test provokes a refusal or cuts the line."""

PATIENCE_MS = 45_000
"""What a page may take on a slow and busy machine; a test waits no longer than it must."""

expect.set_options(timeout=PATIENCE_MS)

Open = Callable[..., Awaitable[Page]]
Theme = Literal["light", "dark"]


@pytest.fixture(scope="session")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance with the echo model, a priced and a slow vendor, and calls of every kind."""
    folder = tmp_path_factory.mktemp("console")
    with (
        echo_server(folder / "priced", "gpt-4o-mini") as priced,
        echo_server(folder / "slow", "slow", ttft_ms=100, tpot_ms=60) as slow,
        running(folder / "home", environ={"STOCKPOT_ENGINES": "none"}) as started,
    ):
        secret = folder / "secret"
        secret.write_text("sk-vendor-secret-1234")
        started.command(
            "providers", "connect", "openai", "--base-url", priced, "--secret-file", str(secret)
        )
        started.command("providers", "connect", "lab", "--vendor", "vllm", "--base-url", slow)
        send_traffic(started)
        yield started


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """An instance that nobody has called yet; for tests that change who may sign in, too."""
    home = tmp_path_factory.mktemp("fresh")
    with running(home, environ={"STOCKPOT_ENGINES": "none"}) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()


async def link_of(instance: Instance) -> str:
    """A new one-time sign-in link."""
    told = await asyncio.to_thread(instance.command, "sign-in", "--json")
    return str(json.loads(told)["url"])


async def sign_in(chromium: Browser, instance: Instance) -> StorageState:
    context = await chromium.new_context()
    page = await context.new_page()
    await page.goto(await link_of(instance))
    await page.wait_for_url("**/overview")
    state = await context.storage_state()
    await context.close()
    return state


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def signed_in(chromium: Browser, instance: Instance) -> StorageState:
    return await sign_in(chromium, instance)


class Watched:
    """Browser contexts whose every fault is remembered: errors, and calls to other hosts."""

    def __init__(self, chromium: Browser) -> None:
        self._chromium = chromium
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    async def page(
        self,
        instance: Instance,
        state: StorageState | None,
        *,
        width: int = 1440,
        theme: Theme = "light",
    ) -> Page:
        context = await self._chromium.new_context(
            base_url=instance.console,
            storage_state=state,
            viewport={"width": width, "height": 900},
            color_scheme=theme,
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"uncaught: {error}"))
        page.on("console", self._heard)
        page.on("request", lambda request: self._asked(request.url, instance))
        return page

    def _heard(self, message: Any) -> None:
        if message.type == "error" and not any(known in message.text for known in EXPECTED):
            self.faults.append(f"console: {message.text}")

    def _asked(self, url: str, instance: Instance) -> None:
        if not url.startswith((instance.console, "data:", "blob:")):
            self.faults.append(f"asked another host: {url}")

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def watched(chromium: Browser) -> AsyncIterator[Watched]:
    """Fails the test whose pages had a fault that nobody would have looked for."""
    watching = Watched(chromium)
    yield watching
    await watching.close()
    assert watching.faults == []


@pytest.fixture
def open_page(watched: Watched, instance: Instance, signed_in: StorageState) -> Open:
    """Opens a path of the console as the signed-in admin."""

    async def opened(path: str, *, width: int = 1440, theme: Theme = "light") -> Page:
        page = await watched.page(instance, signed_in, width=width, theme=theme)
        await page.goto(path)
        return page

    return opened


@pytest.fixture(scope="session")
def axe() -> str:
    """The source of axe-core, a checker of accessibility rules."""
    root = Path(__file__).parents[3]
    return (root / "web/node_modules/axe-core/axe.min.js").read_text("utf-8")
