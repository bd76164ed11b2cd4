"""Connecting providers and routing aliases to them."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot.catalog import discover
from stockpot.catalog.surroundings import Surroundings
from stockpot.core.config import load
from stockpot.core.instance import Instance
from stockpot.gateway import GatewayPart, Snapshot, Target
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration


class Server:
    """A model server that lists its models."""

    def __init__(self) -> None:
        self.models = ["small", "large"]
        self.secret = ""
        self.body: bytes | None = None
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                right = (
                    not outer.secret or self.headers["authorization"] == f"Bearer {outer.secret}"
                )
                rows = {"data": [{"id": name} for name in outer.models]}
                body = outer.body if outer.body is not None else json.dumps(rows).encode()
                self.send_response(200 if right else 401)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    running_server = Server()
    yield running_server
    running_server.close()


async def targets(plane: Plane) -> dict[str, Target]:
    answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
    return {target.id: target for target in part.targets}


async def connect(plane: Plane, name: str, **wanted: object) -> dict[str, Any]:
    answer = await (await plane.admin()).put(f"/api/v1/providers/{name}", json=wanted)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_a_connected_server_offers_the_models_that_it_lists(
    plane: Plane, server: Server
) -> None:
    made = await connect(plane, "lab", vendor="vllm", base_url=server.url)
    assert made["models"] == ["large", "small"]
    assert made["origin"] == "console"
    assert made["routable"] is True
    names = [m["name"] for m in (await (await plane.admin()).get("/api/v1/models")).json()]
    assert names == ["lab/large", "lab/small", "large", "small"]
    tried = (await (await plane.admin()).post("/api/v1/providers/lab/test")).json()
    assert (tried["ok"], tried["text"]) == (True, "2 models")


async def test_a_secret_is_sealed_shown_by_its_end_only_and_reaches_the_gateway(
    plane: Plane, server: Server, tmp_path: Path
) -> None:
    server.secret = "sk-very-secret-0000abcd"
    made = await connect(
        plane, "lab", vendor="openai-compatible", base_url=server.url, secret=server.secret
    )
    assert made["secret_hint"] == "abcd"
    assert made["models"] == ["large", "small"]
    everything = [
        (await (await plane.admin()).get(f"/api/v1/{path}")).text
        for path in ("providers", "models", "audit", "instance")
    ]
    assert not any("very-secret" in text for text in everything)
    assert b"very-secret" not in await plane.kept()
    target = (await targets(plane))["lab/small"]
    assert target.headers == (("authorization", f"Bearer {server.secret}"),)


async def test_a_secret_that_the_server_refuses_is_told_at_once(
    plane: Plane, server: Server
) -> None:
    server.secret = "sk-right"
    wanted = {"vendor": "openai-compatible", "base_url": server.url, "secret": "sk-wrong"}
    answer = await (await plane.admin()).put("/api/v1/providers/lab", json=wanted)
    assert answer.status_code == 422
    assert "401: the secret is not accepted" in answer.json()["error"]["message"]
    assert (await (await plane.admin()).get("/api/v1/providers")).json() == []


async def test_a_secret_is_kept_when_it_is_not_given_again_but_not_for_another_address(
    plane: Plane, server: Server
) -> None:
    kind = {"vendor": "openai-compatible", "base_url": server.url}
    await connect(plane, "lab", **kind, secret="sk-secret-12345678")
    kept = await connect(plane, "lab", **kind, models=["other"])
    assert kept["secret_hint"] == "5678"
    assert (await targets(plane))["lab/other"].headers
    moved = {**kind, "base_url": "http://127.0.0.1:9/v1"}
    refused = await (await plane.admin()).put("/api/v1/providers/lab", json=moved)
    assert refused.status_code == 422
    assert "needs a secret" in refused.json()["error"]["message"]


async def test_rotating_the_instances_secret_keeps_every_vendor_key_usable(
    plane: Plane, server: Server, tmp_path: Path
) -> None:
    secret = "sk-secret-12345678"
    await connect(plane, "lab", vendor="openai-compatible", base_url=server.url, secret=secret)
    before = (tmp_path / "home" / "instance.key").read_text().split()
    answer = await (await plane.admin()).post("/api/v1/secrets/rotate")
    assert answer.json() == {"resealed": 1}
    after = (tmp_path / "home" / "instance.key").read_text().split()
    assert after[1:] == before
    # Only the newest secret is needed from now on.
    newest = tmp_path / "other"
    newest.mkdir()
    (newest / "instance.key").write_text(after[0])
    connected = await plane.app.state.control.db.read(
        lambda c: c.exec_driver_sql("SELECT sealed_secret FROM providers").scalar()
    )
    assert Instance(newest).unseal(connected) == secret.encode()
    await connect(plane, "another", vendor="vllm", base_url=server.url)
    assert (await targets(plane))["lab/small"].headers == (("authorization", f"Bearer {secret}"),)


async def test_a_secret_that_cannot_be_opened_is_told_and_its_provider_left_out(
    tmp_path: Path, server: Server
) -> None:
    async with running(tmp_path) as plane:
        await connect(
            plane, "lab", vendor="openai-compatible", base_url=server.url, secret="sk-12345678"
        )
    (tmp_path / "instance.key").write_text("ab" * 32 + "\n")
    async with running(tmp_path) as plane:
        info = (await (await plane.admin()).get("/api/v1/instance")).json()
        assert any("'lab' cannot be opened" in notice for notice in info["notices"])
        assert await targets(plane) == {}


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://169.254.169.254/latest", 422),
        ("file:///etc/passwd", 422),
        ("http://user:pw@127.0.0.1/v1", 422),
    ],
)
async def test_an_address_that_the_gateway_must_not_call_is_refused(
    plane: Plane, url: str, status: int
) -> None:
    wanted = {"vendor": "vllm", "base_url": url}
    answer = await (await plane.admin()).put("/api/v1/providers/evil", json=wanted)
    assert answer.status_code == status


async def test_private_addresses_can_be_forbidden(tmp_path: Path, server: Server) -> None:
    async with running(tmp_path, private_upstreams=False) as plane:
        wanted = {"vendor": "vllm", "base_url": server.url}
        answer = await (await plane.admin()).put("/api/v1/providers/lab", json=wanted)
        assert answer.status_code == 422
        assert server.asked == 0


@pytest.mark.parametrize("secret", ["two\nlines", "k\u00e9y", "  ", "x\r\nevil: 1"])
async def test_a_secret_cannot_add_headers(plane: Plane, server: Server, secret: str) -> None:
    wanted = {"vendor": "openai-compatible", "base_url": server.url, "secret": secret}
    answer = await (await plane.admin()).put("/api/v1/providers/lab", json=wanted)
    assert answer.status_code == 422


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"data": 7}', b"x" * 5_000_000])
async def test_a_server_that_answers_nonsense_offers_no_models(
    plane: Plane, server: Server, body: bytes
) -> None:
    server.body = body
    made = await connect(plane, "lab", vendor="vllm", base_url=server.url)
    assert made["models"] == []
    assert "lists no models" in made["notice"]
    tried = (await (await plane.admin()).post("/api/v1/providers/lab/test")).json()
    assert tried["ok"] is False


async def test_removing_a_provider_removes_its_routes(plane: Plane, server: Server) -> None:
    await connect(plane, "lab", vendor="vllm", base_url=server.url)
    admin = await plane.admin()
    assert (await admin.delete("/api/v1/providers/lab")).status_code == 204
    assert await targets(plane) == {}
    missing = await admin.delete("/api/v1/providers/lab")
    assert missing.status_code == 404


async def test_an_unknown_vendor_is_told_with_the_nearest_one(plane: Plane) -> None:
    answer = await (await plane.admin()).put("/api/v1/providers/x", json={"vendor": "opnai"})
    assert answer.status_code == 404
    assert "Did you mean 'openai'?" in answer.json()["error"]["message"]


async def test_an_alias_is_defined_changed_and_removed(plane: Plane, server: Server) -> None:
    await connect(plane, "lab", vendor="vllm", base_url=server.url)
    admin = await plane.admin()
    rows = [
        {"provider": "lab", "model": "small", "weight": 3},
        {"provider": "lab", "model": "large", "tier": 1},
    ]
    made = (await admin.put("/api/v1/models/team/fast", json={"targets": rows})).json()
    assert made["name"] == "team/fast"
    assert made["origin"] == "alias"
    assert [(t["id"], t["weight"], t["tier"]) for t in made["targets"]] == [
        ("lab/small", 3, 0),
        ("lab/large", 1, 1),
    ]
    wrong = [{"provider": "lba", "model": "small"}]
    refused = await admin.put("/api/v1/models/team/fast", json={"targets": wrong})
    assert "Did you mean 'lab'?" in refused.json()["error"]["message"]
    assert (await admin.delete("/api/v1/models/team/fast")).status_code == 204
    assert (await admin.delete("/api/v1/models/team/fast")).status_code == 404


async def test_a_vendors_price_is_shown_with_its_source(plane: Plane) -> None:
    await connect(plane, "openai", vendor="openai", secret="sk-test-12345678")
    models = {m["name"]: m for m in (await (await plane.admin()).get("/api/v1/models")).json()}
    (target,) = models["gpt-4o-mini"]["targets"]
    assert target["price"]["input"] == pytest.approx(0.15)
    assert target["price"]["output"] == pytest.approx(0.60)
    assert target["price_source"].startswith("genai-prices")


async def test_what_is_already_there_is_found(server: Server, tmp_path: Path) -> None:
    settings = load({"STOCKPOT_HOME": str(tmp_path)})
    environ = {"OPENAI_API_KEY": "sk-env-12345678", "ANTHROPIC_API_KEY": " "}
    around = Surroundings(Instance(tmp_path), settings, environ)
    (found,) = around.offers((), 5).offers
    assert (found.name, found.origin) == ("openai", "environment")
    assert found.secret_hint == "OPENAI_API_KEY"
    assert found.headers() == (("authorization", "Bearer sk-env-12345678"),)
    silent = Surroundings(Instance(tmp_path), settings.replaced(discover=False), environ)
    assert silent.offers((), 5).offers == ()


async def test_a_local_server_is_found_by_asking_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stockpot.providers import Vendor

    row = Vendor(
        name="ollama",
        title="Ollama",
        wire="openai",
        base_url=server.url,
        source="",
        date="",
        auth="none",
        local=True,
        probe=f"{server.url}/models",
    )
    monkeypatch.setattr(discover, "vendors", lambda: (row,))
    (found,) = await discover.local_servers(0, frozenset())
    assert (found.models, found.origin, found.free) == (("large", "small"), "local", True)
    assert await discover.local_servers(0, frozenset({server.port})) == ()
    server.close()
    assert await discover.local_servers(0, frozenset()) == ()
    server._http.server_close = lambda: None  # type: ignore[method-assign]
    server._http.shutdown = lambda: None  # type: ignore[method-assign]
