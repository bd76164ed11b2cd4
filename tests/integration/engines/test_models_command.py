"""`stockpot models` on a terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from stockpot.cli import main
from stockpot.engines import gguf

pytestmark = pytest.mark.integration


class Shell:
    def __init__(self, home: Path) -> None:
        self.home = home
        self._runner = CliRunner(env={"STOCKPOT_HOME": str(home), "STOCKPOT_ENGINES": "none"})

    def __call__(self, *arguments: str) -> Result:
        return self._runner.invoke(main, ["models", *arguments])


@pytest.fixture
def models(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.gguf"
    gguf.write(path, {"general.architecture": "llama", "general.license": "mit"}, [])
    return path


def test_an_empty_instance_lists_what_can_be_pulled(models: Shell) -> None:
    rows = {row["name"]: row for row in json.loads(models("list", "--json").stdout)}
    assert rows["smollm2-135m"]["state"] == "available"
    assert rows["smollm2-135m"]["label"] == "small smoke model"
    assert "small smoke model" in models("list").stdout


def test_a_file_is_pulled_listed_and_removed(models: Shell, file: Path) -> None:
    pulled = models("pull", str(file), "--name", "mine", "--json")
    assert pulled.exit_code == 0, pulled.output
    (model,) = json.loads(pulled.stdout)
    assert (model["name"], model["license"]) == ("mine", "mit")
    assert "mine: verify" in pulled.stderr
    rows = {row["name"]: row["state"] for row in json.loads(models("list", "--json").stdout)}
    assert rows["mine"] == "installed"
    removed = models("remove", "mine", "--json")
    assert [row["name"] for row in json.loads(removed.stdout)] == ["mine"]
    assert not (models.home / "models" / "mine").exists()


def test_a_model_that_nothing_serves_yet_comes_with_the_command_that_serves_it(
    models: Shell, file: Path
) -> None:
    assert "STOCKPOT_ENGINES=tiny stockpot up" in models("pull", str(file)).stdout


def test_one_failure_does_not_keep_the_others_from_being_pulled(models: Shell, file: Path) -> None:
    result = models("pull", "smollm", str(file), "minilm")
    assert result.exit_code == 1
    assert "no model 'smollm'" in result.stderr
    assert "no model 'minilm'" in result.stderr
    assert (models.home / "models" / "tiny" / "model.json").exists()


def test_options_of_one_model_need_exactly_one_model(models: Shell, file: Path) -> None:
    for arguments in (["--name", "x"], [str(file), str(file), "--sha256", "0" * 64]):
        result = models("pull", *arguments)
        assert result.exit_code == 2
        assert "exactly one MODEL" in result.stderr


def test_nothing_is_pulled_when_nothing_is_wanted(models: Shell) -> None:
    result = models("pull", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


@pytest.mark.parametrize("command", [[], ["pull"], ["list"], ["remove"]])
def test_every_command_has_help_with_an_example(models: Shell, command: list[str]) -> None:
    assert "Example:\n    stockpot models " in models(*command, "--help").stdout
