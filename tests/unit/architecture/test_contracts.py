"""The import contracts of pyproject.toml hold, and each of them is able to fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import grimp
import pytest

REPO = Path(__file__).resolve().parents[3]

FAULTS = {
    "layers": {"core/planted.py": "import stockpot.gateway"},
    "inside": {
        "catalog/store.py": "import stockpot.catalog.service",
        "catalog/service.py": "",
    },
    "front_door": {"gateway/planted.py": "from stockpot.prices.models import Usage"},
    "data_plane": {
        "gateway/planted.py": "import stockpot.core.planted",
        "core/planted.py": "def late():\n    import sqlalchemy",
    },
    "acyclic": {
        "core/planted.py": "import stockpot.core.planted_too",
        "core/planted_too.py": "import stockpot.core.planted",
    },
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the linter reads."""
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    for folder in ("src/stockpot", "scripts"):
        ignore = shutil.ignore_patterns("__pycache__", "console")
        shutil.copytree(REPO / folder, tmp_path / folder, ignore=ignore)
    return tmp_path


def lint(tree: Path, contract: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(
        [*command, "--contract", contract],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("contract", FAULTS)
def test_a_planted_fault_breaks_the_contract(copy: Path, contract: str) -> None:
    before = lint(copy, contract)
    assert before.returncode == 0, before.stdout
    for name, text in FAULTS[contract].items():
        (copy / "src/stockpot" / name).write_text(f"{text}\n", "utf-8")
    after = lint(copy, contract)
    assert after.returncode == 1
    assert "0 kept, 1 broken" in after.stdout, after.stdout + after.stderr


def test_a_capability_that_no_layer_names_breaks_the_layers(copy: Path) -> None:
    (copy / "src/stockpot/annex").mkdir()
    (copy / "src/stockpot/annex/__init__.py").touch()
    broken = lint(copy, "layers")
    assert broken.returncode == 1
    assert "stockpot.annex" in broken.stdout


def test_no_module_imports_itself_through_others() -> None:
    """Siblings are checked by a contract; this sees front doors too (package and submodule)."""
    configured = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (acyclic,) = (row for row in configured["contracts"] if row["id"] == "acyclic")
    graph = grimp.build_graph("stockpot", cache_dir=None)
    for arrow in acyclic["ignore_imports"]:
        importer, imported = arrow.split(" -> ")
        graph.remove_import(importer=importer, imported=imported)
    arrows = {m: graph.find_modules_directly_imported_by(m) for m in graph.modules}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as cycle:
        pytest.fail(" -> ".join(cycle.args[1]))
