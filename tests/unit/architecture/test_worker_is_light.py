"""What a gateway worker loads: its memory and its start time are decided here."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "alembic",
    "click",
    "fastapi",
    "httpx",
    "numpy",
    "pydantic",
    "rich",
    "scipy",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "xllamacpp",
}
CONTROL_PLANE = ("stockpot.core.db", "stockpot.core.jobs", "stockpot.access", "stockpot.catalog")


def loaded_by(module: str) -> set[str]:
    program = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module", ["stockpot.worker", "stockpot.gateway", "stockpot.providers", "stockpot.prices"]
)
def test_the_data_plane_loads_neither_a_database_nor_a_framework(module: str) -> None:
    modules = loaded_by(module)
    assert not {name.split(".")[0] for name in modules} & HEAVY
    assert not {name for name in modules if name.startswith(CONTROL_PLANE)}


def test_the_package_itself_loads_nothing() -> None:
    assert {name for name in loaded_by("stockpot") if name.startswith("stockpot")} == {"stockpot"}


def test_the_control_plane_starts_without_numpy_and_scipy() -> None:
    """Half a second of a start, and 40 MB; whoever asks for a figure loads them then."""
    assert not {name.split(".")[0] for name in loaded_by("stockpot.app")} & {"numpy", "scipy"}
    program = (
        "import sys, tempfile; from pathlib import Path; from stockpot.app import control_app; "
        "from stockpot.core import config; from stockpot.core.instance import Instance; "
        "settings = config.load({'STOCKPOT_HOME': tempfile.mkdtemp()}); "
        "control_app(settings, Instance(settings.home)); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {name.split(".")[0] for name in done.stdout.split()} & {"numpy", "scipy"}
