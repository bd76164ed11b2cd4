"""A real and very small model judges: what it mumbles is counted, and never taken for a verdict."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import Instance, running

pytestmark = [
    pytest.mark.integration,
    pytest.mark.nightly,
    pytest.mark.needs("smollm2-135m"),
    pytest.mark.timeout(300),
]

JUDGE = """
kind = "rubric"
model = "smollm2-135m"
criteria = "The answer names a vegetable."
structured = {structured}
params = {{max_tokens = 60, seed = 7}}
"""
WORDS = ("leek", "car", "carrot", "cloud", "pea", "stone")


def asked(instance: Instance, folder: Path, *, structured: bool) -> dict[str, Any]:
    name = "formed" if structured else "free"
    (folder / f"{name}.toml").write_text(JUDGE.format(structured=str(structured).lower()))
    instance.command("eval", "judges", "create", name, "--file", str(folder / f"{name}.toml"))
    rows = folder / "rows.jsonl"
    rows.write_text(
        "".join(
            json.dumps({"id": word, "input": "Name a vegetable.", "output": word}) + "\n"
            for word in WORDS
        )
    )
    said = instance.command("eval", "judges", "ask", name, "--rows", str(rows), "--json")
    told: dict[str, Any] = json.loads(said)
    return told


def test_a_schema_makes_a_small_model_readable_and_without_one_failures_are_counted(
    tmp_path: Path, models_home: Path
) -> None:
    with running(tmp_path / "home", models_home) as instance:
        formed = asked(instance, tmp_path, structured=True)["tally"]
        free = asked(instance, tmp_path, structured=False)
    tally = free["tally"]
    for one in (formed, tally):
        gone = one["parse"] + one["abstained"] + one["errors"]
        assert one["judged"] + gone == one["rows"] == len(WORDS)
        assert one["errors"] == 0
    assert tally["parse"] > 0
    assert tally["parse_share"] == pytest.approx(tally["unread"] / tally["calls"])
    assert all((row["value"] is None) == bool(row["missing"]) for row in free["judgements"])
    assert formed["parse"] <= tally["parse"]
