"""What every route shares: error shape, headers, bounds; and the state routes."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from stockpot.gateway import Heartbeat
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration


async def test_every_answer_carries_the_security_headers(plane: Plane) -> None:
    client = await plane.client()
    for path in ("/", "/traces/x", "/api/v1/keys", "/api/nope", "/healthz"):
        headers = (await client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "server" not in headers
    assert (await client.get("/api/v1/keys")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/v1/nope", 404, "not_found"),
        ("GET", "/internal/nope", 404, "not_found"),
        ("PUT", "/api/v1/keys", 405, "method_not_allowed"),
        ("PATCH", "/api/v1/keys/key_nope", 404, "not_found"),
        ("POST", "/api/v1/keys", 422, "invalid_input"),
    ],
)
async def test_every_error_has_the_same_shape(
    plane: Plane, method: str, path: str, status: int, code: str
) -> None:
    answer = await (await plane.admin()).request(method, path, json={"state": "disabled"})
    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()["error"]) == {"code", "message", "hint"}


async def test_a_body_that_is_no_json_is_told(plane: Plane) -> None:
    headers = {"content-type": "application/json"}
    answer = await (await plane.admin()).post("/api/v1/keys", content=b"{", headers=headers)
    assert answer.status_code == 422
    assert "JSON" in answer.json()["error"]["message"]


async def test_a_body_that_is_too_large_is_refused_before_it_is_here(tmp_path: Path) -> None:
    async with running(tmp_path, max_body_mb=1) as plane:
        admin = await plane.admin()
        told = await admin.post("/api/v1/keys", content=b"x" * (1024 * 1024 + 1))
        assert told.status_code == 413

        async def endless():  # type: ignore[no-untyped-def]
            for _ in range(40):
                yield b"x" * 65536

        untold = await admin.post("/api/v1/keys", content=endless())
        assert untold.status_code == 413
        assert untold.json()["error"]["code"] == "too_large"


async def test_metrics_add_up_over_workers_and_need_a_reader(plane: Plane) -> None:
    worker = await plane.worker()
    for name, calls in (("a", 3.0), ("b", 4.0)):
        beat = Heartbeat(name, 1, 1, "ok", {'stockpot_calls_total{route="echo"}': calls}, {})
        await worker.post("/internal/heartbeat", content=msgspec.msgpack.encode(beat))
    assert (await (await plane.client()).get("/metrics")).status_code == 401
    admin = await plane.admin()
    answer = await admin.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'stockpot_calls_total{route="echo"} 7' in lines
    assert "stockpot_workers 2" in lines
    assert 'stockpot_control_answers_total{status="401"} 1' in lines
    assert (await admin.get("/api/v1/instance")).json()["workers"] == 2


async def test_the_instance_tells_its_processes_as_the_supervisor_wrote_them(plane: Plane) -> None:
    admin = await plane.admin()
    assert (await admin.get("/api/v1/instance")).json()["processes"] == []
    row = {
        "name": "worker-0", "pid": 7, "state": "running", "restarts": 1, "since_ms": 5.0,
        "last_exit": "exit 1",
    }  # fmt: skip
    (plane.instance.run / "supervisor.json").write_bytes(msgspec.json.encode([row]))
    assert (await admin.get("/api/v1/instance")).json()["processes"] == [row]
    (plane.instance.run / "supervisor.json").write_bytes(b"{")
    assert (await admin.get("/api/v1/instance")).json()["processes"] == []


async def test_a_bug_is_told_without_its_insides(plane: Plane, caplog: object) -> None:
    catalog = plane.app.state.control.catalog
    catalog.keys._db = None
    admin = await plane.admin()
    admin._transport.raise_app_exceptions = False  # type: ignore[attr-defined]
    answer = await admin.get("/api/v1/keys")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "internal_error"
    assert "NoneType" not in answer.text
