"""Suites as tests: `stockpot_eval` runs one and gives the run with the gate's word.

    def test_descriptions_do_not_get_worse(stockpot_eval):
        outcome = stockpot_eval("evals/menu.toml", target=describe)
        assert outcome.passed, outcome.words

`@pytest.mark.stockpot_eval("evals/menu.toml")` says it in one line, for a test without a body of
its own. Runs are kept in the instance that runs, else in the home that STOCKPOT_HOME names. Loads
nothing of the product before a test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from stockpot.core.client import Client

_API = "/api/v1/evals"


class Outcome(NamedTuple):
    """A run that is done, and what its gate said; both as the API shows them."""

    run: dict[str, Any]
    gate: dict[str, Any]

    @property
    def passed(self) -> bool:
        return bool(self.gate["passed"])

    @property
    def words(self) -> str:
        """What speaks against it: checks that failed, those of judges with their certificates, then
        cases."""
        failed = [_said(check) for check in self.gate["checks"] if not check["passed"]]
        cases = [f"{case['item']}: {case['metric']} {case['reason']}"
                 for case in self.gate["cases"]]  # fmt: skip
        return "\n".join([*failed, *cases])

    def value(self, metric: str, part: str = "") -> float:
        """A metric of the run."""
        for one in self.run["metrics"]:
            if (one["metric"], one["slice"]) == (metric, part):
                return float(one["value"])
        known = sorted({one["metric"] for one in self.run["metrics"]})
        raise KeyError(f"no metric {metric!r}; there is {', '.join(known)}")


def _said(check: dict[str, Any]) -> str:
    from stockpot.traces import badge_words

    beside = badge_words(check.get("badge"))
    return f"{check['words']} [{beside}]" if beside else str(check["words"])


Evaluate = Callable[..., Outcome]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "stockpot_eval(suite, base=None): this suite runs, and has to pass its gate"
    )


@pytest.fixture
def stockpot_eval(request: pytest.FixtureRequest) -> Iterator[Evaluate]:
    """A function that runs a suite: a file or a kept suite's name, with `target` a function to
    evaluate instead of the suite's own, `rows` a file, `base` a run to compare with."""
    client = _client()
    folder = request.config.rootpath

    def evaluate(
        suite: str, *, target: Callable[[Any], Any] | None = None, rows: str | None = None,
        base: str | None = None, project: str | None = None,
    ) -> Outcome:  # fmt: skip
        return _evaluated(client, folder, suite, target, rows, base, project)

    try:
        yield evaluate
    finally:
        client.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("stockpot_eval") and "stockpot_eval" not in getattr(
            item, "fixturenames", ()
        ):
            item.fixturenames.append("stockpot_eval")  # type: ignore[attr-defined]


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    marker = item.get_closest_marker("stockpot_eval")
    yield
    if marker is not None:
        evaluate = item.funcargs["stockpot_eval"]  # type: ignore[attr-defined]
        outcome = evaluate(*marker.args, **marker.kwargs)
        if not outcome.passed:
            pytest.fail(outcome.words, pytrace=False)


def _evaluated(
    client: Client, folder: Path, suite: str, target: Callable[[Any], Any] | None,
    rows: str | None, base: str | None, project: str | None,
) -> Outcome:  # fmt: skip
    from stockpot.core.config import load
    from stockpot.evals.cli.running import follow, known_gateway, rows_of, wanted_of
    from stockpot.evals.here import run_here

    how: dict[str, Any] = {
        "project": project, "rows_file": Path(folder, rows) if rows else None, "prompt": None,
        "model": None, "message": "pytest", "again": False,
    }  # fmt: skip
    named = str(folder / suite) if suite.endswith(".toml") else suite
    where, new, found = wanted_of(client, named, how)
    if target is not None:
        name = f"{target.__module__}:{target.__qualname__}"
        new["target"] = {"kind": "python", "callable": name}
        new["runner"] = "here"
    run = client.post(f"{_API}/runs", new, project=where)
    if run["runner"] == "here":
        rows_here = found or rows_of(client, run)
        run = run_here(client, run, rows_here, function=target, gateway=known_gateway(load()))
    else:
        run = follow(client, run, quiet=True)
    if run["state"] != "done":
        pytest.fail(f"the run {run['id']} is {run['state']}: {run['error']}", pytrace=False)
    return Outcome(run, client.post(f"{_API}/runs/{run['id']}/gate", base=base))


def _client() -> Client:
    from stockpot.app import control_app
    from stockpot.core.client import Client
    from stockpot.core.config import load
    from stockpot.core.instance import Instance

    settings = load()
    instance = Instance(settings.home)
    return Client.open(settings, instance, lambda: control_app(settings, instance))
