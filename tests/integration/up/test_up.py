"""`stockpot up` from the outside: one command, everything runs, and it ends well."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from tests.running import BIN, clean_environment, eventually, free_ports, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.running import Instance

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

CPU_S = 15
"""CPU seconds of everything until it is ready; wall time tells more of a machine's other work.
Twice what it is, since shared cores are slow cores."""


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """One with the echo model alone, shared by the tests that leave it as it is."""
    with running(tmp_path_factory.mktemp("home"), environ={"STOCKPOT_ENGINES": "none"}) as started:
        yield started


def chat(instance: Instance, key: str | None = None) -> httpx.Response:
    return httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        headers={"authorization": f"Bearer {key or instance.key}"},
        json={"model": "echo", "messages": [{"role": "user", "content": "How are you?"}]},
        timeout=60,
    )


def test_the_line_of_a_ready_instance_has_all_that_a_program_needs(instance: Instance) -> None:
    facts = instance.facts
    assert facts["ready"] is True
    assert facts["gateway_url"] == instance.gateway
    assert facts["console_url"] == instance.console
    assert facts["pid"] == instance.process.pid
    assert facts["model"] == "echo"
    assert "echo" in {model["name"] for model in facts["models"]}


@pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")
def test_starting_costs_little_enough_to_be_quick(instance: Instance) -> None:
    assert sum(instance.cpu_s_at_ready.values()) < CPU_S, instance.cpu_s_at_ready


def test_the_key_of_the_first_screen_works_at_once(instance: Instance) -> None:
    answer = chat(instance)
    assert answer.status_code == 200, answer.text
    assert "How are you?" in answer.json()["choices"][0]["message"]["content"]


def test_the_kept_key_is_sealed_and_private(instance: Instance) -> None:
    path = instance.home / "run" / "quickstart.sealed"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert instance.key.encode() not in path.read_bytes()


def test_the_sign_in_link_signs_in_once(instance: Instance) -> None:
    made = json.loads(instance.command("sign-in", "--json"))
    assert made["url"].startswith(f"{instance.console}/sign-in#token=")
    token = made["url"].partition("token=")[2]
    tries = [
        httpx.post(f"{instance.console}/api/v1/session", json={"token": token}, timeout=60)
        for _ in range(2)
    ]
    assert [answer.status_code for answer in tries] == [200, 401]


def test_both_ports_say_that_they_are_ready(instance: Instance) -> None:
    assert httpx.get(f"{instance.gateway}/readyz", timeout=60).status_code == 200
    assert httpx.get(f"{instance.console}/readyz", timeout=60).status_code == 200


def test_a_call_reaches_the_span_log(instance: Instance) -> None:
    trace = chat(instance).headers["x-stockpot-trace-id"]
    listed = eventually(lambda: [t for t in traces(instance) if t["trace_id"] == trace], seconds=15)
    assert listed[0]["tokens"]["output"] > 0


def traces(instance: Instance) -> list[dict[str, Any]]:
    return list(json.loads(instance.command("traces", "list", "--limit", "5", "--json")))


def test_status_shows_every_process(instance: Instance) -> None:
    told = json.loads(instance.command("status", "--json"))
    assert told["running"] is True
    assert told["pid"] == instance.process.pid
    states = {p["name"]: p["state"] for p in told["processes"]}
    assert states == dict.fromkeys(
        ("engine-echo", "ingest", "control", "worker-0", "shipper"), "running"
    )
    assert "worker-0" in instance.command("status")


def test_a_second_start_names_the_first(instance: Instance) -> None:
    done = subprocess.run(
        [str(BIN / "stockpot"), "up"], env=instance.environ, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert f"as process {instance.process.pid}" in done.stderr
    assert "stockpot down" in done.stderr


def test_a_taken_port_is_refused_before_anything_starts(instance: Instance, tmp_path: Path) -> None:
    ports = (instance.gateway_port, free_ports()[1])
    done = subprocess.run(
        [str(BIN / "stockpot"), "up", "--no-pull"],
        env=clean_environment(tmp_path, ports),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert f"port {ports[0]}, wanted for the gateway, is taken by process" in done.stderr
    assert f"STOCKPOT_GATEWAY_PORT={ports[0] + 10} stockpot up" in done.stderr
    assert not list((tmp_path / "logs").glob("*"))


def test_the_doctor_finds_the_running_instance_well(instance: Instance) -> None:
    done = subprocess.run(
        [str(BIN / "stockpot"), "doctor", "--json"],
        env=instance.environ, capture_output=True, text=True,
    )  # fmt: skip
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    for name in ("ports", "processes", "instance key", "models", "settings"):
        assert checks[name]["level"] == "ok", checks[name]


@pytest.mark.parametrize("name", ["control", "ingest", "shipper", "engine-echo", "worker-0"])
def test_a_killed_process_comes_back_and_calls_work_again(instance: Instance, name: str) -> None:
    before = instance.states()[name]
    os.kill(before["pid"], signal.SIGKILL)
    if name in ("control", "ingest", "shipper"):
        assert chat(instance).status_code == 200  # while it is away
    back = eventually(
        lambda: (
            instance.states()[name]
            if instance.states()[name]["restarts"] > before["restarts"]
            and instance.states()[name]["state"] == "running"
            else None
        )
    )
    assert back["last_exit"] == "killed by SIGKILL"
    assert back["pid"] != before["pid"]
    eventually(lambda: answers(instance), seconds=10)


def answers(instance: Instance) -> bool:
    try:
        return chat(instance).status_code == 200
    except httpx.TransportError:
        return False


def test_an_instance_survives_an_interrupt_and_the_death_of_its_supervisor(tmp_path: Path) -> None:
    engines = {"STOCKPOT_ENGINES": "none"}
    with running(tmp_path / "home", environ=engines) as first:
        assert chat(first).status_code == 200
        assert first.stop() == 0
        codes = {name: state["last_exit"] for name, state in first.states().items()}
        unwanted = {codes.pop(name) for name in ("jobs", "engine-recorded")}
        assert unwanted == {""}  # nobody has wanted them yet
        assert all(code == "exit code 0" for code in codes.values()), codes
        assert {state["state"] for state in first.states().values()} == {"stopped"}
        assert "Goodbye." in (first.home / "up.stderr").read_text()
    with running(tmp_path / "home", environ=engines) as second:
        assert second.key == first.key
        assert chat(second).status_code == 200
        assert len(traces(second)) >= 1
        second.process.kill()
        second.process.wait(60)
        same = {
            "STOCKPOT_GATEWAY_PORT": str(second.gateway_port),
            "STOCKPOT_PORT": str(second.console_port),
        }
        with running(tmp_path / "home", environ=engines | same) as third:
            assert third.key == first.key
            assert chat(third).status_code == 200
            assert third.command("down") == "Stopped.\n"
            assert third.process.wait(30) == 0


def test_the_screen_of_a_person_has_a_call_that_works_when_it_is_pasted(tmp_path: Path) -> None:
    ports = free_ports()
    env = clean_environment(tmp_path, ports) | {"STOCKPOT_ENGINES": "none"}
    process = subprocess.Popen(
        [str(BIN / "stockpot"), "up"], env=env, stdout=subprocess.PIPE, text=True,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        shown = ""
        while "Ctrl-C stops" not in shown:
            line = process.stdout.readline()
            assert line, shown
            shown += line
        command = re.search(r"^curl .*?'$", shown, re.MULTILINE | re.DOTALL)
        assert command is not None, shown
        said = subprocess.run(["bash", "-c", command[0]], capture_output=True, text=True, env=env)
        assert json.loads(said.stdout)["choices"], said.stdout
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_with_a_broken_control_plane_known_keys_still_work_and_the_screen_says_so(
    tmp_path: Path,
) -> None:
    engines = {"STOCKPOT_ENGINES": "none"}
    with running(tmp_path / "home", environ=engines) as well:
        key = well.key
        assert chat(well).status_code == 200
        assert well.stop() == 0
    (tmp_path / "home" / "control.db").write_bytes(b"this is no database, " * 1000)
    with running(tmp_path / "home", environ=engines) as broken:
        assert broken.facts["key"] == ""
        assert any("control is not ready" in notice for notice in broken.facts["notices"])
        assert chat(broken, key).status_code == 200


def test_where_nothing_can_be_served_the_start_fails_and_quotes_the_reason(tmp_path: Path) -> None:
    env = clean_environment(tmp_path, free_ports()) | {"STOCKPOT_ENGINES": "none"}
    (tmp_path / "spool").write_text("in the way of the workers")
    done = subprocess.run(
        [str(BIN / "stockpot"), "up"], env=env, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 1
    assert "error: nothing can be served. " in done.stderr
    assert re.search(r"worker-0: .*Error.* \(see .*worker-0\.log\)", done.stderr)
    assert "Goodbye" not in done.stderr


def test_a_certificate_that_is_not_there_is_named_before_anything_starts(tmp_path: Path) -> None:
    env = clean_environment(tmp_path, free_ports()) | {"STOCKPOT_TLS_CERT": "no-such.pem"}
    done = subprocess.run([str(BIN / "stockpot"), "up"], env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "error: STOCKPOT_TLS_CERT='no-such.pem' is no file" in done.stderr
