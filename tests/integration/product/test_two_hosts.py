"""A second host runs workers only and shares the first one's control plane, records included."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import httpx
import pytest

from tests.running import eventually, running

pytestmark = pytest.mark.integration


def test_workers_of_another_host_serve_the_same_keys_and_ship_to_the_same_log(
    tmp_path: Path,
) -> None:
    first = {"STOCKPOT_ENGINES": "none", "STOCKPOT_FLEET": "2"}
    with running(tmp_path / "one", environ=first) as one:
        secret = json.loads(one.command("keys", "create", "--name", "shared", "--json"))["key"]
        ingest = json.loads((one.home / "run" / "ingest.json").read_bytes())["url"]
        (tmp_path / "two").mkdir()
        shutil.copy(one.home / "instance.key", tmp_path / "two" / "instance.key")
        second = {"STOCKPOT_CONTROL_URL": one.console, "STOCKPOT_INGEST_URL": ingest}
        with running(tmp_path / "two", environ=second) as two:
            assert set(two.states()) == {"worker-0", "shipper"}
            headers = {"authorization": f"Bearer {secret}"}
            body = {"model": "echo", "messages": [{"role": "user", "content": "from afar"}]}
            url = f"{two.gateway}/v1/chat/completions"

            def answered() -> httpx.Response | None:
                answer = httpx.post(url, json=body, headers=headers, timeout=60)
                return answer if answer.status_code == 200 else None

            trace = eventually(answered).headers["x-stockpot-trace-id"]

            def recorded() -> bool:
                listed = json.loads(one.command("traces", "list", "--json"))
                return trace in {row["trace_id"] for row in listed}

            assert eventually(recorded)
            one.command("keys", "disable", "shared")
            assert eventually(
                lambda: httpx.post(url, json=body, headers=headers, timeout=60).status_code == 401
            )
