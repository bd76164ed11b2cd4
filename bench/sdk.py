"""What the SDK costs an application: a prompt out of the cache, an observed call.

    .venv/bin/python bench/sdk.py [--rounds N]

A server of the standard library answers once with a prompt and takes spans; it runs in a process of
its own, so that it takes no time from the figures. Prints the best and the median of several rounds
in microseconds of wall-clock time a call. `--rounds` of 20,000 calls each.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import statistics
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from stockpot.sdk import Observer, Options, Prompts

CALLS = 20_000
MUST_US, AIM_US = 10.0, 2.0
PROMPT = {
    "project": "default", "name": "menu-description", "number": 3, "kind": "chat",
    "label": "production", "content_hash": "0" * 64,
    "messages": [
        {"role": "system", "content": "You write menus. {{ tone }}"},
        {"role": "user", "content": "Describe {{ dish }} in {{ words }} words."},
    ],
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    """One prompt, held for as long as anybody waits; spans are taken and forgotten."""

    def do_GET(self) -> None:
        if self.headers.get("if-none-match"):
            time.sleep(20)
        self._answer(json.dumps(PROMPT).encode(), '"3"')

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"{}", "")

    def _answer(self, body: bytes, tag: str) -> None:
        self.send_response(200)
        self.send_header("etag", tag)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return None


def serve(port: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_address[1])
    server.serve_forever()


def measure(what: str, call: Callable[[], Any], rounds: int, calls: int = CALLS) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - begun) / calls * 1e6)
    print(f"{what:40} {min(times):8.2f} µs best {statistics.median(times):8.2f} µs median")
    return min(times)


def main(rounds: int) -> None:
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve, args=(theirs,), daemon=True
    )
    process.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    prompts = Prompts(url, "sk")
    prompt = prompts.get("menu-description")
    hit = measure("prompt, cache hit", lambda: prompts.get("menu-description"), rounds)
    variables = {"tone": "Be brief.", "dish": "ramen", "words": 20}
    measure("prompt, rendered", lambda: prompt.render(variables), rounds, CALLS // 10)
    observe = Observer(Options(url=url, key="sk", buffer_items=1_000_000))
    measure("observed call, input and output kept", observe(same), rounds, CALLS // 10)
    quiet = Observer(Options(url=url, key="", enabled=False))
    measure("observed call, switched off", quiet(same), rounds)
    observe.flush(30)
    assert observe.counts()["dropped"] == 0
    prompts.close()
    process.terminate()
    met = "the aim" if hit <= AIM_US else "the bar" if hit <= MUST_US else "neither bar nor aim"
    print(f"a cache hit meets {met} (bar {MUST_US:.0f} µs, aim {AIM_US:.0f} µs)")
    raise SystemExit(hit > MUST_US)


def same(dish: str = "ramen") -> str:
    return dish


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
