"""`stockpot guardrails measure | calibrate` with an instance and without one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stockpot.cli import main
from stockpot.guardrails.phrases import examples

pytestmark = pytest.mark.integration


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    file = tmp_path / "rows.jsonl"
    told = examples("injection")
    chosen = [row for row in told if row[1]][:40] + [row for row in told if not row[1]][:120]
    lines = [json.dumps({"text": text, "label": label}) for text, label in chosen]
    file.write_text("\n".join(lines))
    return file


def run(*args: str) -> dict[str, Any]:
    ran = CliRunner().invoke(main, ["guardrails", *args, "--json"])
    assert ran.exit_code == 0, ran.output
    found: dict[str, Any] = json.loads(ran.stdout)
    return found


def test_a_calibration_is_kept_for_the_project_and_measured_with(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("STOCKPOT_HOME", str(home))
    file = str(labelled)

    before = run("measure", "injection", file)
    assert before["calibration"] is None
    assert not home.exists(), "measuring a file made an instance"

    apart = tmp_path / "calibration.json"
    told = run("calibrate", "injection", file, "--max-fpr", "0.02", "--out", str(apart))
    assert told["after"]["fpr"]["value"] <= 0.05
    by_file = run("measure", "injection", file, "--calibration", str(apart))
    assert by_file["threshold"] == told["threshold"]
    assert not home.exists(), "a calibration for a file made an instance"

    kept = run("calibrate", "injection", file, "--max-fpr", "0.02", "--refit")
    after = run("measure", "injection", file)
    assert (after["calibration"], after["threshold"]) == ("default", kept["threshold"])
    assert kept["refitted"] == any("used to train" in warning for warning in after["warnings"])
    assert run("measure", "injection", file, "--shipped")["threshold"] == before["threshold"]


def test_mistakes_are_said_in_words(
    labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path / "home"))
    for args, why in (
        (("measure", "injektion", str(labelled)), "Did you mean 'injection'"),
        (("measure", "model", str(labelled)), "asked through the gateway"),
        (("measure", "pii", str(labelled), "--settings", "["), "--settings is no JSON"),
        (("measure", "injection", str(labelled), "--calibration", str(labelled)), "no calibration"),
    ):
        ran = CliRunner().invoke(main, ["guardrails", *args])
        assert ran.exit_code == 1
        assert why in ran.output
