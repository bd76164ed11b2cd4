"""What every test shares: what a test may need of the machine, and how hard properties are tried.

A test says `@pytest.mark.needs("chromium")`. Where that is missing it is not run, and the end of
the report lists it with the command that adds it; with CI=true a skipped test is a failure.
"""

from __future__ import annotations

import gc
import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx._transports.default as httpx_transport
import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling

REPO = Path(__file__).resolve().parents[1]
MODELS_HOME = REPO / ".cache/home"
IN_CI = os.environ.get("CI", "").lower() in {"1", "true", "yes"}

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as the command line does

# Each client reads all root certificates, 20 ms of processor, also for plain HTTP to this host.
httpx_transport.create_ssl_context = cache(httpx_transport.create_ssl_context)  # type: ignore[attr-defined]

settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    print_blob=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("nightly", settings.get_profile("ci"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


class Requirement(NamedTuple):
    """Something a machine has or lacks; `packages` come from Debian, else `command` adds it."""

    present: Callable[[], bool]
    packages: str = ""
    command: str = ""


def _system() -> Iterator[tuple[str, Requirement]]:
    for line in (REPO / "requirements/system.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            command, packages, _ = (cell.strip() for cell in line.split("|"))
            yield command, Requirement(lambda c=command: shutil.which(c) is not None, packages)


def _pulled(model: str) -> Requirement:
    manifest = MODELS_HOME / "models" / model / "model.json"
    return Requirement(manifest.is_file, command="make test-models")


RECORDED = "STOCKPOT_TEST_DATA"

REQUIREMENTS: dict[str, Requirement] = {
    **dict(_system()),
    "node": Requirement(lambda: shutil.which("npm") is not None, "nodejs npm"),
    "console": Requirement(
        lambda: (REPO / "src/stockpot/console/index.html").is_file(), command="make console"
    ),
    "smollm2-135m": _pulled("smollm2-135m"),
    "minilm-l6-v2": _pulled("minilm-l6-v2"),
}


@pytest.fixture(scope="session")
def models_home() -> Path:
    """A STOCKPOT_HOME with what `make test-models` pulled in `models/`; link to it, never write."""
    return MODELS_HOME


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--nightly", action="store_true", help="also run tests marked nightly")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = [] if config.getoption("--nightly") else ["nightly"]
    if not os.environ.get(RECORDED):
        absent.append("recorded_data")
    left = [
        item for item in items
        if any(map(item.get_closest_marker, absent)) or not _has_libraries(item)
    ]  # fmt: skip
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in set(left)]
    longest: dict[str, float] = {}
    for item in items:
        marked = item.get_closest_marker("timeout")
        longest[_module(item.nodeid)] = max(
            longest.get(_module(item.nodeid), 0.0), marked.args[0] if marked else 0.0
        )
    # Modules that may take long begin first: at the end no process waits for one that came late.
    items.sort(key=lambda item: -longest[_module(item.nodeid)])


def _module(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return _Modules(config, log)


class _Modules(LoadScopeScheduling):  # type: ignore[misc]
    """Gives whole modules to processes; those that share a running console go to one of them."""

    def _split_scope(self, nodeid: str) -> str:
        return CONSOLE if nodeid.startswith(CONSOLE) else _module(nodeid)


CONSOLE = "tests/e2e/console/"


def _has_libraries(item: pytest.Item) -> bool:
    named = [name for mark in item.iter_markers("library") for name in mark.args]
    return all(importlib.util.find_spec(name) is not None for name in named)


def pytest_collection_finish() -> None:
    """Leave what was imported out of the collector's rounds: they took a third of the CPU time of
    tests that start a control plane in this process."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)


def pytest_runtest_setup(item: pytest.Item) -> None:
    needed = [name for mark in item.iter_markers("needs") for name in mark.args]
    missing = [name for name in needed if not REQUIREMENTS[name].present()]
    if not missing:
        return
    item.user_properties.append(("missing", ",".join(missing)))
    reason = f"needs {', '.join(missing)}"
    if IN_CI:
        pytest.fail(f"{reason}: {_remedy(missing)}", pytrace=False)
    pytest.skip(reason)


def _remedy(missing: list[str]) -> str:
    """One command line that adds everything."""
    rows = [REQUIREMENTS[name] for name in missing]
    packages = " ".join(dict.fromkeys(row.packages for row in rows if row.packages))
    apt = [f"sudo apt-get install -y --no-install-recommends {packages}"] if packages else []
    return " && ".join(apt + list(dict.fromkeys(row.command for row in rows if row.command)))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With CI=true a skipped test fails the run: nothing that was written may silently not run."""
    if IN_CI and session.exitstatus == pytest.ExitCode.OK and _skipped(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was not run, why, and the one command for what the machine lacks."""
    if not os.environ.get(RECORDED):
        told = f"{RECORDED}=FOLDER adds the tests on other people's recorded data"
        terminalreporter.line(f"{told} (licensed apart, not in the repository)")
    skipped = _skipped(terminalreporter.config)
    if not skipped:
        return
    terminalreporter.section("NOT RUN", red=True)
    missing: dict[str, None] = {}
    for report in sorted(skipped, key=lambda report: report.nodeid):
        terminalreporter.line(f"{report.nodeid}: {_reason(report)}")
        named = [str(value) for key, value in report.user_properties if key == "missing"]
        missing.update(dict.fromkeys(name for names in named for name in names.split(",")))
    if missing:
        terminalreporter.line(f"Add what is missing with:  {_remedy(list(missing))}", bold=True)


def _reason(report: pytest.TestReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def _skipped(config: pytest.Config) -> list[pytest.TestReport]:
    """Reports of skipped tests; empty in a worker of xdist, whose controller has them all."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    found = reporter.stats.get("skipped", []) if reporter else []
    return [report for report in found if isinstance(report, pytest.TestReport)]
