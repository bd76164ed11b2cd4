"""Credentials of AWS roles, asked of a server that speaks as AWS's metadata services do."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from stockpot.catalog import references
from stockpot.catalog.references import Unresolved, prepared, resolve_secret
from stockpot.providers import aws_roles
from stockpot.providers.aws_roles import FULL, INSTANCE, OFTEN_S, RELATIVE, AwsRoles, RoleFault
from tests.vendors.aws_metadata_stub import Metadata


@pytest.fixture
async def metadata() -> AsyncIterator[Metadata]:
    made = Metadata()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


async def test_a_containers_role_is_renewed_long_before_it_ends(
    metadata: Metadata, tmp_path: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    caplog.set_level(logging.INFO, "stockpot")
    file = tmp_path / "token"
    file.write_text("pod/1\n")
    roles = AwsRoles(
        {
            FULL: f"http://127.0.0.1:{metadata.port}/v1/credentials", "AWS_REGION": "eu-west-1",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(file),
        }, metadata.clock, 30,
    )  # fmt: skip
    monkeypatch.setattr(references, "ROLES", roles)
    with pytest.raises(Unresolved, match="not asked for yet"):
        resolve_secret(f"env:{FULL}")
    await prepared([f"env:{FULL}", "env:HOME", "file:/x", ""])
    assert json.loads(resolve_secret(f"env:{FULL}")) == {
        "access_key_id": "ASIA1", "secret_access_key": "leek/secret",
        "session_token": "leek+token1", "default_region": "eu-west-1",
        "role": FULL, "role_ends": f"{metadata.now + 3600:.0f}"}  # fmt: skip
    metadata.now += OFTEN_S - 1
    metadata.serial, metadata.token = 2, "pod/2"
    await roles.refresh()
    assert (metadata.asked, roles.version) == (1, 1)
    metadata.now += 1  # AWS may have a newer one, and the token is another one by now
    await roles.refresh()
    await roles.refresh()
    assert metadata.asked == 2
    assert "ASIA1" in roles.secret(FULL)
    file.write_text("pod/2\n")
    metadata.now += 60
    await roles.refresh()
    assert (roles.version, "ASIA2" in roles.secret(FULL)) == (2, True)
    metadata.now += 3601
    with pytest.raises(RoleFault):
        roles.secret(FULL)
    assert "401" in caplog.text
    assert not any(word in caplog.text for word in ("leek", "pod/", "ASIA"))


async def test_an_instances_role_is_asked_for_by_imdsv2_and_only_where_it_may_be(
    metadata: Metadata,
) -> None:
    environ = {INSTANCE: f"http://127.0.0.1:{metadata.port}/"}
    roles = AwsRoles(environ, metadata.clock, 30)
    await roles.want(frozenset((INSTANCE,)))
    assert json.loads(roles.secret(INSTANCE))["access_key_id"] == "ASIA1"
    assert metadata.asked == 3
    for wrong in ({}, {**environ, "AWS_EC2_METADATA_DISABLED": "true"}):
        roles = AwsRoles(wrong, metadata.clock, 30)
        await roles.want(frozenset((INSTANCE, "HOME")))
        with pytest.raises(RoleFault):
            roles.secret(INSTANCE)
    assert metadata.asked == 3


@pytest.mark.parametrize(
    "odd", [b"", b"[]", b'{"Code": "Failed"}', b'{"AccessKeyId": "leek"}', b"x" * 70_000,
            b'{"AccessKeyId": "leek", "SecretAccessKey": "s", "Expiration": "2020-01-01"}']
)  # fmt: skip
async def test_what_is_no_credential_is_told_without_its_words(
    metadata: Metadata, odd: bytes
) -> None:
    metadata.odd = odd
    url = f"http://localhost:{metadata.port}/v1/credentials"
    roles = AwsRoles({FULL: url}, metadata.clock, 30)
    await roles.want(frozenset((FULL,)))
    with pytest.raises(RoleFault) as told:
        roles.secret(FULL)
    assert "answer" in told.value.message
    assert "leek" not in told.value.message


async def test_nobody_is_asked_but_the_documented_addresses(metadata: Metadata) -> None:
    container, instance = aws_roles._CONTAINER, aws_roles._METADATA
    for url, known in (
        ("http://169.254.170.2/v2/credentials/x", container),
        ("http://169.254.170.23/v1/credentials", container),
        ("http://[fd00:ec2::23]/v1/credentials", container),
        ("http://169.254.169.254", instance), ("http://[fd00:ec2::254]", instance),
    ):  # fmt: skip
        assert aws_roles.checked(url, known) == url
        with pytest.raises(RoleFault):
            aws_roles.checked(url, instance if known is container else container)
    for url in (
        "http://10.0.0.1/x", "https://8.8.8.8/x", "http://evil.example/x", "ftp://127.0.0.1/",
        "http://169.254.170.2@evil.example/", "http://u@169.254.170.2/", "http://2852039166/",
        "http://[::ffff:10.0.0.1]/", "http://169.254.170.2:x/", "", "http://0.0.0.0/",
    ):  # fmt: skip
        with pytest.raises(RoleFault):
            aws_roles.checked(url, container)
    for environ in (
        {FULL: f"http://127.0.0.1:{metadata.port}/moved"},
        {RELATIVE: "@evil.example/x"}, {RELATIVE: "//evil.example/x"},
    ):  # fmt: skip
        roles = AwsRoles(environ, metadata.clock, 30)
        await roles.want(frozenset((FULL, RELATIVE)))
        with pytest.raises(RoleFault):
            roles.secret(next(iter(environ)))
    assert metadata.asked == 1  # where it was sent on to is not asked
    assert references.AWS not in aws_roles.VARIABLES
