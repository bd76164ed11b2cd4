"""The console's API types come from the API as it is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from stockpot.app import openapi_document
from stockpot.core import config

pytestmark = pytest.mark.integration

WEB = Path(__file__).parents[3] / "web"
MEND = ".venv/bin/python -m stockpot.app openapi > web/openapi.json && npm --prefix web run api"


def test_the_description_that_the_types_are_generated_from_is_the_apis_own(tmp_path: Path) -> None:
    settings = config.load({"STOCKPOT_HOME": str(tmp_path)})
    kept = (WEB / "openapi.json").read_text("utf-8")
    assert json.loads(kept) == json.loads(openapi_document(settings)), MEND
