"""Processes of the span log for tests: ingest itself, and a bare writer that says what it has."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from stockpot.core.instance import Instance
from stockpot.gateway import Shipment

_LAST_WORDS_S = 20


SERVE = """
import sys
from pathlib import Path
from stockpot.core.instance import Instance
from stockpot.core.serve import serve
from stockpot.traces import ingest_app, open_store

instance = Instance(Path(sys.argv[1]))

async def stopping():
    pass

app = ingest_app(open_store(instance, sys.argv[2]), instance.internal_token)
serve(app, "127.0.0.1", 0, started=lambda url: instance.announce("ingest", {"url": url}),
      stopping=stopping, drain_s=10)
"""


class Ingest:
    """The application of the ingest process, served over a folder by a process of its own."""

    def __init__(self, home: Path, synchronous: str = "NORMAL") -> None:
        self.instance = Instance(home)
        announced = self.instance.run / "ingest.json"
        announced.unlink(missing_ok=True)
        self._log = (self.instance.logs / "ingest.log").open("ab")
        argv = [sys.executable, "-c", SERVE, str(home), synchronous]
        self.child = subprocess.Popen(argv, stderr=self._log, stdout=self._log)
        deadline = time.monotonic() + 60
        while not announced.exists():
            assert self.child.poll() is None, (self.instance.logs / "ingest.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.url = str((self.instance.announced("ingest") or {})["url"])
        token = f"Bearer {self.instance.internal_token}"
        self.http = httpx.Client(
            base_url=self.url, headers={"authorization": token}, trust_env=False, timeout=30
        )

    def post(self, body: bytes | Shipment, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else msgspec.msgpack.encode(body)
        return self.http.post("/internal/shipments", content=content, headers=headers)

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end."""
        self.http.close()
        self.child.send_signal(number)
        code = self.child.wait(_LAST_WORDS_S)
        self._log.close()
        return code


def python(script: str, *arguments: Any) -> subprocess.Popen[str]:
    """A Python process whose standard output is read line by line."""
    argv: Sequence[str] = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).resolve().parents[3]
    )
