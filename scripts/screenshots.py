"""Make the pictures of README and docs: `.venv/bin/python scripts/screenshots.py [--out FOLDER]`.

Starts an instance of its own with demo traffic (see demo_traffic.py), opens its console in
Chromium and writes docs/images/<page>-<theme>.png. Nothing of another instance is touched. It
takes about two minutes. The pictures show what the console draws; the traffic in them is made up.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "scripts")]

from demo_traffic import SYSTEM, TALK, Owner, Served, Shape, Upstream, day, ship, upstream  # noqa: E402

from stockpot.core.instance import Instance  # noqa: E402
from tests.running import Instance as Running  # noqa: E402
from tests.running import running  # noqa: E402

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
MODELS_HOME = ROOT / ".cache/home"
CALLS = 3_600
KEYS = {
    "support-bot": [
        "--project",
        "support",
        "--environment",
        "production",
        "--rpm",
        "600",
        "--budget",
        "0.50",
    ],
    "menu-writer": ["--project", "menu-descriptions", "--environment", "production"],
    "nightly-tags": [
        "--project",
        "menu-descriptions",
        "--environment",
        "staging",
        "--tpm",
        "200000",
    ],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images")
    out: Path = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with demo() as instance:
        _shoot(instance, _SCENES, out)
    with looped() as instance:
        _shoot(instance, _LOOP, out)


def _shoot(instance: Running, scenes: dict[str, Scene], out: Path) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        state = _sign_in(browser, instance)
        for name, (path, prepare, themes) in scenes.items():
            for theme in themes:
                context = browser.new_context(
                    base_url=instance.console,
                    storage_state=state,
                    viewport={"width": 1440, "height": 900},
                    color_scheme=theme,
                    reduced_motion="reduce",
                )
                page = context.new_page()
                page.goto(path)
                page.wait_for_load_state("networkidle")
                prepare(page)
                page.wait_for_timeout(600)
                target = out / f"{name}-{theme}.png"
                page.screenshot(path=target)
                print(target.relative_to(ROOT) if target.is_relative_to(ROOT) else target)
                context.close()
        browser.close()


@contextlib.contextmanager
def looped() -> Iterator[Running]:
    """The demo that ships with the product, after a right-sizing and a candidate that went bad."""
    with tempfile.TemporaryDirectory() as folder:
        models = MODELS_HOME if (MODELS_HOME / "models").is_dir() else None
        with running(Path(folder) / "home", models, words=("--demo",)) as instance:
            candidates = "recorded/chef-small,recorded/chef-tiny"
            instance.command(
                "rightsize", "menu-desk", "--baseline", "menu-writer", "--candidates", candidates,
                "--dataset", "menu-questions", "--suite", "menu-facts", "--margin", "0.1",
            )  # fmt: skip
            instance.command("demo", "traffic", "--calls", "500", "--per-second", "12")
            instance.command("demo", "break")
            instance.command("demo", "traffic", "--calls", "260", "--per-second", "12")
            time.sleep(5)
            yield instance


@contextlib.contextmanager
def demo() -> Iterator[Running]:
    """An instance with three keys, two providers, an alias, and a day of traffic."""
    vendor, lab = upstream(("gpt-4o-mini", "gpt-4o")), upstream(("qwen3-32b",), 0.012)
    with tempfile.TemporaryDirectory() as folder:
        models = MODELS_HOME if (MODELS_HOME / "models").is_dir() else None
        with running(Path(folder) / "home", models) as instance:
            secrets = _set_up(instance, vendor, lab, Path(folder))
            ids = {key["name"]: key["id"] for key in _printed(instance, "keys", "list")}
            ship(Instance(instance.home), day(_shapes(ids), CALLS))
            _call_for_real(instance, secrets)
            time.sleep(3)
            yield instance
    for server in (vendor, lab):
        server.server.shutdown()


def _set_up(instance: Running, vendor: Upstream, lab: Upstream, folder: Path) -> dict[str, str]:
    """Providers, projects, keys and an alias, by the product's own commands; gives the secrets."""
    secret = folder / "secret"
    secret.write_text("sk-demo-0000")
    connect = ("providers", "connect")
    instance.command(*connect, "openai", "--base-url", vendor.url, "--secret-file", str(secret))
    instance.command(*connect, "lab", "--vendor", "vllm", "--base-url", lab.url)
    dead = "http://127.0.0.1:9/v1"
    instance.command(
        *connect, "edge", "--vendor", "vllm", "--base-url", dead, "--model", "qwen3-32b"
    )
    for project in ("support", "menu-descriptions"):
        instance.command("projects", "create", project)
    way = ("--target", "edge/qwen3-32b", "--fallback", "openai/gpt-4o")
    instance.command("aliases", "set", "support-chat", *way)
    return {
        name: _printed(instance, "keys", "create", "--name", name, *options)["key"]
        for name, options in KEYS.items()
    }


def _printed(instance: Running, *words: str) -> Any:
    return json.loads(instance.command(*words, "--json"))


def _shapes(ids: dict[str, str]) -> list[Shape]:
    support = Owner(ids["support-bot"], "support", "production")
    menu = Owner(ids["menu-writer"], "menu-descriptions", "production")
    tags = Owner(ids["nightly-tags"], "menu-descriptions", "staging")
    mini = Served("openai", "gpt-4o-mini", (150, 600), "openai:gpt-4o-mini", 310, 11)
    large = Served("openai", "gpt-4o", (2_500, 10_000), "openai:gpt-4o", 520, 17)
    lab = Served("lab", "qwen3-32b", None, "", 140, 24)
    return [
        Shape(0.40, support, "gpt-4o-mini", mini),
        Shape(0.25, support, "support-chat", large),
        Shape(0.20, menu, "gpt-4o-mini", mini),
        Shape(0.15, tags, "qwen3-32b", lab),
    ]


def _call_for_real(instance: Running, secrets: dict[str, str]) -> None:
    """Calls through the gateway, the last ones by way of a target that is down."""
    questions = list(TALK)
    for number in range(10):
        name = list(secrets)[number % 2]
        model = "support-chat" if number in (4, 8, 9) else "gpt-4o-mini"
        messages = [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": questions[number % len(questions)]},
        ]
        httpx.post(
            f"{instance.gateway}/v1/chat/completions",
            headers={"authorization": f"Bearer {secrets[name]}"},
            json={"model": model, "messages": messages, "stream": True, "max_tokens": 120},
            timeout=60,
        ).raise_for_status()


def _sign_in(browser: Browser, instance: Running) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(_printed(instance, "sign-in")["url"])
    page.wait_for_url("**/overview")
    state = context.storage_state()
    context.close()
    return state


def _first_trace(page: Page) -> None:
    page.keyboard.press("j")
    page.get_by_role("heading", name="assistant").wait_for()


def _play(page: Page) -> None:
    page.get_by_label("System prompt").fill(SYSTEM)
    for question in list(TALK)[4:6]:
        page.get_by_label("Message").fill(question)
        page.keyboard.press("Enter")
        page.get_by_text("cost $").nth(list(TALK).index(question) - 4).wait_for()


def _test_model(page: Page) -> None:
    page.get_by_role("button", name="Test gpt-4o-mini", exact=True).click()
    page.get_by_text("Answered").wait_for()


def _experiment(page: Page) -> None:
    page.get_by_role("link", name="shorter-answers").click()
    page.get_by_role("region", name="Difference over time").get_by_role("img").wait_for()


def _rightsized(page: Page) -> None:
    page.get_by_role("table").get_by_role("link").first.click()
    page.get_by_role("table").last.wait_for()


Scene = tuple[str, Callable[[Page], None], tuple[Literal["light", "dark"], ...]]
_SCENES: dict[str, Scene] = {
    "overview": ("/overview", lambda page: page.mouse.move(500, 250), ("light", "dark")),
    "traces": ("/traces", lambda page: None, ("light",)),
    "trace": ("/traces?requested_model=support-chat", _first_trace, ("light", "dark")),
    "playground": ("/playground?model=gpt-4o&temperature=0.2", _play, ("dark",)),
    "models": ("/models", _test_model, ("light",)),
    "keys": ("/keys", lambda page: None, ("light",)),
    "palette": ("/overview", lambda page: page.keyboard.press("Control+k"), ("dark",)),
}
_LOOP: dict[str, Scene] = {
    "experiment": ("/experiments?project=menu-desk", _experiment, ("light", "dark")),
    "rightsize": ("/rightsize?project=menu-desk", _rightsized, ("light",)),
}
"""Each picture: its address, what to do there before it is taken, and in which themes."""


if __name__ == "__main__":
    main()
