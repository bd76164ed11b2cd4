"""The commands about people, access, requests and the audit log, on the application itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stockpot.access.cli import access, audit, teams, tokens, users
from stockpot.app import control_app
from stockpot.catalog.cli import keys, projects, requests
from stockpot.core import config
from stockpot.core.client import Client, ClientError
from stockpot.core.errors import InvalidInput
from stockpot.core.instance import Instance

pytestmark = pytest.mark.integration

GROUPS = {"users": users, "teams": teams, "access": access, "audit": audit, "tokens": tokens,
          "requests": requests, "keys": keys, "projects": projects}  # fmt: skip
Run = Callable[..., Result]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DISCOVER": "no"})
    instance = Instance(settings.home)
    with Client.open(settings, instance, lambda: control_app(settings, instance)) as opened:
        yield opened


@pytest.fixture
def run(client: Client) -> Run:
    def call(group: str, *arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(GROUPS[group], arguments, obj=client, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    return call


def listed(run: Run, group: str, *arguments: str) -> Any:
    return json.loads(run(group, "list", *arguments, "--json").stdout)


def test_people_come_get_a_role_and_go(run: Run) -> None:
    run("projects", "create", "menu")
    run("teams", "create", "kitchen")
    link = run("users", "invite", "ana@x.org", "--team", "kitchen", "--project", "menu=editor")
    assert "/sign-in#token=" in link.stdout
    run("users", "change", "ana@x.org", "--role", "viewer", "--name", "Ana")
    ana = next(u for u in listed(run, "users") if u["email"] == "ana@x.org")
    assert (ana["role"], ana["name"], ana["active"]) == ("viewer", "Ana", True)
    assert "#token=" in run("users", "link", "ana@x.org").stdout
    (team,) = listed(run, "teams")
    assert [member["email"] for member in team["members"]] == ["ana@x.org"]
    run("teams", "drop", "kitchen", "ana@x.org")
    run("teams", "add", "kitchen", "ana@x.org", "--role", "editor")
    assert "deactivated ana@x.org" in run("users", "deactivate", "ana@x.org").stdout
    with pytest.raises(InvalidInput, match="no active user"):
        raise_as_told(lambda: run("users", "link", "ana@x.org"))
    run("users", "activate", "ana@x.org")
    run("teams", "remove", "kitchen")


def raise_as_told(work: Callable[[], object]) -> None:
    try:
        work()
    except ClientError as told:
        raise InvalidInput(told.message) from told


def test_a_project_is_opened_and_closed(run: Run) -> None:
    run("projects", "create", "menu")
    assert "stockpot access grant menu" in run("access", "list", "menu").stdout
    run("users", "invite", "ana@x.org")
    run("teams", "create", "kitchen")
    run("access", "grant", "menu", "ana@x.org", "--role", "editor")
    run("access", "grant", "menu", "kitchen")
    found = json.loads(run("access", "list", "menu", "--json").stdout)
    assert [(a["subject"], a["kind"], a["role"]) for a in found] == [
        ("ana@x.org", "user", "editor"),
        ("kitchen", "team", "viewer"),
    ]
    run("access", "revoke", "menu", "ana@x.org")
    run("access", "revoke", "menu", "kitchen")
    assert json.loads(run("access", "list", "menu", "--json").stdout) == []


def test_requests_are_asked_for_listed_and_denied_by_somebody_else(
    run: Run, client: Client, tmp_path: Path
) -> None:
    made = json.loads(run("keys", "create", "--name", "app", "--budget", "5", "--json").stdout)
    run("requests", "ask", "--key", made["record"]["id"], "--budget", "20", "--reason", "launch")
    (open_one,) = listed(run, "requests", "--state", "open")
    assert open_one["wanted"] == {"limit_nano": 20_000_000_000}
    with pytest.raises(ClientError, match="their own"):
        run("requests", "approve", open_one["id"])
    with sqlite3.connect(tmp_path / "control.db") as db:  # as if Ana had asked
        db.execute("UPDATE access_requests SET asked_by = 'usr_ana', asked_label = 'ana@x.org'")
    db.close()
    assert "approved a budget of $20.00 for ana@x.org" in (
        run("requests", "approve", open_one["id"]).stdout
    )
    assert "$20.00" in run("requests", "list").stdout
    assert "$0.00 of $20.00 a month" in run("keys", "list").stdout


def test_the_log_is_listed_exported_and_verified(run: Run, tmp_path: Path) -> None:
    run("projects", "create", "menu", "--owner", "ana")
    (entry,) = listed(run, "audit", "--action", "project.create", "--project", "menu")
    assert entry["subject"] == "menu"
    lines = run("audit", "export", "--project", "menu").stdout.splitlines()
    assert [json.loads(line)["id"] for line in lines] == [entry["id"]]
    told = run("audit", "verify").stdout
    assert told.startswith("intact: ")
    head = told.split("head ")[1].strip()
    run("projects", "change", "menu", "--owner", "ben")
    run("audit", "verify", "--head", head)
    run("audit", "verify", "--head", f"{head.partition(':')[0]}:{'0' * 64}", code=1)
    with pytest.raises(InvalidInput, match="is no head"):
        run("audit", "verify", "--head", "7")
    with sqlite3.connect(tmp_path / "control.db") as db:
        db.execute("DROP TRIGGER audit_log_update")
        db.execute("UPDATE audit_log SET actor = 'eve' WHERE subject = 'menu'")
    db.close()
    assert "NOT INTACT" in run("audit", "verify", code=1).stdout
    assert json.loads(run("audit", "verify", "--json", code=1).stdout)["intact"] is False


def test_a_token_is_made_with_scopes_for_one_project(run: Run) -> None:
    run("projects", "create", "menu")
    run("tokens", "create", "--name", "ci", "--scope", "read", "--scope", "write",
        "--project", "menu")  # fmt: skip
    (token,) = listed(run, "tokens")
    assert (token["scopes"], token["project"], token["role"]) == (
        ["read", "write"], "menu", "editor",
    )  # fmt: skip
    assert "menu" in run("tokens", "list").stdout


@pytest.mark.parametrize("group", ["access", "audit", "requests", "teams", "users"])
def test_every_command_shows_an_example(group: str) -> None:
    command = GROUPS[group]
    for arguments in ([], *([name] for name in command.commands)):
        result = CliRunner().invoke(command, [*arguments, "--help"])
        assert result.exit_code == 0
        assert "Example:" in result.output
        assert "stockpot " in result.output
