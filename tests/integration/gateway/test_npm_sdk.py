"""The stock `openai` npm package against the gateway."""

from __future__ import annotations

import json
import os
import subprocess

import pytest

from tests.integration.gateway.conftest import SECRET, Rig
from tests.npm.packages import NPM, installed

pytestmark = [pytest.mark.integration, pytest.mark.needs("node")]


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
