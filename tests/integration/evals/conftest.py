"""Gives these tests a control plane, and a stand-in for the gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.control.plane import plane
from tests.integration.evals.stand_in import StandIn

__all__ = ["plane", "stand_in"]


@pytest.fixture
async def stand_in() -> AsyncIterator[StandIn]:
    async with StandIn() as running:
        yield running
