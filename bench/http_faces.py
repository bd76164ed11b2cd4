"""CPU time of the two HTTP faces alone: an echo server, and a relay to a mock upstream.

    .venv/bin/python bench/http_faces.py [--seconds 5] [--connections 64] [--rounds 3] [--asyncio]

Prints, for the server by itself (`echo`) and for server and upstream client together (`relay`, and
`relay-sdk` with the headers of a stock SDK), the CPU time of the process per request. The body has
2 KB, the answer 1 KB. The load comes from wrk where it is installed, else from a client of our own;
the upstream is the compiled mock of `stockpot bench` where there is a C compiler, else an echo
server in Python. Wall-clock rates depend on what else runs on the machine; CPU time hardly does.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from stockpot.gateway.http.messages import Exchange, Headers, Request
from stockpot.gateway.http.server import HttpServer
from stockpot.gateway.http.upstream import Origin, UpstreamClient
from stockpot.gateway.models import Timeouts

MOCK = Path(__file__).resolve().parents[1] / "src/stockpot/bench/loopback.c"
BODY = b'{"model":"m","messages":[{"role":"user","content":"' + b"x" * 1990 + b'"}]}'
ANSWER = b'{"choices":[{"message":{"content":"' + b"y" * 940 + b'"}}],"usage":{}}'
JSON: Headers = [(b"content-type", b"application/json")]
PLAIN = {"Content-Type": "application/json", "Authorization": "Bearer sk-bench-" + "a" * 32}
SDK = {
    **PLAIN,
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": "OpenAI/Python 1.99.0",
    "X-Stainless-Lang": "python",
    "X-Stainless-Package-Version": "1.99.0",
    "X-Stainless-OS": "Linux",
    "X-Stainless-Arch": "x64",
    "X-Stainless-Runtime": "CPython",
    "X-Stainless-Runtime-Version": "3.11.2",
    "X-Stainless-Retry-Count": "0",
}
TIMEOUTS = Timeouts()


class Echo:
    """Answers at once."""

    def handle(self, request: Request, exchange: Exchange) -> None:
        exchange.respond(200, JSON, ANSWER)


class Relay:
    """Passes a request on, and its answer back."""

    def __init__(self, port: int) -> None:
        self.client = UpstreamClient(proxy="", max_idle_per_origin=1024)
        self.origin = Origin("http", "127.0.0.1", port)
        self.head = (
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: %b\r\ncontent-type: application/json\r\n"
            b"authorization: Bearer upstream\r\ncontent-length: %%d\r\n\r\n"
        ) % self.origin.host_header

    def handle(self, request: Request, exchange: Exchange) -> Passing:
        return Passing(self, request, exchange)


class Passing:
    """One request on its way through."""

    __slots__ = ("call", "exchange", "headers", "parts", "status")

    def __init__(self, relay: Relay, request: Request, exchange: Exchange) -> None:
        self.exchange = exchange
        self.parts: list[bytes] = []
        head = relay.head % len(request.body)
        self.call = relay.client.send(relay.origin, head, request.body, self, TIMEOUTS)

    def on_connected(self, reused: bool) -> None: ...

    def on_head(self, status: int, headers: Headers) -> None:
        self.status, self.headers = status, headers

    def on_body(self, data: bytes) -> None:
        self.parts.append(data)

    def on_end(self) -> None:
        self.exchange.respond(self.status, self.headers, b"".join(self.parts))

    def on_failure(self, kind: str, message: str) -> None:
        self.exchange.respond(502, JSON, f"{kind}: {message}".encode())

    def client_gone(self) -> None:
        self.call.cancel()

    def client_blocked(self) -> None:
        self.call.pause()

    def client_writable(self) -> None:
        self.call.resume()


async def serve(upstream: int) -> None:
    """A server process; prints its port."""
    server = HttpServer(Relay(upstream) if upstream else Echo())
    print(await server.listen("127.0.0.1", 0), flush=True)
    await asyncio.Event().wait()


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / float(os.sysconf("SC_CLK_TCK"))
    except FileNotFoundError:
        text = subprocess.check_output(["ps", "-o", "cputime=", "-p", str(pid)], text=True)
        parts = [float(part) for part in text.strip().split(":")]
        return sum(part * 60**index for index, part in enumerate(reversed(parts)))


def load(port: int, headers: dict[str, str], args: argparse.Namespace, folder: Path) -> int:
    """Requests answered within the time."""
    if shutil.which("wrk") is None:
        return asyncio.run(own_load(port, headers, args))
    lines = [f'wrk.headers["{name}"] = "{value}"' for name, value in headers.items()]
    script = folder / "load.lua"
    script.write_text(f"wrk.method = 'POST'\nwrk.body = [[{BODY.decode()}]]\n" + "\n".join(lines))
    seconds, connections = str(args.seconds), str(args.connections)
    url = f"http://127.0.0.1:{port}/v1/chat/completions"
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}", "-s", str(script), url]
    said = subprocess.check_output(argv, text=True)
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(said)
    found = re.search(r"(\d+) requests in", said)
    assert found is not None, said
    return int(found[1])


async def own_load(port: int, headers: dict[str, str], args: argparse.Namespace) -> int:
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n{fields}Content-Length: {len(BODY)}"
    request = head.encode() + b"\r\n\r\n" + BODY
    until = time.monotonic() + args.seconds

    async def client() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        count = 0
        while time.monotonic() < until:
            writer.write(request)
            answer = await reader.readuntil(b"\r\n\r\n")
            found = re.search(rb"content-length: (\d+)", answer.lower())
            assert found is not None
            assert answer.startswith(b"HTTP/1.1 200"), answer
            await reader.readexactly(int(found[1]))
            count += 1
        writer.close()
        return count

    return sum(await asyncio.gather(*(client() for _ in range(args.connections))))


def start(argv: list[str]) -> tuple[subprocess.Popen[str], str]:
    child = subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, child.stdout.readline().strip()


def start_server(upstream: int, plain_asyncio: bool) -> tuple[subprocess.Popen[str], int]:
    argv = [sys.executable, __file__, "--serve", str(upstream)]
    child, port = start(argv + (["--asyncio"] if plain_asyncio else []))
    return child, int(port)


def start_mock(folder: Path) -> tuple[subprocess.Popen[str], int]:
    compiler = shutil.which("cc")
    if compiler is None:
        return start_server(0, False)
    subprocess.check_call([compiler, "-O2", "-o", str(folder / "mock"), str(MOCK)])
    port = 20_000 + os.getpid() % 10_000
    child, _ = start([str(folder / "mock"), "serve", str(port), "50", "5000"])
    return child, port


def measure(args: argparse.Namespace) -> None:
    """All variants in turn, so that noise hits them alike."""
    results: dict[str, list[tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mock, upstream = start_mock(folder)
        echo, echo_port = start_server(0, args.asyncio)
        relay, relay_port = start_server(upstream, args.asyncio)
        variants = [
            ("echo", echo, echo_port, PLAIN),
            ("relay", relay, relay_port, PLAIN),
            ("relay-sdk", relay, relay_port, SDK),
        ]
        try:
            for _ in range(args.rounds):
                for label, child, port, headers in variants:
                    before, begun = cpu_s(child.pid), time.monotonic()
                    count = load(port, headers, args, folder)
                    spent, wall = cpu_s(child.pid) - before, time.monotonic() - begun
                    results.setdefault(label, []).append((spent / count * 1e6, count / wall))
        finally:
            for child in (mock, echo, relay):
                child.kill()
                child.wait()
    print(f"load average {os.getloadavg()[0]:.2f}, {args.connections} connections")
    for label, rows in results.items():
        cpu = [row[0] for row in rows]
        rate = statistics.median(row[1] for row in rows)
        print(
            f"{label:10} {statistics.median(cpu):6.1f} us CPU per request "
            f"({min(cpu):.1f}-{max(cpu):.1f}), {rate:,.0f} requests/s"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--asyncio", action="store_true", help="without uvloop")
    parser.add_argument("--serve", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve is None:
        measure(args)
    elif args.asyncio:
        asyncio.run(serve(args.serve))
    else:
        import uvloop

        uvloop.run(serve(args.serve))


if __name__ == "__main__":
    main()
