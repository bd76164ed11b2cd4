"""One worker in front of every vendor's stand-in; what came out of each case can be kept."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.conformance.upstreams import SCRIPT, UPSTREAMS, Upstream
from tests.integration.gateway.conftest import Rig
from tests.vendors.openai_stub import OpenAIStub


class Gateway:
    """A running worker with a route for each scene of each upstream."""

    def __init__(self, home: Path) -> None:
        self.upstreams: dict[str, Upstream] = {kind.name: kind() for kind in UPSTREAMS}
        for upstream in self.upstreams.values():
            upstream.start()
        self.rig = Rig(home, OpenAIStub())
        for name, upstream in self.upstreams.items():
            for scene in SCRIPT:
                self.rig.route(f"{name}.{scene}", upstream.target(scene), attempts=1)
        self.rig.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.rig.port}"

    def close(self) -> str:
        log = self.rig.stop()
        for upstream in self.upstreams.values():
            upstream.stop()
        return log


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    made = Gateway(tmp_path_factory.mktemp("home"))
    yield made
    log = made.close()
    assert "Traceback" not in log, log


@pytest.fixture(scope="session")
def outcomes() -> Iterator[list[dict[str, str]]]:
    """Written as JSON to the file that STOCKPOT_CONFORMANCE names, if it does."""
    found: list[dict[str, str]] = []
    yield found
    if path := os.environ.get("STOCKPOT_CONFORMANCE"):
        Path(path).write_text(json.dumps(found, indent=1, ensure_ascii=False))
