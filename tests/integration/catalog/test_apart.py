"""Limits of end users and of models are set by API, command and file, and reach the workers."""

from __future__ import annotations

import pytest

from tests.integration.control.plane import Plane
from tests.integration.revisions.test_plan_and_apply import part

pytestmark = pytest.mark.integration


async def test_limits_within_a_key_and_a_project_reach_the_snapshot(plane: Plane) -> None:
    admin = await plane.admin()
    apart = {"users": {"rpm": 5}, "models": {"gpt-4o": {"rpm": 60, "tpm": 900}}}
    made = (await admin.post("/api/v1/keys", json={"name": "k", "apart": apart})).json()
    assert made["record"]["apart"]["models"]["gpt-4o"]["tpm"] == 900
    await admin.patch("/api/v1/projects/default", json={"apart": {"users": {"tpm": 7}}})
    served = await part(plane)
    [key] = [key for key in served.keys if key.name == "k"]
    assert key.user_limits.rpm == 5
    [of_model] = key.model_limits
    assert (of_model.model, of_model.limits.rpm, of_model.limits.tpm) == ("gpt-4o", 60, 900)
    [project] = [p for p in served.projects if p.name == "default"]
    assert project.user_limits.tpm == 7
    exported = (await admin.get("/api/v1/export")).text
    assert "gpt-4o" in exported


async def test_a_limit_below_zero_is_refused_with_its_place(plane: Plane) -> None:
    admin = await plane.admin()
    wrong = {"name": "k", "apart": {"models": {"gpt-4o": {"rpm": -1}}}}
    answer = await admin.post("/api/v1/keys", json=wrong)
    assert answer.status_code in (400, 422)
    assert "rpm" in answer.text
