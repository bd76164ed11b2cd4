"""Settings as an admin reads them: whole, and without any secret."""

from __future__ import annotations

from pathlib import Path

from stockpot.catalog.told_settings import SettingShown, told
from stockpot.core.config import SETTINGS, load

OIDC = '[{"issuer": "https://id.example.org", "client_id": "c", "client_secret": "hush"}]'


def shown(tmp_path: Path, **environ: str) -> dict[str, SettingShown]:
    return {row.name: row for row in told(load({"STOCKPOT_HOME": str(tmp_path), **environ}))}


def test_every_setting_is_told_with_the_name_that_changes_it(tmp_path: Path) -> None:
    rows = shown(tmp_path, STOCKPOT_WORKERS="3")
    assert list(rows) == [row.name for row in SETTINGS]
    assert (rows["workers"].value, rows["workers"].env) == ("3", "STOCKPOT_WORKERS")
    assert not rows["workers"].is_default
    assert rows["log_level"].is_default


def test_no_password_and_no_secret_is_told(tmp_path: Path) -> None:
    rows = shown(
        tmp_path,
        STOCKPOT_DATABASE_URL="postgresql://cook:pepper@db.example.org/pot?password=salt",
        STOCKPOT_KV_URL="valkey://:thyme@kv:6379/0",
        STOCKPOT_OIDC=OIDC,
    )
    assert rows["database_url"].value == "postgresql://db.example.org/pot"
    assert rows["kv_url"].value == "valkey://kv:6379/0"
    assert rows["oidc"].value == "id.example.org"
    told_in_all = " ".join(row.value for row in rows.values())
    assert not any(secret in told_in_all for secret in ("pepper", "salt", "thyme", "hush", "cook"))
