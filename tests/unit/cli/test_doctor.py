"""The doctor sees what is wrong and names the command that mends it."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from stockpot import doctor
from stockpot.cli import main
from stockpot.core import config
from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance
from stockpot.core.locks import hold, holder

if TYPE_CHECKING:
    from pathlib import Path


def place(home: Path, **more: Any) -> doctor.Place:
    settings = config.load({"STOCKPOT_HOME": str(home)}).replaced(**more)
    return doctor.Place(settings, Instance(home), None, None)


def look(name: str, at: doctor.Place) -> doctor.Finding:
    row = next(row for row in doctor.CHECKS if row.name == name)
    (found,) = [f for c, f in doctor.examine(at, [row]) if c is row]
    return found


def test_every_check_has_a_remedy_or_can_only_inform() -> None:
    assert [c.name for c in doctor.CHECKS if not c.remedy] == ["network"]


def test_this_environment_runs_what_is_needed(tmp_path: Path) -> None:
    for name in ("python", "sqlite", "event loop", "engine", "home", "clock", "settings"):
        assert look(name, place(tmp_path)).level == "ok", name


def test_a_secret_that_others_can_read_is_wrong(tmp_path: Path) -> None:
    _ = Instance(tmp_path).secrets
    assert look("instance key", place(tmp_path)).level == "ok"
    (tmp_path / "instance.key").chmod(0o644)
    found = look("instance key", place(tmp_path))
    assert found.level == "wrong"
    assert found.remedy == f"chmod 600 {tmp_path}/instance.key"


def test_a_taken_port_is_named_with_its_owner_and_another_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        found = look("ports", place(tmp_path, gateway_port=port))
    assert found.level == "wrong"
    assert f"port {port}" in found.text
    assert found.remedy == f"STOCKPOT_GATEWAY_PORT={port + 10} stockpot up"


def test_a_store_that_nobody_listens_for_is_wrong(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        where = "{}:{}".format(*server.getsockname())
        at = place(tmp_path, database_url=f"postgresql://user:secret@{where}/stockpot")
        assert look("stores", at)[:2] == ("ok", f"listening: {where}")
    found = look("stores", at)
    assert found.level == "wrong"
    assert where in found.text
    assert "secret" not in found.text


def test_a_setting_that_cannot_be_read_is_mended_where_it_was_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = ConfigError("STOCKPOT_PORT must be a whole number, not 'abc'")
    at = place(tmp_path)._replace(settings_error=wrong)
    assert look("settings", at).remedy == f"edit {tmp_path}/stockpot.toml"
    monkeypatch.setenv("STOCKPOT_PORT", "abc")
    assert look("settings", at).remedy == "unset STOCKPOT_PORT"


def test_a_folder_that_cannot_be_written_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = look("home", place(tmp_path / "file" / "home"))
    assert (found.level, "cannot be written: Not a directory" in found.text) == ("wrong", True)
    assert holder(tmp_path / "file" / "home" / "up.lock") is None


def test_a_certificate_without_its_file_or_its_form_is_wrong(tmp_path: Path) -> None:
    assert look("certificates", place(tmp_path)).level == "ok"
    assert "is no file" in look("certificates", place(tmp_path, tls_cert="no.pem")).text
    (tmp_path / "c.pem").write_text("nonsense")
    here = str(tmp_path / "c.pem")
    for wrong in ({"tls_cert": here}, {"upstream_ca": here}, {"tls_key": here}):
        assert look("certificates", place(tmp_path, **wrong)).level == "wrong", wrong


def test_too_little_disk_is_wrong(tmp_path: Path) -> None:
    assert look("disk", place(tmp_path, disk_reserve_mb=10**9)).level == "wrong"
    assert look("disk", place(tmp_path, disk_reserve_mb=0)).level in {"ok", "note"}


def test_a_clock_behind_the_last_record_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "control.db").write_bytes(b"")
    os.utime(tmp_path / "control.db", (time.time() + 3600,) * 2)
    assert "behind" in look("clock", place(tmp_path)).text


def test_a_missing_model_comes_with_the_command_that_pulls_it(tmp_path: Path) -> None:
    found = look("models", place(tmp_path / "none"))
    assert found.level == "wrong"
    assert found.remedy == "stockpot models pull smollm2-135m"
    assert not (tmp_path / "none").exists()
    assert look("models", place(tmp_path, engines="none")).level == "ok"


def test_a_process_that_keeps_crashing_is_wrong_and_its_log_is_named(tmp_path: Path) -> None:
    state = {"name": "control", "pid": None, "state": "backing-off", "restarts": 2,
             "since_ms": 0, "last_exit": "exit code 1"}  # fmt: skip
    at = place(tmp_path)._replace(supervisor=1)
    (at.instance.run / "supervisor.json").write_text(json.dumps([state]))
    found = look("processes", at)
    assert found.level == "wrong"
    assert "control" in found.text
    assert found.remedy.endswith("logs/control.log")


def test_a_check_that_breaks_is_a_finding_and_stops_no_other(tmp_path: Path) -> None:
    def broken(_: doctor.Place) -> doctor.Finding:
        raise RuntimeError("boom")

    rows = [doctor.Check("x", broken, "mend {home}"), doctor.CHECKS[0]]
    first, second = doctor.examine(place(tmp_path), rows)
    assert first[1] == doctor.Finding("wrong", "RuntimeError: boom", f"mend {tmp_path}")
    assert second[1].level == "ok"


def test_the_command_exits_1_and_prints_every_check_when_something_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path))
    (tmp_path / "stockpot.toml").write_text("[settings]\nprot = 4001\n")
    ran = CliRunner().invoke(main, ["doctor", "--json"])
    told = json.loads(ran.output)
    assert ran.exit_code == 1
    assert told["healthy"] is False
    assert [c["name"] for c in told["checks"]] == [c.name for c in doctor.CHECKS]
    (settings,) = [c for c in told["checks"] if c["name"] == "settings"]
    assert "Did you mean 'port'?" in settings["found"]
    assert str(tmp_path / "stockpot.toml") in settings["remedy"]


def test_a_variable_that_no_setting_has_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_PROT", "1")
    found = look("settings", place(tmp_path))
    assert found.level == "note"
    assert "STOCKPOT_PROT" in found.text


def test_status_tells_programs_whether_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path))
    ran = CliRunner().invoke(main, ["status", "--json"])
    assert (ran.exit_code, json.loads(ran.output)["running"]) == (1, False)
    with hold(Instance(tmp_path).run / "up.lock"):
        ran = CliRunner().invoke(main, ["status", "--json"])
        assert (ran.exit_code, json.loads(ran.output)["pid"]) == (0, os.getpid())


def test_down_has_nothing_to_do_where_nothing_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path))
    ran = CliRunner().invoke(main, ["down"])
    assert ran.exit_code == 0
    assert "does not run" in ran.output
