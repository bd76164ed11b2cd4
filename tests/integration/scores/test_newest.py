"""The newest score counts and summaries add up, on either kind of store."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.integration.control.plane import Plane
from tests.integration.scores.called import Called

pytestmark = pytest.mark.integration
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


async def test_a_newer_score_takes_the_place_of_the_older_which_stays_in_the_history(
    admin: httpx.AsyncClient, called: Called
) -> None:
    trace = called.call().record.trace_id.hex()
    await wrote(admin, trace_id=trace.upper(), value=0.2, comment="thin")
    await wrote(admin, trace_id=trace, value=0.9)
    await wrote(admin, trace_id=trace, value=0.4, author="ben")
    now = await listed(admin, trace_id=trace)
    assert [(s["author"], s["value"]) for s in now] == [("ben", 0.4), ("command line", 0.9)]
    history = await listed(admin, trace_id=trace, history=True)
    assert [(s["value"], s["superseded"]) for s in history] == [
        (0.4, False), (0.9, False), (0.2, True),
    ]  # fmt: skip
    await wrote(admin, trace_id=trace, author="ben", retracted=True)
    assert [s["author"] for s in await listed(admin, trace_id=trace)] == ["command line"]


async def test_a_summary_tells_names_and_groups_apart(
    admin: httpx.AsyncClient, called: Called
) -> None:
    values = {"small": [1.0, 0.0, 1.0], "large": [0.5]}
    for model, given in values.items():
        for value in given:
            trace = called.call(model=model).record.trace_id.hex()
            await wrote(admin, trace_id=trace, value=value, label="yes" if value else "no")
    await wrote(admin, session="s1", name="tone", label="warm")
    answer = await admin.get(f"{API}/summary", params={"by": "model"})
    found = {(row["name"], row["key"]["model"]): row for row in answer.json()}
    small = found["quality", "small"]
    assert (small["n"], small["numbers"], small["positive"], small["traces"]) == (3, 3, 2, 3)
    assert small["mean"] == pytest.approx(2 / 3)
    assert small["sd"] == pytest.approx((1 / 3) ** 0.5)
    assert small["labels"] == {"yes": 2, "no": 1}
    assert (found["quality", "large"]["mean"], found["quality", "large"]["sd"]) == (0.5, None)
    assert found["tone", ""]["mean"] is None
    for by in ("name", "prompt", "day", "source", "author", "variant", "environment"):
        rows = (await admin.get(f"{API}/summary", params={"by": by})).json()
        assert sum(row["n"] for row in rows) == 5, by


async def test_what_people_said_of_a_session_stands_beside_it(
    admin: httpx.AsyncClient, called: Called
) -> None:
    first, second = (called.call(session="table-7") for _ in range(2))
    called.call(session="table-8")
    said = {"source": "end_user", "author": "ann"}
    trace = first.record.trace_id.hex()
    both = {"trace_id": trace, "session": "table-7"}
    await wrote(admin, **both, name="thumbs", value=0, comment="cold", **said)
    await wrote(admin, trace_id=second.record.trace_id.hex(), name="thumbs", value=1, **said)
    await wrote(admin, session="table-7", name="csat", value=4, **said)
    await wrote(admin, trace_id=trace, name="judged", value=1, source="judge")
    asked = {"session": ["table-7", "table-8", "nobody"]}
    answer = await admin.get("/api/v1/sessions/feedback", params=asked)
    (session,) = answer.json()
    told = {"up": 1, "down": 1, "comments": 1, "corrections": 0, "others": 1, "name": "csat",
            "mean": 4.0}  # fmt: skip
    assert {name: session[name] for name in told} == told
    assert (session["session"], session["project"]) == ("table-7", "default")
    assert {one["trace_id"]: (one["up"], one["down"]) for one in session["traces"]} == {
        trace: (0, 1), second.record.trace_id.hex(): (1, 0),
    }  # fmt: skip
