"""Which control plane a command speaks to, and as whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from stockpot.core.client import Client
from stockpot.core.config import load
from stockpot.core.errors import ConfigError
from stockpot.core.instance import Instance


def opened(home: Path, **environ: str) -> Client:
    settings = load({"STOCKPOT_HOME": str(home), **environ})
    return Client.open(settings, Instance(settings.home))


def test_a_token_names_who_asks_and_the_url_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_TOKEN", "spt_abc")
    monkeypatch.setenv("STOCKPOT_URL", "https://pot.example.org/")
    with opened(tmp_path / "home") as client:
        assert client.base_url == "https://pot.example.org"
        assert client._http.headers["authorization"] == "Bearer spt_abc"
    assert not (tmp_path / "home").exists()  # neither a key nor a database is made here
    monkeypatch.delenv("STOCKPOT_URL")
    with opened(tmp_path / "home", STOCKPOT_CONTROL_URL="http://10.0.0.1:4001") as client:
        assert client.base_url == "http://10.0.0.1:4001"


def test_a_token_for_nobody_and_an_address_that_is_none_are_told_with_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STOCKPOT_TOKEN", "spt_abc")
    monkeypatch.delenv("STOCKPOT_URL", raising=False)
    with pytest.raises(ConfigError, match="no control plane is known") as told:
        opened(tmp_path / "home")
    assert told.value.hint == "STOCKPOT_URL=https://HOST"
    monkeypatch.setenv("STOCKPOT_URL", "pot.example.org:4001")
    with pytest.raises(ConfigError, match=r"no address: 'pot\.example\.org:4001'"):
        opened(tmp_path / "home")
