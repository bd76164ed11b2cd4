"""Every command of the product teaches its use, and the root costs nothing to ask for help."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from stockpot.cli import COMMANDS, Refused, main
from stockpot.core.client import Client
from stockpot.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

SAYS_WHAT_IT_DID = {
    "archive", "disable", "down", "enable", "erase", "remove", "revoke", "unprotect",
}  # fmt: skip
"""Last words of commands that change one thing and print no data."""

CPU_S = 0.3
"""Twice the aim of 150 ms, for a machine whose cores are shared."""

PRINTS_NOTHING_ELSE = {
    "stockpot traces export": "JSON lines are what it prints",
    "stockpot audit export": "JSON lines are what it prints",
    **dict.fromkeys(
        (
            "stockpot demo break",
            "stockpot demo mend",
            "stockpot users activate",
            "stockpot users change",
            "stockpot users deactivate",
            "stockpot teams add",
            "stockpot teams create",
            "stockpot teams drop",
            "stockpot access grant",
            "stockpot requests approve",
            "stockpot requests deny",
        ),
        "it says in a sentence what it did, as those above",
    ),
}


def walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from walk(child, f"{path} {name}")


@cache
def every_command() -> dict[str, click.Command]:
    return dict(walk(main, "stockpot"))


def options_of(command: click.Command) -> set[str]:
    names = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
    return {*names, "--help"}


def examples(command: click.Command) -> list[str]:
    _, _, block = (command.help or "").replace("\\\n", " ").partition("Example:")
    return [line.strip() for line in block.splitlines() if re.search(r"\bstockpot\b", line)]


def test_every_command_begins_its_help_with_a_sentence() -> None:
    for path, command in every_command().items():
        first = (command.help or "").split("\n\n")[0].replace("\n", " ")
        assert re.match(r"[A-Z].*[.;,].*", first), f"{path}: {first!r}"
        assert first.rstrip().endswith("."), f"{path}: {first!r}"


def test_every_command_shows_an_example_of_itself() -> None:
    for path, command in every_command().items():
        assert any(path in line for line in examples(command)), path


def test_every_example_names_commands_and_options_that_exist() -> None:
    known = every_command()
    for path, command in known.items():
        for line in examples(command):
            for part in re.split(r"[|&;]+", line):
                words = shlex.split(part)
                if "stockpot" not in words:
                    continue
                words = words[words.index("stockpot") :]
                used = max(
                    n for n in range(len(words) + 1) if " ".join(words[:n]) in known or not n
                )
                target = known[" ".join(words[:used])]
                flags = {w.split("=")[0] for w in words[used:] if w.startswith("--")}
                assert flags <= options_of(target), f"{path}: {line}"


def test_every_help_fits_into_eighty_columns() -> None:
    for path, command in every_command().items():
        told = command.get_help(click.Context(command, info_name=path, terminal_width=80))
        assert not [line for line in told.splitlines() if len(line) > 80], path


def test_every_option_says_what_it_does() -> None:
    for path, command in every_command().items():
        for option in command.params:
            if isinstance(option, click.Option):
                told = option.help or option.metavar or option.show_default
                assert told or isinstance(option.type, click.Choice), f"{path} {option.opts}"


def test_every_command_that_prints_data_has_json() -> None:
    without = {
        path
        for path, command in every_command().items()
        if not isinstance(command, click.Group) and "--json" not in options_of(command)
    }
    without = {path for path in without if path.split()[-1] not in SAYS_WHAT_IT_DID}
    assert without == PRINTS_NOTHING_ELSE.keys()


def test_the_root_lists_every_command_with_a_line() -> None:
    shown = CliRunner().invoke(main, ["--help"])
    assert shown.exit_code == 0
    for row in COMMANDS:
        assert re.search(rf"^  {re.escape(row.name)} +{re.escape(row.line)}$", shown.output, re.M)


def test_asking_the_root_for_help_loads_nothing_heavy() -> None:
    heavy = ("httpx", "rich", "pydantic", "sqlalchemy", "fastapi", "asyncio", "msgspec")
    code = f"""
import sys, resource
from stockpot.cli import main
try:
    main(["--help"])
except SystemExit:
    pass
used = resource.getrusage(resource.RUSAGE_SELF)
print([m for m in {heavy!r} if m in sys.modules], used.ru_utime + used.ru_stime)
"""
    runs = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    last = [run.stdout.splitlines()[-1] for run in runs]
    assert all(line.startswith("[] ") for line in last), last
    assert min(float(line.split()[-1]) for line in last) < CPU_S


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["tracs"], "traces"),
        (["traces", "lst"], "list"),
        (["keys", "create", "--nam", "x"], "--name"),
    ],
)
def test_a_misspelt_word_is_answered_with_the_nearest_one(typed: list[str], meant: str) -> None:
    result = CliRunner().invoke(main, typed)
    assert result.exit_code == 2
    assert meant in result.output


def test_an_error_of_the_product_is_one_line_and_the_next_step() -> None:
    error = NotFound("no model 'x'.", hint="stockpot models list")

    @click.command()
    def failing() -> None:
        raise error

    root = type(main)(name="stockpot", commands={"failing": failing})
    root.get_command = lambda ctx, name: failing  # type: ignore[method-assign]
    result = CliRunner().invoke(root, ["failing"])
    assert result.exit_code == 1
    assert result.stderr == "error: no model 'x'.\n       stockpot models list\n"
    assert isinstance(result.exception, SystemExit)
    assert Refused(error).hint == error.hint


@pytest.mark.parametrize(
    ("typed", "code", "told"),
    [
        (["plan", "bytes.toml"], 1, "'bytes.toml' is not text in UTF-8"),
        (["plan", "."], 1, "'.' cannot be read: Is a directory"),
        (["models", "pull", "x" * 3000], 1, "cannot be used: File name too long"),
        (["models", "pull", "."], 1, "'.' is a folder"),
        (["models", "pull", "smollm2-135m", "--name", "mine"], 1, "keeps its name"),
        (["models", "pull", "smollm2-135m", "--sha256", "abc"], 2, "'abc' is no sha256"),
        (["guardrails", "test", "hello", "--file", "bytes.toml"], 2, "not text in UTF-8"),
        (["monitors", "create", "slow", "--file", "rows.jsonl"], 2, "is no JSON: Extra data"),
        (["prompts", "render", "menu", "--vars", "list.json"], 2, "holds no JSON object"),
        (["keys", "create", "--name", "k", "--budget", "nan"], 2, "is no amount of dollars"),
        (["traces", "list", "--min-cost", "-1"], 2, "is no amount of dollars"),
        (["scores", "write", "a" * 32, "quality", "--value", "inf"], 2, "'inf' is no number"),
        (["prompts", "render", "menu", "--var", "price=NaN"], 1, "is not finite"),
    ],
)
def test_wrong_files_and_numbers_are_refused_in_a_sentence(
    typed: list[str], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    Path("bytes.toml").write_bytes(bytes(range(256)))
    Path("rows.jsonl").write_text("{}\n{}\n")
    Path("list.json").write_text("[1, 2]")
    with Client("http://nowhere.invalid") as nobody:
        result = CliRunner().invoke(main, typed, obj=nobody)
    assert (result.exit_code, told in result.stderr) == (code, True), result.stderr
    assert isinstance(result.exception, SystemExit)


def test_the_versions_are_printed_as_json() -> None:
    told = json.loads(CliRunner().invoke(main, ["version", "--json"]).output)
    assert set(told) == {"stockpot", "python", "sqlite", "platform"}
