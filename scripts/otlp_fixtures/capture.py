"""Makes tests/fixtures/otlp: real instrumentations run against our gateway; what they send is kept.

    .venv/bin/python scripts/otlp_fixtures/capture.py [--packages FOLDER]

The packages are installed into a folder of their own (kept when it is given), never into the
project's environment. An instance with the echo model serves the calls; what each program exports
is kept as one `NAME.pb`, an ExportTraceServiceRequest, beside `versions.json`, which says which
version of what wrote it. Ids and times are those of the run, so a diff of the bytes says little:
`tests/unit/traces/test_dialects.py` says what has to come of them.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
KEPT = REPO / "tests/fixtures/otlp"

PYTHON = (
    "openai", "openinference-instrumentation-openai", "openinference-instrumentation-langchain",
    "langchain-openai", "opentelemetry-instrumentation-openai",
    "opentelemetry-instrumentation-openai-v2",
    "opentelemetry-util-genai<1",  # what the line above needs, which says too little of it
    "pydantic-ai-slim[openai]",
    "opentelemetry-exporter-otlp-proto-http", "opentelemetry-sdk",
)  # fmt: skip
NPM = ("ai@6", "@ai-sdk/openai-compatible@2", "@opentelemetry/sdk-node",
       "@opentelemetry/exporter-trace-otlp-proto")  # fmt: skip

MESSAGES_ON_SPANS = {
    "OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
# Name of the fixture: the program with its arguments, and what it is told besides.
PROGRAMS: dict[str, tuple[tuple[str, ...], dict[str, str]]] = {
    "openinference-openai": (("openinference_openai.py",), {}),
    "openinference-langchain": (("openinference_langchain.py",), {}),
    "openllmetry-openai": (("openllmetry_openai.py",), {}),
    "otel-openai-v2": (("otel_openai_v2.py",), {}),
    "otel-openai-v2-latest": (("otel_openai_v2.py",), MESSAGES_ON_SPANS),
    "pydantic-ai": (("pydantic_ai_agent.py",), {}),
    "vercel-ai": (("vercel.mjs",), {}),
}


@contextmanager
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """A backend that keeps the bodies of what is exported to it."""
    taken: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = b"".join(_body(self))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            taken.append(body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", taken
    server.shutdown()


def _body(asked: BaseHTTPRequestHandler) -> Iterator[bytes]:
    """The body of a request, in one piece or in chunks."""
    if "content-length" in asked.headers:
        yield asked.rfile.read(int(asked.headers["content-length"]))
        return
    while size := int(asked.rfile.readline(), 16):
        yield asked.rfile.read(size)
        asked.rfile.readline()
    asked.rfile.readline()


def install(folder: Path) -> None:
    """The packages, in an environment of their own."""
    if not (folder / "fx").exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", str(folder / "fx")], check=True)
        python = str(folder / "fx/bin/python")
        subprocess.run([*uv, "pip", "install", "-q", "--python", python, *PYTHON], check=True)
    if not (folder / "js/node_modules").exists():
        (folder / "js").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", *NPM], cwd=folder / "js", check=True)


def versions(folder: Path) -> dict[str, str]:
    """What is installed, by name."""
    uv = [sys.executable, "-m", "uv", "pip", "list", "--format", "json", "--python"]
    listed = subprocess.run([*uv, str(folder / "fx/bin/python")], capture_output=True, check=True)
    names = {re.split(r"[\\[<]", name)[0] for name in PYTHON}
    found = {p["name"]: p["version"] for p in json.loads(listed.stdout) if p["name"] in names}
    for name in ("ai", "@ai-sdk/openai-compatible", "@opentelemetry/sdk-node"):
        package = folder / "js/node_modules" / name / "package.json"
        found[name] = json.loads(package.read_bytes())["version"]
    return dict(sorted(found.items()))


def run(folder: Path, words: tuple[str, ...], environ: dict[str, str]) -> None:
    """One of the programs, to its end."""
    program, *rest = words
    if program.endswith(".mjs"):  # npm resolves packages from where a module lies
        there = folder / "js" / program
        there.write_bytes((HERE / program).read_bytes())
        argv, cwd = ["node", str(there), *rest], folder / "js"
    else:
        argv, cwd = [str(folder / "fx/bin/python"), str(HERE / program), *rest], HERE
    subprocess.run(argv, cwd=cwd, env={**os.environ, **environ}, check=True)


def capture(folder: Path) -> None:
    """Run every program and keep what it exported."""
    from tests.running import running

    KEPT.mkdir(parents=True, exist_ok=True)
    engine = {"STOCKPOT_ENGINES": "echo", "STOCKPOT_DEFAULT_MODEL": "echo"}
    with tempfile.TemporaryDirectory() as home, running(Path(home) / "home", None, engine) as here:
        for name, (words, more) in PROGRAMS.items():
            with receiver() as (url, taken):
                run(folder, words, {
                    "OPENAI_BASE_URL": f"{here.gateway}/v1", "OPENAI_API_KEY": here.key,
                    "MODEL": "echo", "OTEL_EXPORTER_OTLP_ENDPOINT": url, **more,
                })  # fmt: skip
                # Requests are messages of one repeated field: set end to end they are one request.
                (KEPT / f"{name}.pb").write_bytes(b"".join(taken))
            print(name, len(b"".join(taken)))
    (KEPT / "versions.json").write_text(json.dumps(versions(folder), indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--packages", type=Path, help="where the packages are, or are to be")
    folder = parser.parse_args().packages
    sys.path.insert(0, str(REPO))
    if folder is not None:
        install(folder)
        capture(folder)
        return
    with tempfile.TemporaryDirectory() as name:
        install(Path(name))
        capture(Path(name))


if __name__ == "__main__":
    main()
