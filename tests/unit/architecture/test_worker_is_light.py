"""What a gateway worker loads: its memory and its start time are decided here."""

from __future__ import annotations

import subprocess
import sys

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


def test_a_worker_loads_neither_a_database_nor_a_framework() -> None:
    modules = loaded_by("stockpot.worker")
    assert not {name.split(".")[0] for name in modules} & HEAVY
    assert not {name for name in modules if name.startswith(CONTROL_PLANE)}


def test_the_package_itself_loads_nothing() -> None:
    assert {name for name in loaded_by("stockpot") if name.startswith("stockpot")} == {"stockpot"}
