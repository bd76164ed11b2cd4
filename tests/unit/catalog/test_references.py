"""What is taken for a secret, by reference or by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stockpot.catalog.offers import offer_of
from stockpot.catalog.references import Unresolved, resolve_secret
from stockpot.providers import vendors


def test_the_key_file_of_a_service_account_is_a_secret_as_google_writes_it(tmp_path: Path) -> None:
    account = {"type": "service_account", "project_id": "soup", "client_email": "pot@soup.example",
               "private_key": "-----BEGIN PRIVATE KEY-----\nbGVlaw==\n-----END"}  # fmt: skip
    file = tmp_path / "key.json"
    file.write_text(json.dumps(account, indent=2) + "\n")
    secret = resolve_secret(f"file:{file}")
    assert secret.isprintable()
    vertex = next(vendor for vendor in vendors() if vendor.name == "vertex")
    made = offer_of(vertex, name="v", base_url=vertex.base_url, origin="console", secret=secret)
    assert json.loads(made.options()["service_account"]) == account
    file.write_text("leek\nsoup")
    with pytest.raises(Unresolved, match="one line") as told:
        resolve_secret(f"file:{file}")
    assert "leek" not in told.value.message
