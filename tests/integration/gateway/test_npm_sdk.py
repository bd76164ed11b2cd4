"""The stock `openai` npm package against the gateway."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.integration.gateway.conftest import SECRET, Rig

NPM = Path(__file__).resolve().parents[2] / "npm"
pytestmark = [pytest.mark.integration, pytest.mark.needs("node")]


def installed() -> None:
    """Install the locked packages once, whichever test process comes first."""
    with (NPM / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        marker = NPM / "node_modules/.package-lock.json"
        if (
            not marker.exists()
            or marker.stat().st_mtime < (NPM / "package-lock.json").stat().st_mtime
        ):
            subprocess.run(["npm", "ci", "--silent"], cwd=NPM, check=True, timeout=300)


@pytest.mark.timeout(360)
def test_the_stock_npm_sdk_chats_streams_lists_embeds_and_reads_refusals(rig: Rig) -> None:
    installed()
    rig.start()
    environ = {**os.environ, "BASE_URL": rig.url, "API_KEY": SECRET, "MODEL": "small"}
    ran = subprocess.run(
        ["node", "chat.mjs"], cwd=NPM, env=environ, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert said["whole"] == said["streamed"] == "The kettle is on."
    assert said["total"] == said["usage"]["total_tokens"] == 16
    assert said["models"] == ["small"]
    assert said["refusal"] == {"name": "NotFoundError", "status": 404, "code": "model_not_found"}
    assert said["vectors"] == 2
    assert len(rig.records(4)) >= 4
