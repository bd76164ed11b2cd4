"""Whatever is sent, the API answers as its own description says, and never with a server error."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as described

from stockpot.app import control_app
from stockpot.core import config
from stockpot.core.instance import Instance

pytestmark = pytest.mark.integration

EXAMPLES = min(settings().max_examples // 8, 500)
"""For each operation; the nightly profile tries many more, and what is forbidden as well."""

CHECKS = [
    checks.not_a_server_error,
    described.status_code_conformance,
    described.content_type_conformance,
    described.response_schema_conformance,
]

NOT_HERE = r"/api/v1/traces/(tail|renormalise)|/api/v1/playground|/api/v1/session$|/events$"
"""Endless; needs ingest; needs a gateway; needs a cookie and ends it; endless."""

UNREAD = "Invalid HTTP request received."
"""The HTTP server's own word for an address of more than 64 KB, which the API never sees."""


@pytest.fixture(scope="module")
def token_and_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    home = tmp_path_factory.mktemp("api")
    found = config.load({"STOCKPOT_HOME": str(home)})
    # Nothing listens at the gateway's port, and no name can be resolved into a private address.
    found = found.replaced(discover=False, gateway_port=9, private_upstreams=False)
    instance = Instance(home)
    app = control_app(found, instance, watch=True)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield instance.derive("cli"), f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    "mode",
    [GenerationMode.POSITIVE, pytest.param(GenerationMode.NEGATIVE, marks=pytest.mark.nightly)],
    ids=["allowed", "forbidden"],
)
def test_every_answer_is_as_described(token_and_url: tuple[str, str], mode: GenerationMode) -> None:
    token, url = token_and_url
    schema = schemathesis.openapi.from_url(f"{url}/api/v1/openapi.json", timeout=120)
    found = schema.exclude(path_regex=NOT_HERE)
    operations = [result.ok() for result in found.get_all_operations()]
    assert len(operations) > 35
    for operation in operations:
        tried = try_operation(operation, {"authorization": f"Bearer {token}"}, mode)
        takes_something = operation.body or operation.query or operation.path_parameters
        assert tried > 0 or not takes_something, operation.label


def try_operation(operation: Any, headers: dict[str, str], mode: GenerationMode) -> int:
    """Send what its description allows, or forbids; returns how many were sent."""
    sent = 0
    allowed = mode is GenerationMode.POSITIVE

    @settings(
        max_examples=EXAMPLES if allowed else max(8, EXAMPLES // 4),
        deadline=None,
        derandomize=EXAMPLES < 500,  # `make nightly` draws anew each time, and forty times as much
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def each(case: schemathesis.Case) -> None:
        nonlocal sent
        sent += 1
        answer = case.call(headers=headers, timeout=30)
        if answer.text != UNREAD:
            case.validate_response(answer, checks=CHECKS)

    with suppress(Unsatisfiable):  # who takes nothing, forbids nothing
        each()
    return sent
