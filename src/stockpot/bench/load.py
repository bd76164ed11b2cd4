"""Loads on loopback: one caller for latency, many for throughput. Knows HTTP/1.1, no product.

The single caller is a blocking socket, the quietest clock there is in Python. The many are wrk
where it is installed, else threads of blocking sockets in a process of their own.
"""

from __future__ import annotations

import json
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from stockpot.bench.processes import pinned


class Throughput(NamedTuple):
    """`requests` completed in `seconds`; `errors` are failures and answers other than 2xx."""

    requests: int
    seconds: float
    errors: int
    tool: str


class Caller:
    """One keep-alive connection that sends the same request again and again."""

    def __init__(self, port: int, request: bytes) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._request = request

    def whole(self) -> float:
        """Milliseconds from sending to the last byte of an answer with a content-length."""
        begun = time.perf_counter_ns()
        self._socket.sendall(self._request)
        got = self._socket.recv(262144)
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, _, body = got.partition(b"\r\n\r\n")
        missing = _length(head) - len(body)
        while missing > 0:
            missing -= len(self._more())
        taken = (time.perf_counter_ns() - begun) / 1e6
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the answer was {head[:200]!r} {body[:300]!r}")
        return taken

    def first_event(self) -> float:
        """Milliseconds from sending to the first event of a stream; reads the stream to its end."""
        begun = time.perf_counter_ns()
        self._socket.sendall(self._request)
        got = b""
        while b"data: " not in got:
            got += self._more()
        taken = (time.perf_counter_ns() - begun) / 1e6
        if not got.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the answer was {got[:300]!r}")
        while not got.endswith(b"0\r\n\r\n"):
            got = got[-8:] + self._more()
        return taken

    def _more(self) -> bytes:
        data = self._socket.recv(262144)
        if not data:
            raise ConnectionError("the connection was closed in the middle of an answer")
        return data

    def close(self) -> None:
        self._socket.close()


def _length(head: bytes) -> int:
    found = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
    return int(found[1]) if found else 0


def quantile(values: list[float], share: float) -> float:
    """Nearest rank."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(share * len(ranked)))]


def medians_of(rounds: list[float]) -> float:
    return statistics.median(rounds)


def throughput(
    port: int,
    request: bytes,
    connections: int,
    seconds: float,
    folder: Path,
    core: int,
    *,
    lua: str = "",
) -> Throughput:
    """A closed loop of `connections` callers for about `seconds`. `lua` is added to wrk's script,
    to send other requests than the same one; without wrk it cannot be had."""
    if shutil.which("wrk"):
        return _wrk(port, request, connections, seconds, folder, core, lua)
    if lua:
        raise RuntimeError("wrk is not installed, and requests that differ need it")
    argv = [sys.executable, "-m", "stockpot.bench.load", str(port), str(connections), str(seconds)]
    done = subprocess.run(pinned(argv, core), input=request, capture_output=True, check=True)
    facts = json.loads(done.stdout)
    return Throughput(facts["requests"], facts["seconds"], facts["errors"], "python threads")


def _wrk(
    port: int,
    request: bytes,
    connections: int,
    seconds: float,
    folder: Path,
    core: int,
    lua: str,
) -> Throughput:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")[1:]
    pairs = [line.split(": ", 1) for line in lines if not line.lower().startswith("content-length")]
    script = folder / "load.lua"
    (folder / "load.body").write_bytes(body)
    headers = "\n".join(f"wrk.headers[{json.dumps(k)}] = {json.dumps(v)}" for k, v in pairs)
    script.write_text(
        f'local f = io.open("{folder / "load.body"}", "rb")\n'
        f'wrk.method = "POST"\nwrk.body = f:read("*all")\n{headers}\n{lua}\n'
        "function done(s) io.write(string.format('FACTS %d %d %d\\n', s.requests, s.duration, "
        "s.errors.connect + s.errors.read + s.errors.write + s.errors.status + s.errors.timeout))"
        " end\n"
    )
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "20s"]
    argv += ["-s", str(script), f"http://127.0.0.1:{port}/v1/chat/completions"]
    done = subprocess.run(pinned(argv, core), capture_output=True, text=True, check=True)
    found = re.search(r"FACTS (\d+) (\d+) (\d+)", done.stdout)
    if found is None:
        raise RuntimeError(f"wrk said nothing useful: {done.stdout[-500:]}")
    return Throughput(int(found[1]), int(found[2]) / 1e6, int(found[3]), "wrk")


def _threads(port: int, request: bytes, connections: int, seconds: float) -> dict[str, float]:
    counts, errors = [0] * connections, [0] * connections
    until = time.monotonic() + seconds

    def loop(index: int) -> None:
        caller = Caller(port, request)
        while time.monotonic() < until:
            try:
                caller.whole()
                counts[index] += 1
            except (RuntimeError, OSError):
                errors[index] += 1
                caller.close()
                caller = Caller(port, request)
        caller.close()

    begun = time.monotonic()
    threads = [threading.Thread(target=loop, args=(i,)) for i in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "requests": sum(counts),
        "seconds": time.monotonic() - begun,
        "errors": sum(errors),
    }


if __name__ == "__main__":
    port, connections, seconds = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    print(json.dumps(_threads(port, sys.stdin.buffer.read(), connections, seconds)))
