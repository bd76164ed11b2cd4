"""Limits of each end user and of single models, within a key and within a project."""

from __future__ import annotations

import pytest

from stockpot.gateway import Limits, ModelLimits, Project
from tests.integration.gateway.conftest import Rig, key

pytestmark = pytest.mark.integration


def test_each_end_user_has_a_limit_of_his_own_and_the_unnamed_share_one(rig: Rig) -> None:
    rig.keys = (key(user_limits=Limits(rpm=2)),)
    rig.start()
    assert [rig.post(user="ana").status_code for _ in range(3)] == [200, 200, 429]
    assert rig.post(user="bo").status_code == 200
    named = {"x-stockpot-user": "bo"}
    assert [rig.post(user="ana", headers=named).status_code for _ in range(2)] == [200, 429]
    assert [rig.post().status_code for _ in range(3)] == [200, 200, 429]
    refused = rig.post(user="ana")
    assert "end user 'ana' of key 'test' allows 2 requests per minute" in refused.text
    assert int(refused.headers["retry-after"]) >= 1


def test_a_model_of_a_project_has_a_limit_over_all_its_keys(rig: Rig) -> None:
    limits = (ModelLimits("dear", Limits(rpm=1)),)
    rig.projects = (Project("prj", "default", Limits(), model_limits=limits),)
    target = rig.target("upstream-1")
    rig.route("small", target)
    rig.route("dear", target)
    rig.start()
    assert [rig.post(model="dear").status_code for _ in range(2)] == [200, 429]
    assert [rig.post(model="small").status_code for _ in range(3)] == [200, 200, 200]
    assert "project 'default' for 'dear' allows 1" in rig.post(model="dear").text


def test_a_call_that_one_limit_refuses_is_charged_to_none(rig: Rig) -> None:
    rig.keys = (key(limits=Limits(rpm=4), user_limits=Limits(rpm=1)),)
    rig.start()
    assert [rig.post(user="ana").status_code for _ in range(4)] == [200, 429, 429, 429]
    others = [rig.post(user=f"user-{n}").status_code for n in range(4)]
    assert others == [200, 200, 200, 429]
