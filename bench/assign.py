"""What it costs to assign a unit to an arm: in the gateway, where a call meets an experiment, and
in an application by the SDK.

    .venv/bin/python bench/assign.py [--rounds N]

The gateway's figures are of its own functions, on a real call against a compiled snapshot, without
sockets; the SDK asks a server of the standard library once, in a process of its own. Prints the
best and the median of several rounds in microseconds of wall-clock time; ends with 1 above the bar.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from pathlib import Path
from typing import Any

import msgspec

from stockpot.assign import WHOLE, Arm, Document, Experiment, Kind, Splitter
from stockpot.bench.rig import Rig
from stockpot.gateway.assigning import arm_for_label, counted, route_for
from stockpot.gateway.call import Call
from stockpot.gateway.experiment_table import ExperimentReader
from stockpot.gateway.http.messages import Request
from stockpot.gateway.models import Part
from stockpot.gateway.snapshot import Carried, View
from stockpot.providers import dialects
from stockpot.sdk import Experiments, Observer, Options

CALLS = 20_000
MUST_US, AIM_US = 20.0, 2.0
UNITS = [f"user-{number}" for number in range(997)]


def experiment(kind: Kind, subject: str, targets: tuple[str, str]) -> Experiment:
    arms = (Arm("now", 5_000, targets[0]), Arm("new", 5_000, targets[1]))
    return Experiment(kind, kind, "bench", kind, subject, "user", "salt", arms, WHOLE, "now")


DOCUMENT = Document(
    1,
    (
        experiment("label", "menu@production", ("menu@1", "menu@2")),
        experiment("alias", "bench-model", ("bench-model", "bench-model")),
    ),
)


def measure(what: str, call: Callable[[], Any], rounds: int, calls: int = CALLS) -> float:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        for _ in range(calls):
            call()
        times.append((time.perf_counter() - begun) / calls * 1e6)
    print(f"{what:52} {min(times):8.2f} µs best {statistics.median(times):8.2f} µs median")
    return min(times)


def of_the_gateway(rounds: int) -> float:
    part = Part("experiments", 1, msgspec.msgpack.encode(DOCUMENT))
    table = ExperimentReader().read((part,))
    with tempfile.TemporaryDirectory() as folder:  # where a rig builds its programs
        served = Rig(Path(folder)).part()
    view = View(1, served, Carried(), experiments=table)
    unsplit = View(1, view.part, Carried())
    body = b'{"model":"bench-model","messages":[{"role":"user","content":"hello"}]}'
    headers = [(b"x-stockpot-user", b"user-1")]
    path = b"/v1/chat/completions"
    request = Request(b"POST", path, path, b"", headers, body=body)
    dialect = dialects()[0]
    call = Call(request, None, view, dialect, "chat")  # type: ignore[arg-type]
    call.key = next(iter(view.keys.values()))
    call.ask = dialect.read("chat", body, path, call.headers)
    route = view.routes["bench-model"]
    names = cycle([unit.encode() for unit in UNITS])

    def alias() -> None:
        call.headers[b"x-stockpot-user"] = next(names)
        call.exposures = ()
        route_for(call, route)

    def label() -> None:
        call.headers[b"x-stockpot-user"] = next(names)
        call.exposures = ()
        met = arm_for_label(call, "menu@production")
        assert met is not None
        counted(call, met[0], met[2])

    def unused() -> None:
        if unsplit.experiments is not None:
            route_for(call, route)

    slowest = max(
        measure("gateway, an alias or a route, with its exposure", alias, rounds),
        measure("gateway, a prompt's label, with its exposure", label, rounds),
    )
    measure("gateway, where nothing is split", unused, rounds)
    return slowest


class Handler(BaseHTTPRequestHandler):
    """The document, and spans that are taken and forgotten."""

    def do_GET(self) -> None:
        self._answer(msgspec.json.encode(DOCUMENT))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self._answer(b"{}")

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        return None


def serve(port: Any) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port.send(server.server_address[1])
    server.serve_forever()


def of_the_sdk(rounds: int) -> float:
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=serve, args=(theirs,), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{ours.recv()}"
    observe = Observer(Options(url=url, key="sk"))
    experiments = Experiments(url, "sk", observer=observe)
    units = cycle(UNITS)

    def assigned() -> None:
        experiments.assign("label", next(units), record=False)

    with observe("bench"):
        alone = measure("SDK, without the exposure", assigned, rounds)
        exposed = measure(
            "SDK, with the exposure at the span that runs",
            lambda: experiments.assign("label", "user-1"), rounds,
        )  # fmt: skip
    observe.flush()
    process.terminate()
    return max(alone, exposed)


def main(rounds: int) -> None:
    splitter, units = Splitter(DOCUMENT.experiments[0]), cycle(UNITS)
    measure("placing alone", lambda: splitter.draw(next(units)), rounds)
    slowest = max(of_the_gateway(rounds), of_the_sdk(rounds))
    met = "the aim" if slowest <= AIM_US else "the bar" if slowest <= MUST_US else "neither"
    print(f"the slowest meets {met} (bar {MUST_US:.0f} µs, aim {AIM_US:.0f} µs)")
    raise SystemExit(slowest > MUST_US)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    main(parser.parse_args().rounds)
