"""The instance's key: made once, kept private, rotated without loss."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.fernet import InvalidToken

from stockpot.core.instance import Instance


def test_racing_processes_agree_on_one_private_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: Instance(tmp_path).secrets, range(16)))
    assert len(set(keys)) == 1
    assert (tmp_path / "instance.key").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in tmp_path.iterdir()] == ["instance.key"]


def test_what_an_old_key_sealed_opens_after_rotation(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    sealed, token = instance.seal(b"vendor key"), instance.internal_token
    instance.rotate()
    fresh = Instance(tmp_path)
    assert fresh.unseal(sealed) == b"vendor key"
    assert fresh.internal_token == token
    assert len(fresh.secrets) == 2


def test_another_instance_cannot_open_it(tmp_path: Path) -> None:
    sealed = Instance(tmp_path / "a").seal(b"x")
    with pytest.raises(InvalidToken):
        Instance(tmp_path / "b").unseal(sealed)


def test_an_announcement_is_read_whole_or_not_at_all(tmp_path: Path) -> None:
    instance = Instance(tmp_path)
    assert instance.announced("ingest") is None
    instance.announce("engines/echo", {"url": "http://x"})
    assert instance.announced("engines/echo") == {"url": "http://x"}
    (instance.run / "ingest.json").write_text('{"url": "ht')
    assert instance.announced("ingest") is None
