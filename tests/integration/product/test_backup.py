"""An instance is backed up while it serves, restored elsewhere, and knows every call again."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.postgres import fresh_database
from tests.running import BIN, Instance, running
from tests.s3 import BUCKET, s3_store

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
ECHO = {"STOCKPOT_ENGINES": "none"}


def told(environ: dict[str, str], *words: str, expect: int = 0) -> str:
    done = subprocess.run(
        [str(BIN / "stockpot"), *words], env=environ, capture_output=True, text=True
    )
    assert done.returncode == expect, done.stderr
    return done.stdout if expect == 0 else done.stderr


class Load:
    """Calls without a pause, with the time at which each answer was complete."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.answered: list[tuple[float, str]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        headers = {"authorization": f"Bearer {self._instance.key}"}
        body = {"model": "echo", "messages": [{"role": "user", "content": "hello " * 50}]}
        with httpx.Client(
            base_url=self._instance.gateway, headers=headers, trust_env=False, timeout=60
        ) as c:
            while not self._stop.is_set():
                answer = c.post("/v1/chat/completions", json=body)
                assert answer.status_code == 200, answer.text
                trace = answer.headers["x-stockpot-trace-id"]
                self.answered.append((time.time() * 1000, trace))


def traces(instance: Instance, wanted: set[str], limit_s: float = 30) -> set[str]:
    """Trace ids that the span log holds, waiting until the wanted ones are there."""
    until = time.monotonic() + limit_s
    while True:
        listed: list[dict[str, Any]] = json.loads(
            instance.command("traces", "list", "--limit", "10000", "--json")
        )
        found = {one["trace_id"] for one in listed}
        if wanted <= found or time.monotonic() > until:
            return found
        time.sleep(0.2)


def test_a_backup_under_load_restores_every_call_that_was_answered_before_it(
    tmp_path: Path,
) -> None:
    archive = tmp_path / "kept.tar.zst"
    with running(tmp_path / "home", environ=ECHO) as instance:
        with Load(instance) as load:
            time.sleep(2)
            made = json.loads(instance.command("backup", str(archive), "--json"))
            time.sleep(0.5)
        before = {trace for at, trace in load.answered if at < made["began_ms"]}
        known = instance.key
    assert len(before) > 20
    assert archive.stat().st_mode & 0o077 == 0

    home = tmp_path / "elsewhere"
    environ = {**instance.environ, "STOCKPOT_HOME": str(home)}
    done = json.loads(told(environ, "restore", str(archive), "--json"))
    assert done["seconds"] < 30
    with running(home, environ=ECHO) as again:
        missing = before - traces(again, before)
        assert not missing
        assert json.loads(again.command("traces", "verify", "--json"))["lost"] == 0
        answer = httpx.get(
            f"{again.gateway}/v1/models", headers={"authorization": f"Bearer {known}"}
        )
        assert answer.status_code == 200
    refused = told(environ, "restore", str(archive), expect=1)
    assert "already holds an instance" in refused


def test_a_damaged_or_torn_archive_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    environ = {**os.environ, "STOCKPOT_HOME": str(tmp_path / "a")}
    told(environ, "keys", "create", "--name", "mine", "--json")
    told(environ, "backup", str(tmp_path / "kept.tar.zst"))
    whole = (tmp_path / "kept.tar.zst").read_bytes()
    other = {**environ, "STOCKPOT_HOME": str(tmp_path / "b")}
    for damaged in (whole[: len(whole) // 2], b"no archive", whole[:-60] + b"x" * 60):
        (tmp_path / "bad.tar.zst").write_bytes(damaged)
        assert "no whole archive" in told(other, "restore", str(tmp_path / "bad.tar.zst"), expect=1)
        assert list((tmp_path / "b").iterdir()) == []
    told(other, "restore", str(tmp_path / "kept.tar.zst"))
    assert [k["name"] for k in json.loads(told(other, "keys", "list", "--json"))] == ["mine"]


def test_an_archive_in_a_bucket_is_restored_by_the_address_that_was_printed(tmp_path: Path) -> None:
    with s3_store() as store:
        environ = {**os.environ, **store, "STOCKPOT_HOME": str(tmp_path / "a")}
        told(environ, "keys", "create", "--name", "mine", "--json")
        made = json.loads(told(environ, "backup", f"s3://{BUCKET}/kept", "--json"))
        other = {**environ, "STOCKPOT_HOME": str(tmp_path / "b")}
        wrong = told(other, "restore", made["archive"][:-1] + "~", expect=1)
        assert "no blob" in wrong
        told(other, "restore", made["archive"])
        assert [k["name"] for k in json.loads(told(other, "keys", "list", "--json"))] == ["mine"]


def test_the_control_store_moves_to_postgres_and_back_with_its_ids(tmp_path: Path) -> None:
    first = {**os.environ, "STOCKPOT_HOME": str(tmp_path / "a")}
    secret = json.loads(told(first, "keys", "create", "--name", "mine", "--json"))["key"]
    told(first, "projects", "create", "menu", "--budget", "5")
    before = {
        what: json.loads(told(first, what, "list", "--json")) for what in ("keys", "projects")
    }
    url = fresh_database()
    rows = json.loads(told(first, "migrate", "--to", url, "--json"))["rows"]
    assert rows["virtual_keys"] == 1
    assert "already holds an instance" in told(first, "migrate", "--to", url, expect=1)

    moved = {**first, "STOCKPOT_DATABASE_URL": url}
    (tmp_path / "a" / "control.db").rename(tmp_path / "a" / "old.db")
    for what, there in before.items():
        assert json.loads(told(moved, what, "list", "--json")) == there
    environ = {**ECHO, "STOCKPOT_DATABASE_URL": url}
    with running(tmp_path / "a", environ=environ) as instance:
        headers = {"authorization": f"Bearer {secret}"}
        answer = httpx.get(f"{instance.gateway}/v1/models", headers=headers, timeout=60)
        assert answer.status_code == 200
    back = f"sqlite:///{tmp_path}/back.db"
    told(moved, "migrate", "--to", back)
    returned = {**first, "STOCKPOT_DATABASE_URL": back}
    kept = json.loads(told(returned, "keys", "list", "--json"))
    assert {k["id"] for k in before["keys"]} <= {k["id"] for k in kept}
