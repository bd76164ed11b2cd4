"""A suite as a test: passes, fails with the cases named, by the fixture and by the marker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

SUITE = """
rows = "menu.jsonl"
[target]
kind = "python"
callable = "app:describe"
[[scorers]]
use = "exact"
"""
TESTS = """
import pytest
import stockpot.pytest_plugin
from app import describe, worse

def test_first(stockpot_eval):
    outcome = stockpot_eval("menu.toml")
    assert outcome.passed, outcome.words
    assert outcome.value("exact") == 1.0

def test_worse(stockpot_eval):
    outcome = stockpot_eval("menu.toml", target=worse, base="last")
    assert outcome.passed, outcome.words

@pytest.mark.stockpot_eval("menu.toml")
def test_marked():
    pass

def test_kept(stockpot_eval):
    with stockpot.pytest_plugin._client() as client:
        client.post("/api/v1/datasets", {"name": "dishes"})
        rows = [{"input": {"dish": "soup"}, "expected": "SOUP"}]
        client.post("/api/v1/datasets/dishes/rows", {"rows": rows})
    assert stockpot_eval("kept.toml").run["progress"]["done"] == 1
"""
APP = """
def describe(row):
    return row["dish"].upper()

def worse(row):
    return row["dish"] if row["n"] % 2 else row["dish"].upper()
"""


def test_a_suite_is_a_test_and_a_regression_fails_it(tmp_path: Path) -> None:
    rows = [{"id": f"r{n}", "input": {"dish": f"dish {n}", "n": n}, "expected": f"DISH {n}"}
            for n in range(30)]  # fmt: skip
    (tmp_path / "menu.jsonl").write_text("\n".join(map(json.dumps, rows)))
    kept = SUITE.replace('rows = "menu.jsonl"', 'dataset = "dishes"')
    for name, text in (
        ("menu.toml", SUITE),
        ("kept.toml", kept),
        ("test_menu.py", TESTS),
        ("app.py", APP),
    ):
        (tmp_path / name).write_text(text)
    plugin = ["-p", "stockpot.pytest_plugin"]
    listed = subprocess.run([sys.executable, "-m", "pytest", "--markers"], cwd=tmp_path,
                            capture_output=True, text=True)  # fmt: skip
    if "stockpot_eval" in listed.stdout:
        plugin = []  # installed, so found by its entry point
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environ = {**os.environ, "STOCKPOT_HOME": str(tmp_path / "home"), "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist", *plugin,
         "-rf", "test_menu.py"],
        cwd=tmp_path, env=environ, capture_output=True, text=True,
    )  # fmt: skip
    assert "1 failed, 3 passed" in done.stdout, done.stdout + done.stderr
    assert "exact: 1 -> 0.5" in done.stdout
    assert "r1: exact expected 'DISH 1', found 'dish 1'" in done.stdout
