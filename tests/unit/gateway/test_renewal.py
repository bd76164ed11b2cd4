"""Roles' credentials that a worker renews by itself, by a clock that is moved."""

from __future__ import annotations

import asyncio
import logging

import pytest

from stockpot.gateway.models import GatewayPart, Route, Target, WeightedTarget
from stockpot.gateway.renewal import LATE_S, Renewal, ends_of
from stockpot.gateway.snapshot import Carried, View
from stockpot.providers.aws_roles import FULL, AwsRoles
from tests.vendors.aws_metadata_stub import Metadata


def view_of(ends: float) -> View:
    lent = {"access_key_id": "ASIA1", "secret_access_key": "leek/secret", "session_token": "old",
            "role": FULL, "role_ends": str(int(ends)), "default_region": "eu-west-1"}  # fmt: skip
    made = Target("aws/m", "aws", "bedrock", "https://x.example", "m", options=lent)
    other = Target("lab/m", "lab", "openai", "https://y.example/v1", "m")
    both = (WeightedTarget("aws/m"), WeightedTarget("lab/m"))
    return View(1, GatewayPart((), (), (Route("m", ("chat",), both),), (made, other)), Carried())


async def test_a_worker_renews_what_is_about_to_end_and_tells_once_what_it_cannot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "stockpot")
    metadata = Metadata()
    server = await asyncio.start_server(metadata.serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1/credentials"
    environ = {FULL: url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pod/1", "AWS_REGION": "us-west-9"}
    renewal = Renewal(AwsRoles(environ, metadata.clock, 30), metadata.clock)
    ends = metadata.now + 3600
    view = view_of(ends)
    target, digest = view.targets["aws/m"], view.routes["m"].digest
    metadata.serial = 2
    async with server:
        await renewal.look(None)
        await renewal.look(view)
        metadata.now = ends - LATE_S - 1
        await renewal.look(view)
        assert (metadata.asked, ends_of(view)) == (0, ends)  # the control plane's business
        metadata.now += 1
        for _ in range(3):
            await renewal.look(view)
        assert metadata.asked == 1
        assert target.spec.options["session_token"] == "leek+token2"
        assert target.spec.options["default_region"] == "eu-west-1"
        assert ends_of(view) == metadata.now + 3600
        fresh = view_of(ends_of(view) or 0)  # cached answers outlive a credential
        assert fresh.routes["m"].digest == view.routes["m"].digest == digest
        metadata.token = "pod/2"
        for _ in range(3):
            metadata.now = max(metadata.now + 60, ends + 3600 - LATE_S)
            await renewal.look(view)
    assert metadata.asked == 4
    assert target.spec.options["session_token"] == "leek+token2"
    assert caplog.text.count("calls to aws fail from") == 1
    assert "renewed the credentials of aws/m" in caplog.text
    assert "leek" not in caplog.text
