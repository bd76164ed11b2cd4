"""Settings: precedence, conversion, and errors that name the place."""

from pathlib import Path

import pytest

from stockpot.core import config
from stockpot.core.errors import ConfigError


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "stockpot.toml").write_text('[settings]\nport = 5001\nlog_level = "debug"\n')
    found = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_PORT": "6001"})
    assert (found.port, found.log_level, found.gateway_port) == (6001, "debug", 4000)
    assert found.home == tmp_path


def test_an_unknown_key_gets_the_nearest_spelling(tmp_path: Path) -> None:
    (tmp_path / "stockpot.toml").write_text("[settings]\ngatway_port = 1\n")
    with pytest.raises(ConfigError, match="Did you mean 'gateway_port'"):
        config.load({"STOCKPOT_HOME": str(tmp_path)})


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "many", "a whole number"),
        ("DISCOVER", "perhaps", "true or false"),
        ("PORT", "99999", "up to 65535"),
        ("GATEWAY_PORT", "4001", "cannot both have port 4001"),
    ],
)
def test_a_value_of_the_wrong_kind_names_its_variable(
    tmp_path: Path, name: str, value: str, told: str
) -> None:
    with pytest.raises(ConfigError, match=told) as wrong:
        config.load({"STOCKPOT_HOME": str(tmp_path), f"STOCKPOT_{name}": value})
    assert f"STOCKPOT_{name}" in str(wrong.value)


def test_settings_survive_a_trip_through_the_environment(tmp_path: Path) -> None:
    first = config.load({"STOCKPOT_HOME": str(tmp_path), "STOCKPOT_DISCOVER": "no"})
    second = config.load(first.environment())
    assert all(getattr(first, s.name) == getattr(second, s.name) for s in config.SETTINGS)
