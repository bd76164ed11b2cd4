"""The server may be away, busy or unkind: the application does not notice, and is told once."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from base64 import b64encode
from pathlib import Path

import pytest

from stockpot.sdk import Observer, Options
from stockpot.sdk.http import Answer, Away
from stockpot.sdk.options import from_environment
from tests.unit.sdk.conftest import Collector, until

AWAY = "http://127.0.0.1:9"


def observer(url: str, **more: object) -> Observer:
    more = {"send_every_s": 0.01, "exit_s": 0.2, **more}
    return Observer(Options(url=url, key="sk", **more))  # type: ignore[arg-type]


def test_while_the_server_is_away_nothing_waits_and_the_buffer_keeps_its_bound(
    caplog: pytest.LogCaptureFixture,
) -> None:
    observe = observer(AWAY, buffer_items=20)
    began = time.monotonic()
    for number in range(100):
        with observe(f"span {number}"):
            pass
    assert time.monotonic() - began < 10
    assert (observe.counts()["waiting"], observe.counts()["dropped"]) == (20, 80)
    assert observe.flush(0.1) is False
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len([one for one in told if "is dropped" in one]) == 1
    away = [one for one in told if "is away" in one and "up to 20 spans" in one]
    assert len(away) == 1  # observers of other tests may still end, and say so


def test_the_buffer_is_bounded_in_bytes_too() -> None:
    observe = observer(AWAY, buffer_bytes=10_000)
    for _ in range(5):
        with observe("large", input="x" * 4000):
            pass
    assert (observe.counts()["waiting"], observe.counts()["dropped"]) == (2, 3)


def test_spans_wait_for_a_server_that_comes_back() -> None:
    gone = Collector()
    port, url = gone.port, gone.url
    gone.stop()
    observe = observer(url)
    with observe("early"):
        pass
    until(lambda: observe.counts()["waiting"] == 1)
    back = Collector(port)
    try:
        assert observe.flush()
        assert [span["name"] for span in back.all(1)] == ["early"]
    finally:
        back.stop()


def test_a_key_may_end_with_the_line_of_the_file_that_it_was_read_from() -> None:
    found = from_environment({"STOCKPOT_KEY": "sk-1\n", "STOCKPOT_URL": " http://pot:4001 "})
    assert (found.key, found.url) == ("sk-1", "http://pot:4001")


def test_a_busy_server_is_asked_again_and_gets_each_span_once(server: Collector) -> None:
    server.statuses = [503, 429, 502]
    observe = observer(server.url)
    with observe("one"):
        pass
    assert observe.flush()
    assert len(server.all()) == 1
    assert len(server.heads) == 4
    assert observe.counts() == {"waiting": 0, "sent": 1, "dropped": 0, "refused": 0}


def test_who_waits_for_an_absent_server_asks_it_at_growing_intervals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def away(url: str, *_: object) -> Answer:
        asked.append(url)
        raise Away("nobody there")

    monkeypatch.setattr("stockpot.sdk.sender.ask", away)
    observe = observer(f"{AWAY}/alone", send_every_s=60)
    with observe("one"):
        pass
    assert observe.flush(0.8) is False
    asked = [url for url in asked if "/alone/" in url]  # observers of other tests may still ask
    assert 1 < len(asked) <= 6  # at 0, 50, 150, 350, 750 ms


def test_what_is_refused_is_counted_and_does_not_hold_up_the_rest(
    server: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    server.statuses = [401]
    observe = observer(server.url)
    with observe("refused"):
        pass
    assert observe.flush()
    with observe("taken"):
        pass
    assert observe.flush()
    assert observe.counts() == {"waiting": 0, "sent": 1, "dropped": 0, "refused": 1}
    assert "status 401" in caplog.text


def test_one_bad_piece_of_feedback_does_not_spoil_the_others(server: Collector) -> None:
    observe = observer(server.url, send_every_s=60)
    for number in range(4):
        observe.give({"trace_id": "0" * 32, "value": number})
    server.statuses = [422, 200, 422, 422]
    assert observe.flush()
    assert [item["value"] for item in server.feedback()] == [0, 1, 3]
    assert observe.counts() == {"waiting": 0, "sent": 3, "dropped": 0, "refused": 1}


def test_a_large_batch_is_compressed_and_many_spans_go_together(server: Collector) -> None:
    observe = observer(server.url, send_every_s=60)
    for number in range(500):
        with observe(f"span {number}"):
            pass
    assert len(server.all(500)) == 500  # a full batch does not wait
    assert len(server.bodies) == 1
    assert server.heads[0]["content-encoding"] == "gzip"


def test_what_is_sent_is_otlp_to_the_letter(server: Collector) -> None:
    from google.protobuf import json_format
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
        ExportTraceServiceRequest,
    )

    observe = observer(server.url, service="kitchen", release="1.2", environment="dev")
    with pytest.raises(ValueError), observe("all", kind="llm", tags=["a"]) as span:  # noqa: PT012
        span.set(input=[{"role": "user", "content": "hi"}], usage={"input_tokens": 2})
        raise ValueError("bad")
    server.all(1)
    body = json.loads(json.dumps(server.bodies[0][1]))
    (told,) = body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    for name in ("traceId", "spanId"):  # the protocol's one exception to protobuf's JSON: hex
        told[name] = b64encode(bytes.fromhex(told[name])).decode()
    request = json_format.ParseDict(body, ExportTraceServiceRequest())
    (read,) = request.resource_spans[0].scope_spans[0].spans
    assert (read.trace_id.hex(), read.name) == (span.trace_id, "all")
    assert read.status.code == 2
    assert read.events[0].name == "exception"


APPLICATION = """
import multiprocessing, os, sys
from stockpot import observe
observe.configure(send_every_s=60.0, exit_s=5.0)

@observe
def work(where): return where

def child(): work("child of multiprocessing")

work("parent")
if sys.argv[1] == "fork":
    pid = os.fork()
    if pid == 0:
        work("child")
        sys.exit(0)
    os.waitpid(pid, 0)
    process = multiprocessing.get_context("fork").Process(target=child)
    process.start(); process.join()
"""


@pytest.mark.parametrize("what", ["exit", "fork"])
def test_at_exit_and_after_a_fork_each_process_sends_its_own_spans_once(
    server: Collector, what: str
) -> None:
    environ = {**os.environ, "STOCKPOT_URL": server.url, "STOCKPOT_KEY": "sk"}
    code = [sys.executable, "-W", "ignore", "-c", APPLICATION, what]
    done = subprocess.run(code, env=environ, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (0, "")
    said = sorted(span["attributes"]["stockpot.output"] for span in server.all(1))
    children = ["child", "child of multiprocessing"] if what == "fork" else []
    assert said == [*children, "parent"]


def test_a_child_sends_what_was_observed_while_it_read_its_main_module(
    server: Collector, tmp_path: Path
) -> None:
    main = tmp_path / "main.py"
    main.write_text(
        "import multiprocessing\n"
        "from stockpot import observe\n"
        "observe.configure(send_every_s=60.0, exit_s=5.0)\n"
        "with observe(f'read as {__name__}'): pass\n"
        "def child():\n"
        "    with observe('child'): pass\n"
        "if __name__ == '__main__':\n"
        "    process = multiprocessing.get_context('forkserver').Process(target=child)\n"
        "    process.start(); process.join()\n"
    )
    environ = {**os.environ, "STOCKPOT_URL": server.url, "STOCKPOT_KEY": "sk"}
    subprocess.run([sys.executable, main], env=environ, check=True, timeout=60)
    names = [span["name"] for span in server.all(3)]
    assert {"read as __main__", "read as __mp_main__", "child"} <= set(names)
    assert names.count("child") == 1


def test_a_process_ends_though_the_server_is_away() -> None:
    environ = {**os.environ, "STOCKPOT_URL": AWAY, "STOCKPOT_KEY": "sk"}
    code = APPLICATION.replace("exit_s=5.0", "exit_s=0.3")
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code, "exit"], env=environ, capture_output=True,
                          text=True, timeout=30)  # fmt: skip
    assert done.returncode == 0
    assert time.monotonic() - began < 15
    assert "1 spans were not sent" in done.stderr
    assert "Traceback" not in done.stderr
