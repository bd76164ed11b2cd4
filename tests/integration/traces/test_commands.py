"""`stockpot traces` on a terminal."""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from click.testing import CliRunner, Result

from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance
from stockpot.traces import open_span_log
from stockpot.traces.cli import traces
from tests.integration.traces.conftest import ITEMS, Asked
from tests.unit.traces.made import make_shipment, make_shipped

pytestmark = pytest.mark.integration
IDS = [item.record.trace_id.hex() for item in ITEMS]


def run(asked: Asked | None, *arguments: str, **environ: str) -> Result:
    return CliRunner().invoke(traces, arguments, obj=asked and asked.client, env=environ)


def printed(asked: Asked, *arguments: str) -> Any:
    ran = run(asked, *arguments, "--json")
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


def test_a_list_tells_scripts_what_they_ask_for_first(asked: Asked) -> None:
    rows = printed(asked, "list", "--limit", "2", "--environment", "production")
    assert [row["trace_id"] for row in rows] == [IDS[3], IDS[2]]
    assert rows[0] | {
        "model": "gpt-4o-mini", "cost_nano": 2_500_000, "cost_usd": 0.0025, "ttft_ms": 90.0,
        "status": "ok", "project": "menu", "key": "key_a",
    } == rows[0]  # fmt: skip
    assert rows[0]["tokens"]["output"] == 7
    assert rows[0]["duration_ms"] > 0
    assert rows[1]["cost_usd"] is None


@pytest.mark.parametrize(
    ("options", "numbers"),
    [
        (["--search", "soup"], [1, 0]),
        (["--failed"], [2]),
        (["--key", "key_b"], [1]),
        (["--min-cost", "0.002"], [3]),
        (["--project", "till", "--status", "ok"], []),
        (["--asked-for", "fast", "--tag", "lunch"], [0]),
    ],
)
def test_a_list_is_filtered(asked: Asked, options: list[str], numbers: list[int]) -> None:
    assert [row["trace_id"] for row in printed(asked, "list", *options)] == [
        IDS[n] for n in numbers
    ]


@pytest.mark.parametrize(
    ("command", "name"), [("sessions", "s1"), ("users", "u1"), ("tags", "lunch")]
)
def test_sessions_users_and_tags_are_listed(asked: Asked, command: str, name: str) -> None:
    assert [row["name"] for row in printed(asked, command)] == [name]
    assert name in run(asked, command, "--order", "cost").output
    assert "header" in run(asked, command, "--project", "nowhere").output or command == "users"


def test_two_traces_and_two_windows_are_compared(asked: Asked) -> None:
    text = run(asked, "diff", IDS[0][:16], IDS[1]).output
    assert "input: what soup today -> and tomorrow" in text
    assert printed(asked, "diff", IDS[0], IDS[0])["same"] == 1
    assert printed(asked, "changes", "--last", "1h", "--ago", "7d")["dimensions"]
    assert "no call" in run(asked, "changes", "--project", "menu").output


def test_a_list_for_people_shows_unknown_cost_as_unknown(asked: Asked) -> None:
    text = run(asked, "list", "--failed").output
    assert "unknown" in text
    assert "timeout" in text
    assert IDS[2][:16] in text


def test_an_empty_list_teaches_the_next_step(asked: Asked) -> None:
    assert "ask for less" in run(asked, "list", "--project", "nobody").output


def test_a_trace_is_shown_by_the_beginning_of_its_id(asked: Asked) -> None:
    text = run(asked, "show", IDS[0][:16], "--payload").output
    assert f"trace {IDS[0]}" in text
    assert "what soup today" in text
    assert "upstream 80 ms" in text
    assert printed(asked, "show", IDS[0])["spans"][0]["provider"] == "openai"


def test_an_unknown_beginning_says_how_to_look(asked: Asked) -> None:
    ran = run(asked, "show", "00000000")
    assert ran.exit_code == 1
    assert "no trace begins with '00000000'" in str(ran.exception)


def test_an_export_goes_to_a_file(asked: Asked, tmp_path: Path) -> None:
    out = tmp_path / "all.jsonl"
    ran = run(asked, "export", "--project", "menu", "--payloads", "--out", str(out))
    assert "3 spans" in ran.stderr
    lines = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [line["trace_id"] for line in lines] == [IDS[0], IDS[1], IDS[3]]
    assert "leek" in lines[0]["response"]


def test_an_export_is_a_parquet_file_that_others_read(asked: Asked, tmp_path: Path) -> None:
    out = tmp_path / "all.parquet"
    asks = ("export", "--project", "menu", "--payloads", "--format", "parquet")
    ran = run(asked, *asks, "--output", str(out))
    assert "3 spans" in ran.stderr, ran.output
    lines = list(asked.client.stream("/api/v1/traces/export", project="menu", payloads=True))
    rows = parquet.read_table(out).to_pylist()
    for row in rows:
        texts = ("params", "stages_ms", "cost_detail", "bill", "exposures")
        row |= {n: json.loads(row[n]) for n in texts}
    assert rows == lines
    types = {field.name: str(field.type) for field in parquet.read_schema(out)}
    assert (types["cost_nano"], types["start_ms"], types["is_root"]) == ("int64", "double", "bool")
    assert run(asked, "export", "--project", "nobody", *asks[3:], "--out", str(out)).exit_code == 0
    assert parquet.read_table(out).num_rows == 0
    assert [path.name for path in tmp_path.iterdir()] == ["all.parquet"]
    assert "--output FILE" in run(asked, *asks).output


def test_parquet_without_its_package_says_what_to_install(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    ran = run(asked, "export", "--format", "parquet", "--out", str(tmp_path / "x.parquet"))
    assert isinstance(ran.exception, ConfigError)
    assert "stockpot[parquet]" in ran.exception.hint


def test_a_tail_prints_what_arrives_until_the_server_stops(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    began, sent = threading.Event(), threading.Event()
    since = asked.followed.since

    def looked(where: Any, position: int) -> Any:
        found = since(where, position)
        began.set()
        if found[0]:
            sent.set()
        return found

    monkeypatch.setattr(asked.followed, "since", looked)

    def arrive() -> None:
        began.wait(60)
        asked.log.ingest(
            make_shipment(make_shipped(950, project="told", environment="lab"), stream="told-0-1")
        )
        sent.wait(60)
        asked.followed.stop_following()

    thread = threading.Thread(target=arrive)
    thread.start()
    ran = run(asked, "tail", "--project", "told", "--json")
    thread.join()
    asked.followed.following = True
    assert [json.loads(line)["project"] for line in ran.stdout.splitlines()] == ["told"]


def test_verification_needs_no_running_instance(tmp_path: Path) -> None:
    log = open_span_log(Instance(tmp_path))
    log.ingest(make_shipment(make_shipped(1)))
    log.close()
    ran = run(None, "verify", STOCKPOT_HOME=str(tmp_path))
    assert ran.exit_code == 0, ran.output
    assert "lost               0" in ran.output


@pytest.mark.parametrize("command", ["list", "show", "tail", "export", "verify"])
def test_help_has_an_example(command: str) -> None:
    text = run(None, command, "--help").output
    assert "Example:" in text
    assert f"stockpot traces {command}" in text


def test_a_span_explains_its_price_on_the_terminal(asked: Asked) -> None:
    item = make_shipped(
        960, project="billed", environment="lab", input_tokens=1000, output_tokens=0,
        cache_read_tokens=400, reasoning_tokens=0, cost_nano=120_000,
        cost_detail=(90_000, 0, 30_000), unit_prices=(150_000, 0, 75_000), saved_nano=30_000,
        price_id="own/price_1", price_source="contract, page 3", service_tier="flex",
    )  # fmt: skip
    asked.log.ingest(make_shipment(item, stream="billed-0-1"))
    said = run(asked, "show", item.record.trace_id.hex()).output
    assert "input: 600 at $0.00000015 is $0.000090000" in said
    assert "cache_read: 400 at $0.000000075 is $0.000030000" in said
    assert "price own/price_1 (contract, page 3, tier flex)" in said
    assert "the provider's cache saved $0.000030000" in said
    (span,) = printed(asked, "show", item.record.trace_id.hex())["spans"]
    assert span["bill"][0] == {
        "bucket": "input", "quantity": 600, "unit_pico": 150_000, "nano": 90_000,
    }  # fmt: skip
