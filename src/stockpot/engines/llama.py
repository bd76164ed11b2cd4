"""One model behind llama.cpp: `python -m stockpot.engines.llama --name N --model-path P --port N`.

Knows llama.cpp's parameters and their traps; knows nothing of gateways. Speaks llama-server's HTTP
(the OpenAI dialect and more), so a stock llama-server can take its place.
"""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import msgspec

from stockpot.engines import process
from stockpot.engines.models import Answering, EngineAddress

_READY_S: Final = 600.0
_HTTP_THREADS: Final = 64
"""Connections that are served at once. A call that waits for a slot holds one, and so would keep
`/health` waiting if there were only as many as llama.cpp's default, slots + 4."""


class Options(msgspec.Struct, frozen=True):
    """`context` is in tokens for all slots together; `threads` 0 means automatic. `temperature`,
    `top_p` and `max_tokens` (0: no limit) hold for requests that do not say theirs."""

    name: str
    model_path: Path
    port: int
    context: int
    parallel: int
    threads: int
    temperature: float
    top_p: float
    max_tokens: int
    embedding: bool
    smoke: bool
    prompt_cache_mb: int


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Returns the exit status."""
    options = _options(argv)
    if not options.model_path.is_file():
        print(f"no model file {str(options.model_path)!r}  (stockpot models list)", file=sys.stderr)
        return 2
    options = msgspec.structs.replace(options, port=process.claim(options.port))
    try:
        server = _start(options)
        _await_health(options.port)
    except (RuntimeError, TimeoutError) as bad:
        print(f"llama.cpp cannot serve {str(options.model_path)!r}: {bad}", file=sys.stderr)
        return 1
    # Only now: while a model loads, Python runs no signal handler, and the default one just ends us
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    process.end_with_parent()
    withdraw = process.announce(_address(options))
    while not stop.wait(1.0) and _listens(options.port):
        pass
    withdraw()
    del server  # closes its port and ends its threads
    return 0 if stop.is_set() else 1


def threads(*, cores: int = 0, quota: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """One less than the cores this process may use: llama.cpp's threads spin on barriers, and with
    as many threads as cores on a busy machine they decode 30 times slower."""
    return max(1, int(min(cores or _allowed_cores(), _share(quota))) - 1)


def _allowed_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _share(quota: Path) -> float:
    """A container's share in cores, or infinity."""
    try:
        limit, period = quota.read_text("ascii").split()
        return float("inf") if limit == "max" else int(limit) / int(period)
    except (OSError, ValueError):
        return float("inf")


def _options(argv: list[str] | None) -> Options:
    parser = argparse.ArgumentParser(prog="stockpot.engines.llama", description=__doc__)
    parser.add_argument("--name", required=True)
    parser.add_argument("--model-path", required=True, type=Path)
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--ctx", dest="context", type=int, default=8192)
    parser.add_argument("--parallel", type=int, default=4)
    parser.add_argument("--threads", default="auto", help="a number, or auto")
    parser.add_argument("--temp", dest="temperature", type=float, default=Answering().temperature)
    parser.add_argument("--top-p", type=float, default=Answering().top_p)
    parser.add_argument("--predict", dest="max_tokens", type=int, default=Answering().max_tokens)
    parser.add_argument("--embedding", action="store_true")
    parser.add_argument(
        "--smoke", action="store_true", help="announce a model that only shows work"
    )
    parser.add_argument("--prompt-cache-mb", type=int, default=256)
    values = vars(parser.parse_args(argv))
    values["threads"] = 0 if values["threads"] == "auto" else int(values["threads"])
    return Options(**values)


def _start(options: Options) -> Any:
    llama = importlib.import_module("xllamacpp")
    params = llama.CommonParams()
    params.model.path = str(options.model_path)
    params.model_alias = {options.name}
    params.hostnames = [process.HOST]
    params.port = options.port
    params.n_ctx = options.context
    params.n_parallel = options.parallel
    params.sampling.temp, params.sampling.top_p = options.temperature, options.top_p
    params.n_predict = options.max_tokens or -1
    params.n_threads_http = max(_HTTP_THREADS, 2 * options.parallel)
    params.cache_ram_mib = options.prompt_cache_mb
    params.use_jinja = True
    params.ui = False
    params.cors_origins = process.HOST  # no page of any origin may read an engine's answers
    params.endpoint_metrics = params.endpoint_props = params.endpoint_slots = True
    params.verbosity = 1
    for cpu in (params.cpuparams, params.cpuparams_batch):
        cpu.n_threads = options.threads or threads()
        cpu.poll = 0
    if options.embedding:
        params.embedding = True
        # an encoder sees a text as one batch
        params.n_batch = params.n_ubatch = max(512, options.context // options.parallel)
    return llama.Server(params)


def _await_health(port: int) -> None:
    deadline = time.monotonic() + _READY_S
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{process.HOST}:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise TimeoutError(f"it was not ready after {_READY_S:.0f} s")


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        try:
            probe.connect((process.HOST, port))
        except ConnectionRefusedError:
            return False
        except OSError:
            return True  # a full backlog is a busy server, not a dead one
    return True


def _address(options: Options) -> EngineAddress:
    return EngineAddress(
        name=options.name,
        url=f"http://{process.HOST}:{options.port}/v1",
        model=options.name,
        kind="embedding" if options.embedding else "chat",
        pid=os.getpid(),
        engine="llama.cpp",
        smoke=options.smoke,
        context=options.context // options.parallel,
    )


if __name__ == "__main__":
    sys.exit(main())
