"""Prompts in an application: fresh, kept, and there when nobody else is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stockpot.sdk import Observer, Options, Prompts, PromptUnavailable
from stockpot.templates import TemplateFault
from tests.unit.sdk.conftest import Collector, until


class Library:
    """What a server says of one prompt; it holds requests until its label moves."""

    def __init__(self, server: Collector) -> None:
        self.number = 1
        self.asked: list[dict[str, str]] = []
        self.moved = threading.Condition()
        self.there = True
        server.respond = self

    def move(self, number: int) -> None:
        with self.moved:
            self.number = number
            self.moved.notify_all()

    def __call__(self, path: str, heads: dict[str, str]) -> tuple[int, dict[str, Any] | None, str]:
        parts = urlsplit(path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append({"path": parts.path, **query, "tag": heads.get("if-none-match", "")})
        if not self.there:
            return 503, None, ""
        if not parts.path.endswith("/menu/resolved"):
            return 404, {"error": {"message": "no such prompt"}}, ""
        with self.moved:
            if query.get("wait_s"):
                self.moved.wait_for(
                    lambda: heads.get("if-none-match") != f'"{self.number}"' or not self.there, 2
                )
            number = int(query.get("version", self.number))
            if heads.get("if-none-match") == f'"{number}"':
                return 304, None, f'"{number}"'
        body = {
            "project": "default", "name": "menu", "number": number, "kind": "chat",
            "label": query.get("label", ""), "content_hash": f"hash-{number}",
            "syntax": "jinja", "model": "echo", "params": {"temperature": 0},
            "messages": [{"role": "user", "content": f"v{number}: " + "{{ dish }}"}],
        }  # fmt: skip
        return 200, body, f'"{number}"'


@pytest.fixture
def library(server: Collector) -> Library:
    return Library(server)


def test_a_prompt_is_asked_for_once_and_rendered_here(server: Collector, library: Library) -> None:
    prompts = Prompts(server.url, "sk", project="bistro")
    prompt = prompts.get("menu")
    assert (prompt.name, prompt.number, prompt.label, prompt.source) == (
        "menu", 1, "production", "server",
    )  # fmt: skip
    assert prompt.request(dish="ramen") == {
        "model": "echo",
        "temperature": 0,
        "messages": [{"role": "user", "content": "v1: ramen"}],
    }
    assert all(prompts.get("menu") is prompt for _ in range(100))
    with Observer(Options(url=server.url))("cook") as span:
        assert span.set(prompt=prompt).headers()["x-stockpot-prompt-used"] == (
            "menu@1;label=production"
        )
    first = library.asked[0]
    assert (first["path"], first["label"], first["project"]) == (
        "/api/v1/prompts/menu/resolved", "production", "bistro",
    )  # fmt: skip
    assert len([one for one in library.asked if not one["tag"]]) == 1
    prompts.close()


def test_a_moved_label_is_seen_without_asking(server: Collector, library: Library) -> None:
    prompts = Prompts(server.url, "sk")
    assert prompts.get("menu").number == 1
    until(lambda: any(one["tag"] == '"1"' for one in library.asked))
    moved = time.monotonic()
    library.move(2)
    until(lambda: prompts.get("menu").number == 2)
    assert time.monotonic() - moved < 10
    assert prompts.get("menu", version=1).number == 1
    prompts.close()


def test_what_is_known_serves_while_the_server_is_away(
    server: Collector, library: Library, tmp_path: Path
) -> None:
    prompts = Prompts(server.url, "sk", folder=tmp_path)
    prompts.get("menu")
    with library.moved:
        library.there = False
        library.moved.notify_all()
    assert prompts.get("menu").render(dish="tea").messages[0]["content"] == "v1: tea"
    prompts.close()
    restarted = Prompts(server.url, "sk", folder=tmp_path)
    kept = restarted.get("menu")
    assert (kept.number, kept.source) == (1, "disk")
    library.there, library.number = True, 3
    until(lambda: restarted.get("menu").number == 3)
    assert restarted.get("menu").source == "server"
    restarted.close()


def test_the_fallback_serves_until_the_server_knows_better(
    server: Collector, library: Library
) -> None:
    library.there = False
    prompts = Prompts(server.url, "sk")
    with pytest.raises(PromptUnavailable, match=r"'menu'.*503"):
        prompts.get("menu")
    fallback = [{"role": "system", "content": "Be brief about {{ dish }}."}]
    prompt = prompts.get("menu", fallback=fallback)
    assert (prompt.number, prompt.source) == (0, "fallback")
    assert prompt.render(dish="soup").messages[0]["content"] == "Be brief about soup."
    library.there = True
    until(lambda: prompts.get("menu", fallback=fallback).source == "server")
    prompts.close()


def test_a_prompt_that_nobody_knows_is_said_to_be_unknown(
    server: Collector, library: Library
) -> None:
    prompts = Prompts(server.url, "sk")
    with pytest.raises(PromptUnavailable, match=r"no prompt 'other'.*404"):
        prompts.get("other")
    text = prompts.get("other", fallback="Name a {{ dish }}.")
    assert text.render({"dish": "pie"}).text == "Name a pie."
    with pytest.raises(TemplateFault):
        prompts.get("bad", fallback="{{ broken").render()
    prompts.close()


async def test_asyncio_waits_in_a_thread_and_threads_ask_once(
    server: Collector, library: Library
) -> None:
    import asyncio

    prompts = Prompts(server.url, "sk")
    found = await asyncio.gather(*(prompts.aget("menu") for _ in range(5)))
    assert {prompt.number for prompt in found} == {1}
    assert len([one for one in library.asked if not one["tag"]]) == 1
    prompts.close()


def test_a_child_process_watches_for_itself(server: Collector, library: Library) -> None:
    code = """
import os, time
from stockpot.sdk import Prompts
prompts = Prompts()
assert prompts.get("menu").number == 1
pid = os.fork()
if pid == 0:
    assert prompts.get("menu").number == 1
    print("ready", flush=True)
    until = time.monotonic() + 60
    while prompts.get("menu").number != 2 and time.monotonic() < until:
        time.sleep(0.01)
    os._exit(prompts.get("menu").number)
raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
    environ = {**os.environ, "STOCKPOT_URL": server.url, "STOCKPOT_KEY": "sk"}
    argv = [sys.executable, "-W", "ignore", "-c", code]
    with subprocess.Popen(argv, env=environ, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        library.move(2)
        assert child.wait(60) == 2
