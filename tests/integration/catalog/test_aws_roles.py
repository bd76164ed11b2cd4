"""A role's credentials, from AWS's metadata services to a request that Bedrock takes for signed."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from typing import Any

import httpx
import msgspec
import pytest

from stockpot.catalog import references, surroundings
from stockpot.gateway import GatewayPart, Snapshot, Target
from stockpot.providers.aws_roles import FULL, INSTANCE, OFTEN_S, AwsRoles
from tests.integration.control.plane import Plane, running
from tests.integration.gateway.conftest import Rig, rig
from tests.vendors.aws_metadata_stub import Metadata
from tests.vendors.bedrock_stub import ACCESS_KEY, REGION, SECRET_KEY, BedrockStub
from tests.vendors.openai_stub import OpenAIStub

__all__ = ["rig"]
pytestmark = pytest.mark.integration
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"


@pytest.fixture
def stub() -> Any:
    with OpenAIStub() as running_stub:
        yield running_stub


async def bedrock_of(plane: Plane, session: str) -> Target:
    """What workers are told of the provider, once it carries this session's token."""
    worker, after = await plane.worker(), 0
    async with asyncio.timeout(60):
        while True:
            params = {"after": after, "wait_s": 5}
            answer = await worker.get("/internal/snapshot", params=params)
            if answer.status_code == 304:
                continue
            snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
            after = snapshot.revision
            part = msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)
            found = [one for one in part.targets if one.provider == "aws"]
            if found and found[0].options.get("session_token") == session:
                return found[0]


@pytest.mark.parametrize("variable", [FULL, INSTANCE])
async def test_a_role_signs_what_workers_send_to_bedrock_and_is_renewed_with_or_without_a_plane(
    variable: str, rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata = Metadata()
    metadata.key, metadata.secret, metadata.now = ACCESS_KEY, SECRET_KEY, time.time()
    server = await asyncio.start_server(metadata.serve, "127.0.0.1", 0)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    url = base + ("/v1/credentials" if variable == FULL else "")
    environ = {variable: url, "AWS_REGION": REGION, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod/1"}
    roles = AwsRoles(environ, metadata.clock, 30)
    monkeypatch.setattr(references, "ROLES", roles)
    monkeypatch.setattr(surroundings, "ROLES", roles)
    with BedrockStub() as bedrock:
        async with server:
            first, second = await published(rig, metadata, bedrock, variable)
            stale = {"secret_access_key": "ended", "role_ends": "1"}
            ended = msgspec.structs.replace(second, options=second.options | stale)
            for name, target in (("first", first), ("second", second), ("ended", ended)):
                rig.route(name, msgspec.structs.replace(target, id=name))
            rig.environ |= environ
            await asyncio.to_thread(rig.start)
        for name in ("first", "second", "ended"):
            said = await asyncio.to_thread(rig.post, model=name, max_tokens=9)
            assert said.status_code == 200, said.text
        assert bedrock.models == [MODEL, MODEL, MODEL]
        assert bedrock.faults == []
        ready = await asyncio.to_thread(httpx.get, f"http://127.0.0.1:{rig.port}/readyz")
        end = datetime.fromisoformat(ready.json()["credentials_end"]).timestamp()
        assert end == int(first.options["role_ends"])
    log = await asyncio.to_thread(rig.stop)
    assert "renewed the credentials of ended" in log
    assert SECRET_KEY not in log


async def published(
    rig: Rig, metadata: Metadata, bedrock: BedrockStub, variable: str
) -> tuple[Target, Target]:
    """What a control plane tells of its role, and ten minutes later when AWS has a newer one."""
    async with running(rig.home / "plane") as plane:
        wanted = {"vendor": "bedrock", "base_url": bedrock.url,
                  "secret_ref": f"env:{variable}", "models": [MODEL]}  # fmt: skip
        answer = await (await plane.admin()).put("/api/v1/providers/aws", json=wanted)
        assert answer.status_code == 200, answer.text
        assert SECRET_KEY not in answer.text
        first = await bedrock_of(plane, "leek+token1")
        metadata.serial = 2
        metadata.now += OFTEN_S
        second = await bedrock_of(plane, "leek+token2")
        assert SECRET_KEY.encode() not in await plane.kept()
    return first, second
