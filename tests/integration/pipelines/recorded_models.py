"""Recorded models in a running instance, with prices that somebody stated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from stockpot.core.instance import Instance as Home
from tests.running import Instance, eventually

Price = tuple[float, float]
"""Dollars per million input and output tokens."""


def client_of(instance: Instance) -> httpx.Client:
    """The command line's own client."""
    headers = {"authorization": f"Bearer {Home(instance.home).derive('cli')}"}
    return httpx.Client(base_url=instance.console, headers=headers, timeout=60)


def played(
    instance: Instance, folder: Path, tapes: Mapping[str, Sequence[Any]],
    prices: Mapping[str, Price],
) -> None:  # fmt: skip
    """Have recordings played, and their prices known."""
    for name, lines in tapes.items():
        tape = folder / f"{name}.jsonl"
        tape.write_text("\n".join(map(json.dumps, lines)), "utf-8")
        instance.command("models", "add-recorded", name, str(tape))
    with client_of(instance) as client:
        wanted = {f"recorded/{name}" for name in tapes}

        def served() -> bool:
            return wanted <= {model["name"] for model in client.get("/api/v1/models").json()}

        eventually(served)
        for name, (asked, told) in prices.items():
            price = {"provider": "recorded", "model": name, "source": "stated for a test",
                     "dollars": {"input": asked, "output": told}}  # fmt: skip
            answer = client.post("/api/v1/prices", json=price)
            assert answer.is_success, answer.text


def data_set(instance: Instance, project: str, name: str, rows: Sequence[Any]) -> None:
    """A project with a data set."""
    with client_of(instance) as client:
        for path, body in (
            ("/api/v1/projects", {"name": project}),
            (f"/api/v1/datasets?project={project}", {"name": name}),
            (f"/api/v1/datasets/{name}/rows?project={project}", {"rows": list(rows)}),
        ):
            answer = client.post(path, json=body)
            assert answer.is_success, (path, answer.text)


def by_model(run: Mapping[str, Any]) -> dict[str, Any]:
    """The candidates of a run's report."""
    return {one["figures"]["model"]: one for one in run["report"]["candidates"]}
