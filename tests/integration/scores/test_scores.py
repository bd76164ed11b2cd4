"""Scores over HTTP: repeated, learned, paged, refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from stockpot import catalog
from stockpot.traces import NewScore, ScoreFilter, ScoreService
from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.parametrize("plane", ["sqlite"], indirect=True),
]
API = "/api/v1/scores"


@pytest.fixture
def called(plane: Plane) -> Called:
    return Called(plane)


@pytest.fixture
async def admin(plane: Plane) -> httpx.AsyncClient:
    return await plane.admin()


async def wrote(client: httpx.AsyncClient, **score: Any) -> Any:
    given = {"project": "default", "name": "quality", **score}
    answer = await client.post(API, json={"scores": [given]})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def listed(client: httpx.AsyncClient, **where: Any) -> list[dict[str, Any]]:
    answer = await client.get(API, params=where)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_a_repetition_changes_nothing_and_another_content_is_refused(
    admin: httpx.AsyncClient, called: Called
) -> None:
    trace = called.call().record.trace_id.hex()
    score = {"trace_id": trace, "value": 1.0, "id": "run-7:3"}
    assert await wrote(admin, **score) == {"ids": ["run-7:3"], "repeated": []}
    assert await wrote(admin, **score) == {"ids": ["run-7:3"], "repeated": ["run-7:3"]}
    assert len(await listed(admin, history=True)) == 1
    other = {"project": "default", "name": "quality", **score, "value": 0.0}
    fresh = {"project": "default", "name": "other", "trace_id": trace, "value": 1.0}
    answer = await admin.post(API, json={"scores": [fresh, other]})
    assert answer.status_code == 409
    assert "run-7:3" in answer.json()["error"]["message"]
    assert len(await listed(admin, history=True)) == 1, "all or none"


async def test_what_a_score_is_about_is_learned_when_the_span_arrives(
    admin: httpx.AsyncClient, called: Called, plane: Plane
) -> None:
    late = called.made(7, "leek soup", user="u7")
    trace = late.record.trace_id.hex()
    await wrote(admin, trace_id=trace, correction="leek stew")
    (before,) = await listed(admin, trace_id=trace)
    assert (before["model"], before["edit_distance"]) == ("", None)
    called.arrive(late)
    plane.app.state.control.scores._retry.clear()  # not to wait for the second attempt's turn
    (after,) = await listed(admin, trace_id=trace)
    assert (after["model"], after["user"]) == ("gpt-4o-mini", "u7")
    assert after["edit_distance"] == 3
    assert after["edit_share"] == pytest.approx(3 / 9)


async def test_scores_of_what_never_comes_keep_none_from_being_learned(
    called: Called, plane: Plane
) -> None:
    control = plane.app.state.control
    service = ScoreService(control.db, control.spans, catalog.project_names)
    late = called.made(8, "pea soup", user="u8")
    about = late.record.trace_id.hex()
    given = {"project": "default", "name": "quality", "value": 1.0}
    await service.write([NewScore(**given, trace_id=about)])
    await service.write([NewScore(**given, trace_id=f"{n:032x}") for n in range(1, 602)])
    assert await service.learn_all() == 0
    called.arrive(late)
    service._retry.clear()  # not to wait for the second attempt's turn
    assert await service.learn() == 0, "that looks at the newest alone"
    assert await service.learn_all() == 1
    (found,) = (await service.query(ScoreFilter(project="default", trace_id=about))).items
    assert (found.model, found.user) == ("gpt-4o-mini", "u8")


async def test_pages_follow_their_cursor(admin: httpx.AsyncClient, called: Called) -> None:
    trace = called.call().record.trace_id.hex()
    names = [f"n{i}" for i in range(5)]
    some = [{"project": "default", "trace_id": trace, "name": n, "value": 1} for n in names]
    await admin.post(API, json={"scores": some})
    seen, cursor = [], None
    while True:
        asked = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await admin.get(API, params=asked)).json()
        seen += [score["name"] for score in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == names[::-1]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"value": 1}, "trace_id"),
    ({"trace_id": "ab" * 16}, "value"),
    ({"span_id": "ab" * 8, "session": "s", "value": 1}, "span_id"),
    ({"trace_id": "xy" * 16, "value": 1}, "trace_id"),
    ({"trace_id": "ab" * 16, "value": 1, "project": "nowhere"}, "no project 'nowhere'"),
]


async def test_what_cannot_be_a_score_is_refused_in_plain_words(admin: httpx.AsyncClient) -> None:
    for score, said in REFUSED:
        given = {"project": "default", "name": "quality", **score}
        answer = await admin.post(API, json={"scores": [given]})
        assert answer.status_code in (404, 422)
        assert said in answer.json()["error"]["message"]


async def test_who_writes_in_a_session_is_the_author(plane: Plane, called: Called) -> None:
    browser = await plane.signed_in()
    trace = called.call().record.trace_id.hex()
    await wrote(browser, trace_id=trace, value=1, author="somebody else", source="judge")
    (score,) = await listed(browser, trace_id=trace)
    assert (score["source"], score["author"]) != ("judge", "somebody else")
    assert score["source"] == "human"
