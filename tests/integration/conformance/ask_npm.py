"""Asking with the stock npm packages `openai` and `@anthropic-ai/sdk`.

The requests are those of the Python SDKs, and so is the reading of what the packages understood.
"""

from __future__ import annotations

import json
import subprocess
from typing import Any

from anthropic.types import Message
from openai.types.chat import ChatCompletion

from tests.integration.conformance import ask_anthropic, ask_openai
from tests.integration.conformance.judge import Ask
from tests.integration.conformance.talk import Asked, Failed, Got, Mode
from tests.npm.packages import NPM, installed

PACKAGES = {"openai": "openai", "anthropic": "@anthropic-ai/sdk"}


def version(client: str) -> str:
    """Of the installed package."""
    manifest = NPM / "node_modules" / PACKAGES[client] / "package.json"
    found: str = json.loads(manifest.read_text())["version"]
    return found


class Node:
    """A running Node that has both packages; one request at a time."""

    def __init__(self) -> None:
        installed()
        self.child = subprocess.Popen(
            ["node", "ask.mjs"], cwd=NPM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def stop(self) -> None:
        self.child.communicate(timeout=60)

    def ask(self, client: str) -> Ask:
        """Asks with one of the packages."""
        return _openai(self) if client == "openai" else _anthropic(self)

    def said(self, sdk: str, url: str, key: str, request: dict[str, Any], mode: Mode) -> Any:
        """The answer and its headers; raises Failed."""
        job = {"sdk": sdk, "url": url, "key": key, "request": request, "stream": mode == "stream"}
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(json.dumps(job) + "\n")
        self.child.stdin.flush()
        line = self.child.stdout.readline()
        assert line, "node ended"
        said = json.loads(line)
        if "failed" in said:
            raise Failed(said["failed"]["status"], said["failed"]["message"])
        return said


def _openai(node: Node) -> Ask:
    async def ask(
        url: str, key: str, model: str, asked: Asked, mode: Mode, before: Got | None = None
    ) -> Got:
        request = ask_openai.request_of(model, asked, before)
        if mode == "stream":
            request["stream_options"] = {"include_usage": True}
        said = node.said("openai", url, key, request, mode)
        return ask_openai.got_of(ChatCompletion.model_validate(said["answer"]), said["headers"])

    return ask


def _anthropic(node: Node) -> Ask:
    async def ask(
        url: str, key: str, model: str, asked: Asked, mode: Mode, before: Got | None = None
    ) -> Got:
        request = ask_anthropic.request_of(model, asked, before)
        said = node.said("anthropic", url, key, request, mode)
        return ask_anthropic.got_of(Message.model_validate(said["answer"]), said["headers"])

    return ask
