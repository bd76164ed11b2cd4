"""Traffic for the console to show: upstreams of a chosen pace, and calls of each kind."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.running import Instance, eventually, free_ports

QUESTIONS = (
    "Summarise the refund policy for an order of forty days ago",
    "Translate to German: your order is on its way",
    "Which of these reviews mention a late delivery?",
    "Describe this dish in one sentence: baked spaghetti",
)


@contextlib.contextmanager
def echo_server(home: Path, name: str, *, ttft_ms: int = 0, tpot_ms: int = 0) -> Iterator[str]:
    """A model server of its own on a free port, beside the instance; gives its base URL."""
    home.mkdir()
    port, _ = free_ports()
    pace = ["--ttft-ms", str(ttft_ms), "--tpot-ms", str(tpot_ms)]
    process = subprocess.Popen(
        [sys.executable, "-m", "stockpot.engines.echo", "--name", name, "--port", str(port), *pace],
        env=os.environ | {"STOCKPOT_HOME": str(home)},
    )
    try:
        url = f"http://127.0.0.1:{port}/v1"
        eventually(lambda: _answers(url))
        yield url
    finally:
        process.terminate()
        process.wait(60)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/models", timeout=2).is_success
    except httpx.TransportError:
        return False


def chat(
    instance: Instance, question: str, model: str = "echo", session: str = "", **more: object
) -> httpx.Response:
    """One chat call with the key of the first screen."""
    named = {"x-stockpot-session": session} if session else {}
    return httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {instance.key}", **named},
        json={"model": model, "messages": [{"role": "user", "content": question}], **more},
        timeout=30,
    )


def send_traffic(instance: Instance) -> None:
    """Forty calls: whole and streamed, priced and free, and four that ask for an unknown model."""
    for number in range(36):
        question = QUESTIONS[number % len(QUESTIONS)]
        model = "gpt-4o-mini" if number % 3 == 0 else "echo"
        answer = chat(instance, question, model, stream=number % 2 == 0, user=f"guest-{number % 5}")
        assert answer.status_code == 200, answer.text
    for _ in range(4):
        assert chat(instance, "Is anybody there?", "no-such-model").status_code == 404
    eventually(lambda: recorded(instance) >= 40)


def recorded(instance: Instance) -> int:
    """How many traces the span log has, up to 100."""
    listed = json.loads(instance.command("traces", "list", "--limit", "100", "--json"))
    return len(listed["items"] if isinstance(listed, dict) else listed)
