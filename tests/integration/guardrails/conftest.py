"""A worker under a policy, in front of a vendor stub."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from stockpot.core.instance import Instance
from stockpot.gateway import GatewayPart, Part, Snapshot
from stockpot.rails import RAILS_PART, RAILS_PART_VERSION, Policy, RailsPart, Rule
from tests.integration.gateway.conftest import SECRET, Rig
from tests.vendors.openai_stub import VENDOR_KEY, OpenAIStub


class GuardedRig(Rig):
    """A rig whose project has a policy of these rules."""

    policy: Policy = Policy("pol_t", "careful")
    by_route: dict[str, str] | None = None

    def guard(self, *rules: Rule, **changes: Any) -> GuardedRig:
        self.policy = Policy("pol_t", "careful", rules, **changes)
        return self

    def publish(self) -> None:
        part = GatewayPart(self.keys, self.projects, self.routes, self.targets)
        where = {} if self.by_route else {"default": "pol_t"}
        rails = RailsPart((self.policy,), {}, self.by_route or {}, where)
        parts = (
            Part("gateway", 1, msgspec.msgpack.encode(part)),
            Part(RAILS_PART, RAILS_PART_VERSION, msgspec.msgpack.encode(rails)),
        )
        instance = Instance(self.home)
        sealed = instance.seal(msgspec.msgpack.encode(Snapshot(7, 0, parts)))
        (instance.run / "snapshot.sealed").write_bytes(sealed)


@pytest.fixture
def stub() -> Iterator[OpenAIStub]:
    with OpenAIStub() as running:
        yield running


@pytest.fixture
def rig(tmp_path: Path, stub: OpenAIStub) -> Iterator[GuardedRig]:
    made = GuardedRig(tmp_path / "home", stub)
    made.home.mkdir()
    yield made
    log = made.stop()
    assert "Traceback" not in log, log
    assert SECRET not in log
    assert VENDOR_KEY not in log
