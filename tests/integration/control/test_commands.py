"""The commands, on the same application that serves the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from stockpot.access.cli import bootstrap_link, sign_in, tokens
from stockpot.app import control_app
from stockpot.catalog.cli import aliases, keys, projects, providers, secrets
from stockpot.core import config
from stockpot.core.client import Client, ClientError
from stockpot.core.errors import InvalidInput, NotFound
from stockpot.core.instance import Instance

pytestmark = pytest.mark.integration

GROUPS = {"keys": keys, "projects": projects, "providers": providers, "aliases": aliases,
          "secrets": secrets, "tokens": tokens, "sign-in": sign_in}  # fmt: skip
Run = Callable[..., Result]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DISCOVER": "no"})
    instance = Instance(settings.home)
    with Client.open(settings, instance, lambda: control_app(settings, instance)) as opened:
        yield opened


@pytest.fixture
def run(client: Client) -> Run:
    def call(group: str, *arguments: str, **more: Any) -> Result:
        result = CliRunner().invoke(
            GROUPS[group], arguments, obj=client, catch_exceptions=False, **more
        )
        assert result.exit_code == 0, result.output
        return result

    return call


def test_a_key_is_made_listed_disabled_rotated_and_revoked(run: Run) -> None:
    made = json.loads(run("keys", "create", "--name", "app", "--rpm", "7", "--json").stdout)
    assert made["key"].startswith("sk-sp-")
    assert made["record"]["limits"] == {"rpm": 7, "tpm": 0, "concurrency": 0}
    assert "disabled app" in run("keys", "disable", "app").stdout
    listed = json.loads(run("keys", "list", "--json").stdout)
    assert [(k["name"], k["state"]) for k in listed] == [("app", "disabled")]
    run("keys", "enable", "app")
    fresh = json.loads(run("keys", "rotate", "app", "--json").stdout)
    assert fresh["key"] != made["key"]
    run("keys", "revoke", made["record"]["id"])
    assert json.loads(run("keys", "list", "--json").stdout) == []
    everything = json.loads(run("keys", "list", "--all", "--json").stdout)
    assert everything[0]["state"] == "revoked"


def test_the_secret_alone_is_on_stdout_so_that_it_can_be_piped(run: Run) -> None:
    result = run("keys", "create", "--name", "app", "--budget", "2.5", "--expires", "90d")
    assert result.stdout.strip().startswith("sk-sp-")
    assert len(result.stdout.split()) == 1
    assert "base_url=http://127.0.0.1:4000/v1" in result.stderr
    assert "$0.00 of $2.50 a month" in run("keys", "list").stdout


def test_a_change_of_a_key_leaves_what_is_not_named(run: Run) -> None:
    given = ("--rpm", "7", "--budget", "2", "--period", "day", "--model", "echo", "--expires", "9d")
    run("keys", "create", "--name", "app", *given, "--on-ledger-full", "pass")
    more = ("--tpm", "9", "--budget", "3", "--on-disconnect", "drain", "--expires", "never")
    key = json.loads(run("keys", "change", "app", *more, "--json").stdout)
    assert key["limits"] == {"rpm": 7, "tpm": 9, "concurrency": 0}
    assert (key["budget"]["spec"]["period"], key["budget"]["spec"]["limit_nano"]) == ("day", 3e9)
    assert (key["on_disconnect"], key["on_ledger_full"]) == ("drain", "pass")
    assert (key["models"], key["expires_ms"]) == (["echo"], None)
    freed = ("--no-budget", "--any-model", "--network", "10.0.0.0/8")
    assert "changed app" in run("keys", "change", "app", *freed).stdout
    key = json.loads(run("keys", "list", "--json").stdout)[0]
    assert (key["budget"], key["models"], key["networks"]) == (None, [], ["10.0.0.0/8"])


def test_a_key_that_is_not_there_is_told_with_the_nearest(client: Client, run: Run) -> None:
    run("keys", "create", "--name", "checkout")
    with pytest.raises(NotFound, match="Did you mean 'checkout'"):
        run("keys", "disable", "chekout")


def test_a_name_that_two_keys_have_is_no_name(run: Run) -> None:
    run("keys", "create", "--name", "twin")
    run("keys", "create", "--name", "twin")
    with pytest.raises(InvalidInput, match="2 keys are named 'twin'"):
        run("keys", "revoke", "twin")


def test_an_empty_list_teaches_the_next_step(run: Run) -> None:
    assert "stockpot keys create --name my-app" in run("keys", "list").stdout
    assert "stockpot tokens create" in run("tokens", "list").stdout
    assert "stockpot aliases set" in run("aliases", "list").stdout
    assert "stockpot providers connect" in run("providers", "list").stdout


def test_a_project_keeps_the_limits_that_a_change_does_not_name(run: Run) -> None:
    capped = ("--budget", "5", "--period", "week", "--when-away", "continue", "--cache", "2h",
              "--cache-scope", "project", "--user-rpm", "3", "--model-rpm", "echo=4")  # fmt: skip
    run("projects", "create", "menu", "--owner", "ana", "--rpm", "5", "--tpm", "600", *capped)
    more = ("--budget", "6", "--cache", "1h", "--user-tpm", "70", "--model-rpm", "small=8")
    changed = json.loads(run("projects", "change", "menu", "--rpm", "9", *more, "--json").stdout)
    budget = changed["budget"]["spec"]
    assert (budget["limit_nano"], budget["period"]) == (6e9, "week")
    assert budget["when_away"] == "continue"
    assert (changed["cache"]["ttl_s"], changed["cache"]["scope"]) == (3600, "project")
    assert changed["apart"]["users"] == {"rpm": 3, "tpm": 70, "concurrency": 0}
    assert {m: one["rpm"] for m, one in changed["apart"]["models"].items()} == {
        "echo": 4, "small": 8,
    }  # fmt: skip
    assert changed["limits"] == {"rpm": 9, "tpm": 600, "concurrency": 0}
    assert changed["owner"] == "ana"
    assert "menu" in run("projects", "list").stdout


def test_a_provider_is_connected_without_its_secret_on_the_command_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "sk-secret-00001234")
    at = ("--vendor", "openai-compatible", "--base-url", "http://127.0.0.1:9/v1", "--model", "m")
    run("providers", "connect", "lab", *at, "--secret-env", "MY_KEY")
    run("providers", "connect", "piped", *at, "--secret-file", "-", input="sk-piped-00005678\n")
    listed = {p["name"]: p for p in json.loads(run("providers", "list", "--json").stdout)}
    assert listed["lab"]["secret_hint"] == "1234"
    assert listed["piped"]["secret_hint"] == "5678"
    assert json.loads(run("secrets", "rotate", "--json").stdout) == {"resealed": 2}
    run("aliases", "set", "fast", "--target", "lab/m=3", "--fallback", "piped/m")
    (alias,) = json.loads(run("aliases", "list", "--json").stdout)
    assert [(t["provider"], t["weight"], t["tier"]) for t in alias["targets"]] == [
        ("lab", 3, 0),
        ("piped", 1, 1),
    ]
    run("aliases", "remove", "fast")
    run("providers", "remove", "lab")


@pytest.mark.parametrize("text", ["m", "lab/", "lab/m=x", "=3"])
def test_a_target_that_is_none_is_refused(run: Run, text: str) -> None:
    with pytest.raises(InvalidInput, match="is no target"):
        run("aliases", "set", "fast", "--target", text)


def test_tokens_are_made_listed_and_revoked(run: Run) -> None:
    made = json.loads(run("tokens", "create", "--name", "ci", "--role", "editor", "--json").stdout)
    assert made["secret"].startswith("spt_")
    (listed,) = json.loads(run("tokens", "list", "--json").stdout)
    assert (listed["name"], listed["role"]) == ("ci", "editor")
    run("tokens", "revoke", listed["id"])
    assert json.loads(run("tokens", "list", "--json").stdout) == []


def test_a_sign_in_link_is_fresh_each_time(client: Client, run: Run) -> None:
    one, two = run("sign-in").stdout.strip(), bootstrap_link(client)
    assert one.startswith("http://127.0.0.1:4001/sign-in#token=")
    assert one != two


def test_what_the_api_refuses_is_told_in_its_own_words(client: Client) -> None:
    with pytest.raises(ClientError) as told:
        client.post("/api/v1/keys", {"name": "x", "project": "defalt"})
    assert told.value.answered == 404
    assert "Did you mean 'default'" in told.value.message
    assert told.value.hint == "stockpot projects list"


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_every_command_shows_an_example(group: str) -> None:
    command = GROUPS[group]
    inner = getattr(command, "commands", {})
    for arguments in ([], *([name] for name in inner)):
        result = CliRunner().invoke(command, [*arguments, "--help"])
        assert result.exit_code == 0
        assert "Example:" in result.output
        assert "stockpot " in result.output


@pytest.mark.parametrize("wrong", ["90", "d", "1y", "-1d", ""])
def test_a_duration_is_a_number_and_a_unit(wrong: str) -> None:
    result = CliRunner().invoke(keys, ["create", "--name", "x", "--expires", wrong])
    assert result.exit_code == 2
    assert "90d" in result.output
