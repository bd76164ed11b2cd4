"""The routes of the span log, asked over HTTP."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest

from tests.integration.traces.conftest import ITEMS, Asked
from tests.unit.traces.made import AT_NS, make_shipment, make_shipped

pytestmark = pytest.mark.integration
IDS = [item.record.trace_id.hex() for item in ITEMS]
WINDOW = {"from_ms": AT_NS / 1e6, "to_ms": AT_NS / 1e6 + 600_000}


def known(items: list[dict[str, Any]]) -> list[str]:
    """Traces of the fixture, without what other tests have added."""
    return [item["trace_id"] for item in items if item["trace_id"] in IDS]


def test_traces_are_listed_newest_first(asked: Asked) -> None:
    page = asked.client.get("/api/v1/traces")
    assert known(page["items"]) == IDS[::-1]
    assert page["next_cursor"] is None


def test_pages_follow_their_cursor(asked: Asked) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = asked.client.get("/api/v1/traces", limit=1, cursor=cursor)
        seen += known(page["items"])
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == IDS[::-1]


@pytest.mark.parametrize(
    ("where", "numbers"),
    [
        ({"project": "till"}, [2]),
        ({"q": "soup"}, [1, 0]),
        ({"q": '"leek soup"'}, [0]),
        ({"tag": "lunch"}, [0]),
        ({"key_id": "key_b", "user": "u1"}, [1]),
        ({"status": "error"}, [2]),
        ({"unpriced": True}, [2]),
        ({"min_cost_nano": 2_000_000}, [3]),
        ({"trace_prefix": IDS[1][:7]}, [1]),
        ({"from_ms": AT_NS / 1e6 + 3000, "project": "menu"}, [3]),
    ],
)
def test_filters_are_query_parameters(
    asked: Asked, where: dict[str, Any], numbers: list[int]
) -> None:
    page = asked.client.get("/api/v1/traces", **where)
    assert known(page["items"]) == [IDS[n] for n in numbers]


@pytest.mark.parametrize(
    "query",
    ["?statsu=ok", "?limit=0", "?limit=501", "?cursor=nonsense", "?trace_prefix=xyz", "?q=!!"],
)
def test_what_cannot_be_asked_is_refused_in_plain_words(asked: Asked, query: str) -> None:
    answer = asked.http.get(f"/api/v1/traces{query}")
    assert answer.status_code == 422
    assert answer.json()["error"]["message"]


def test_a_trace_shows_its_spans(asked: Asked) -> None:
    trace = asked.client.get(f"/api/v1/traces/{IDS[0]}")
    (span,) = trace["spans"]
    assert span["tokens"]["input"] == 11
    assert span["stages_ms"]["upstream"] == 80.0
    assert span["start_ms"] == AT_NS / 1e6 + 1000


@pytest.mark.parametrize(
    "path", ["/ab" * 16, "/" + "0" * 32, f"/{IDS[0]}/spans/{'0' * 16}/payload"]
)
def test_what_is_not_there_is_not_found(asked: Asked, path: str) -> None:
    assert asked.http.get(f"/api/v1/traces{path}").status_code in (404, 422)


def test_a_payload_is_the_bodies(asked: Asked) -> None:
    span = ITEMS[0].record.span_id.hex()
    payload = asked.client.get(f"/api/v1/traces/{IDS[0]}/spans/{span}/payload")
    assert payload["state"] == "full"
    assert json.loads(payload["request"])["messages"][0]["content"] == "what soup today"
    assert "leek" in payload["response"]


def test_a_trace_is_read_as_a_tree_and_compared_with_another(asked: Asked) -> None:
    tree = asked.client.get(f"/api/v1/traces/{IDS[0]}/tree")
    assert [(row["depth"], row["spans"]) for row in tree["rows"]] == [(0, 1)]
    found = asked.client.get("/api/v1/traces/diff", before=IDS[0], after=IDS[1])
    told = {d["what"]: (d["before"], d["after"]) for d in found["rows"][0]["differences"]}
    assert told["input"] == ("what soup today", "and tomorrow")
    assert asked.http.get(f"/api/v1/traces/diff?before={IDS[0]}&after=00").status_code == 422


def test_what_changed_is_told_between_two_windows(asked: Asked) -> None:
    start = AT_NS / 1e6
    windows = {"base_from_ms": start, "base_to_ms": start + 2500, "from_ms": start + 2500,
               "to_ms": start + 10_000}  # fmt: skip
    asked.client.post("/api/v1/projects", {"name": "menu"})
    asked.client.post("/api/v1/scores", {"scores": [
        {"project": "menu", "trace_id": IDS[3], "name": "thumb", "value": 1}]})  # fmt: skip
    found = asked.client.get("/api/v1/traces/changes", **windows)
    assert [found["totals"][w]["calls"] for w in ("base", "now")] == [2, 2]
    assert found["totals"]["now"]["errors"] == 1
    assert all(d["distance"] == 0 for d in found["dimensions"])
    wide = asked.client.get("/api/v1/traces/changes", from_ms=start, to_ms=9e12)
    assert [s["name"] for s in wide["totals"]["now"]["feedback"]] == ["thumb"]
    assert asked.http.get("/api/v1/traces/changes?from_ms=5&to_ms=4").status_code == 422


def test_a_session_is_a_conversation(asked: Asked) -> None:
    (session,) = asked.client.get("/api/v1/sessions", project="menu")["items"]
    assert (session["name"], session["user"], session["traces"]) == ("s1", "u1", 1)
    told = asked.client.get("/api/v1/sessions/conversation", session="s1")
    assert [(t["asked"], t["answered"]) for t in told["turns"]] == [("and tomorrow", "pea soup")]
    assert asked.http.get("/api/v1/sessions/conversation?session=none").status_code == 404
    assert [u["name"] for u in asked.client.get("/api/v1/end-users")["items"]] == ["u1"]
    assert [t["name"] for t in asked.client.get("/api/v1/tags")["items"]] == ["lunch"]


def test_an_overview_counts_calls_and_money(asked: Asked) -> None:
    found = asked.client.get("/api/v1/overview", project="menu", bucket_ms=60_000, **WINDOW)
    assert found["totals"]["calls"] == 3
    assert found["totals"]["cost_nano"] == 2_502_000
    assert {group["key"]: group["totals"]["calls"] for group in found["by_key"]} == {
        "key_a": 2, "key_b": 1,
    }  # fmt: skip
    assert sum(point["totals"]["calls"] for point in found["series"]) == 3


def test_spending_is_told_apart_by_what_is_asked(asked: Asked) -> None:
    found = asked.client.get("/api/v1/spending", by="key", project="menu", **WINDOW)
    assert {group["key"]: group["totals"]["calls"] for group in found["groups"]} == {
        "key_a": 2, "key_b": 1,
    }  # fmt: skip
    assert found["totals"]["cost_nano"] == sum(found["costs"]) == 2_502_000
    narrowed = asked.client.get(
        "/api/v1/spending", by="day", project="menu", key_id="key_b", **WINDOW
    )
    assert [group["totals"]["cost_nano"] for group in narrowed["groups"]] == [1_000]
    assert asked.http.get("/api/v1/spending?by=weather").status_code == 422


def test_an_overview_chooses_buckets_that_can_be_drawn(asked: Asked) -> None:
    day = {"from_ms": AT_NS / 1e6, "to_ms": AT_NS / 1e6 + 30 * 86_400_000}
    assert 60 <= len(asked.client.get("/api/v1/overview", **day)["series"]) <= 130


@pytest.mark.parametrize(
    "query", ["?from_ms=5&to_ms=4", "?bucket_ms=1", "?from_ms=0&to_ms=1e13&bucket_ms=60000"]
)
def test_a_senseless_window_is_refused(asked: Asked, query: str) -> None:
    assert asked.http.get(f"/api/v1/overview{query}").status_code == 422


def test_an_export_is_lines_of_spans_in_the_order_of_arrival(asked: Asked) -> None:
    lines = list(asked.client.stream("/api/v1/traces/export", project="menu"))
    assert known(lines) == [IDS[0], IDS[1], IDS[3]]
    assert lines[0]["request"] is None
    lines = list(asked.client.stream("/api/v1/traces/export", q="leek", payloads=True))
    assert "leek" in lines[0]["response"]


def test_a_tail_tells_what_arrives_and_goes_on_after_a_break(asked: Asked) -> None:
    late = [make_shipped(n, project="tailed") for n in (900, 901)]

    def arrive() -> None:
        asked.log.ingest(make_shipment(*late, stream="late-0-1"))

    with asked.http.stream("GET", "/api/v1/traces/tail?project=tailed") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == ": following"
        threading.Thread(target=arrive).start()
        number, event, data = (next(line for line in lines if line) for _ in range(3))
    assert event == "event: trace"
    assert json.loads(data.removeprefix("data: "))["trace_id"] == late[0].record.trace_id.hex()
    headers = {"last-event-id": number.removeprefix("id: ")}
    url = "/api/v1/traces/tail?project=tailed"
    with asked.http.stream("GET", url, headers=headers) as answer:
        data = next(line for line in answer.iter_lines() if line.startswith("data:"))
    assert json.loads(data.removeprefix("data: "))["trace_id"] == late[1].record.trace_id.hex()


def test_a_verification_finds_nothing_lost(asked: Asked) -> None:
    found = asked.client.get("/api/v1/traces/verify")
    assert (found["lost"], found["problems"]) == (0, [])
    assert found["spans"] >= 4


@pytest.mark.parametrize(
    "path",
    [
        "/overview",
        "/spending",
        "/spending/forecast",
        "/traces",
        "/traces/tail",
        "/traces/export",
        "/traces/verify",
        "/sessions",
        "/sessions/conversation?session=s1",
        "/end-users",
        "/tags",
        f"/traces/{IDS[0]}",
    ],
)
def test_nobody_reads_without_signing_in(asked: Asked, path: str) -> None:
    answer = asked.http.get(f"/api/v1{path}", headers={"authorization": ""})
    assert answer.status_code == 401


def test_spending_since_a_time_is_known_by_key_and_by_project(asked: Asked) -> None:
    since = AT_NS / 1e6 - 60_000
    assert asked.log.spent("host-9-9", "key", "key_b", since) == 1_000
    assert asked.log.spent("host-9-9", "project", "menu", since) == 2_502_000
    assert asked.log.spent("host-9-9", "project", "menu", since + 86_400_000) == 0


def test_spending_is_unknown_while_records_wait(asked: Asked) -> None:
    (asked.instance.spool / "host-8-8").mkdir()
    assert asked.log.spent("host-8-8", "project", "menu", 0) is None
    (asked.instance.spool / "host-8-8").rmdir()
