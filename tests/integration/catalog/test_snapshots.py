"""Publishing: revisions, long polls, and what moves them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import httpx
import msgspec
import pytest

from stockpot.gateway import GatewayPart, Snapshot
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration


async def poll(worker: httpx.AsyncClient, after: int, wait_s: float = 5.0) -> httpx.Response:
    return await worker.get("/internal/snapshot", params={"after": after, "wait_s": wait_s})


def revision(answer: httpx.Response) -> int:
    assert answer.status_code == 200
    number = int(answer.headers["x-stockpot-revision"])
    assert msgspec.msgpack.decode(answer.content, type=Snapshot).revision == number
    return number


def routes(answer: httpx.Response) -> list[str]:
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
    assert snapshot.parts[0].name == "gateway"
    return [route.name for route in part.routes]


async def test_a_change_wakes_a_waiting_worker_at_once(plane: Plane) -> None:
    worker, admin = await plane.worker(), await plane.admin()
    before = revision(await poll(worker, 0))
    waiting = asyncio.create_task(poll(worker, before))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await admin.post("/api/v1/keys", json={"name": "app"})
    answered = time.monotonic()
    after = revision(await waiting)
    assert time.monotonic() - answered < 5
    assert after == before + 1


async def test_nothing_new_is_told_by_a_304_when_the_time_is_up(plane: Plane) -> None:
    worker = await plane.worker()
    now = revision(await poll(worker, 0))
    answer = await poll(worker, now, wait_s=0.05)
    assert answer.status_code == 304
    assert answer.content == b""


async def test_a_worker_that_knows_a_foreign_revision_gets_the_present_one(plane: Plane) -> None:
    assert revision(await poll(await plane.worker(), 999_999, wait_s=0.05)) < 999_999


async def test_a_revision_grows_only_when_workers_would_see_a_difference(plane: Plane) -> None:
    worker, browser = await plane.worker(), await plane.signed_in()
    now = revision(await poll(worker, 0))
    await browser.post("/api/v1/tokens", json={"name": "t"})
    await browser.post("/api/v1/session/password", json={"password": "long enough"})
    await browser.patch("/api/v1/projects/default", json={"owner": "ana"})
    assert (await poll(worker, now, wait_s=0.05)).status_code == 304
    await browser.patch("/api/v1/projects/default", json={"limits": {"rpm": 9}})
    assert revision(await poll(worker, now)) == now + 1


async def test_revisions_go_on_after_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as plane:
        await (await plane.admin()).post("/api/v1/keys", json={"name": "app"})
        before = revision(await poll(await plane.worker(), 0))
    async with running(tmp_path) as plane:
        worker = await plane.worker()
        assert (await poll(worker, before, wait_s=0.05)).status_code == 304
        await (await plane.admin()).post("/api/v1/keys", json={"name": "other"})
        assert revision(await poll(worker, before)) == before + 1


async def test_what_another_process_wrote_is_published_within_two_seconds(tmp_path: Path) -> None:
    from stockpot.app import control_app
    from stockpot.core.inprocess import InProcess

    async with running(tmp_path) as plane:
        before = revision(await poll(await plane.worker(), 0))
        app = control_app(plane.settings, plane.instance)
        token = plane.instance.derive("cli")
        transport = await asyncio.to_thread(InProcess, app)
        with httpx.Client(transport=transport, base_url="http://x") as command:
            headers = {"authorization": f"Bearer {token}"}
            made = await asyncio.to_thread(
                command.post, "/api/v1/keys", json={"name": "cli"}, headers=headers
            )
            assert made.status_code == 201
        now = await poll(await plane.worker(), before, wait_s=2.0)
        assert made.json()["record"]["id"].encode() in now.content


def announce_engine(plane: Plane, name: str, url: str, pid: int | None = None) -> Path:
    facts = {
        "name": name, "url": url, "model": name, "kind": "chat", "pid": pid or os.getpid(),
        "engine": "llama.cpp", "smoke": True, "context": 2048,
    }  # fmt: skip
    plane.instance.announce(f"engines/{name}", facts)
    return plane.instance.run / "engines" / f"{name}.json"


async def test_an_engine_that_starts_is_routed_within_two_seconds(plane: Plane) -> None:
    worker = await plane.worker()
    now = revision(await poll(worker, 0))
    announce_engine(plane, "smollm2-135m", "http://127.0.0.1:1/v1")
    answer = await poll(worker, now, wait_s=2.0)
    assert routes(answer) == ["smollm2-135m"]
    models = (await (await plane.admin()).get("/api/v1/models")).json()
    assert models[0]["smoke"] is True
    assert models[0]["targets"][0]["free"] is True
    info = (await (await plane.admin()).get("/api/v1/instance")).json()
    assert info["default_model"] == "smollm2-135m"


async def test_an_engine_that_is_being_restarted_keeps_its_route(plane: Plane) -> None:
    worker = await plane.worker()
    now = revision(await poll(worker, 0))
    file = announce_engine(plane, "smollm2-135m", "http://127.0.0.1:1/v1")
    up = revision(await poll(worker, now, wait_s=3.0))
    file.unlink()
    assert (await poll(worker, up, wait_s=1.5)).status_code == 304
    announce_engine(plane, "smollm2-135m", "http://127.0.0.1:2/v1")
    assert revision(await poll(worker, up, wait_s=3.0)) == up + 1


async def test_a_drain_answers_everybody_who_waits(plane: Plane) -> None:
    worker = await plane.worker()
    now = revision(await poll(worker, 0))
    waiting = asyncio.create_task(poll(worker, now, wait_s=25))
    await asyncio.sleep(0.05)
    await plane.app.state.control.drain()
    assert (await asyncio.wait_for(waiting, 1)).status_code == 304
    ready = await (await plane.client()).get("/readyz")
    assert ready.status_code == 503
    assert json.loads(ready.content)["error"]["code"] == "unavailable"


async def test_workers_show_their_own_token(plane: Plane) -> None:
    nobody = await plane.client()
    for method, path in (("GET", "snapshot"), ("POST", "leases"), ("POST", "heartbeat")):
        assert (await nobody.request(method, f"/internal/{path}")).status_code == 401


@pytest.mark.parametrize("path", ["leases", "heartbeat"])
async def test_a_body_that_is_no_record_is_refused(plane: Plane, path: str) -> None:
    worker = await plane.worker()
    for body in (b"", b"\xc1", b"{}", msgspec.msgpack.encode({"worker": 7})):
        assert (await worker.post(f"/internal/{path}", content=body)).status_code == 422


async def test_a_secret_whose_file_is_written_anew_reaches_workers_and_never_half_written(
    plane: Plane, tmp_path: Path
) -> None:
    worker, file, after = await plane.worker(), tmp_path / "token", 0
    file.write_text("leek-1\n")
    wanted = {"vendor": "openai-compatible", "base_url": "http://127.0.0.1:9/v1",
              "secret_ref": f"file:{file}", "models": ["soup"]}  # fmt: skip
    answer = await (await plane.admin()).put("/api/v1/providers/by-file", json=wanted)
    assert answer.status_code == 200, answer.text
    seen: list[tuple[tuple[str, str], ...]] = []
    async with asyncio.timeout(60):
        while (("authorization", "Bearer leek-2"),) not in seen:
            answer = await poll(worker, after, wait_s=0.2)
            if answer.status_code == 304:
                file.write_text("")  # opened by a sidecar that has written nothing yet
                await plane.app.state.control.catalog.look_again()
                file.write_text("leek-2")
                continue
            after = revision(answer)
            snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
            part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
            seen += [target.headers for target in part.targets if target.provider == "by-file"]
    assert {said for ((_, said),) in seen} == {"Bearer leek-1", "Bearer leek-2"}
