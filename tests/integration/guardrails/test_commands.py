"""`stockpot guardrails policies | bind | unbind` mean the project that they name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from stockpot.cli import main

pytestmark = pytest.mark.integration


def typed(*words: str) -> str:
    ran = CliRunner().invoke(main, [*words])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def bindings() -> list[dict[str, Any]]:
    shown = typed("guardrails", "policies", "show", "careful", "--project", "menu", "--json")
    found: list[dict[str, Any]] = json.loads(shown)["bindings"]
    return found


def test_a_policy_is_bound_unbound_and_removed_in_its_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path / "home"))
    typed("projects", "create", "menu")
    file = tmp_path / "careful.json"
    rules = [{"id": "keys", "rail": "secrets", "action": "block"}]
    body = {"name": "careful", "project": "menu", "rules": rules, "bindings": [{"kind": "project"}]}
    file.write_text(json.dumps(body))
    assert "in force for project" in typed("guardrails", "policies", "apply", str(file))
    here = ("--project", "menu")
    typed("guardrails", "unbind", *here)
    assert bindings() == []
    typed("guardrails", "bind", "careful", "--route", "soup", *here)
    assert bindings() == [{"kind": "route", "subject": "soup"}]
    typed("guardrails", "policies", "delete", "careful", *here)
    assert json.loads(typed("guardrails", "policies", "list", *here, "--json")) == []
