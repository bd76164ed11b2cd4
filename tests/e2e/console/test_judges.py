"""Judges: a certified one and one that nobody measured, and the badge beside a run's figures."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from playwright.async_api import expect

if TYPE_CHECKING:
    from tests.e2e.console.conftest import Open
    from tests.running import Instance

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.needs("chromium", "console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

# The echo model says what it is told: a judge whose prompt holds the verdict.
RIGHT = """
model = "echo"
criteria = "The answer is right."
prompt = '{"verdict": "{{output}}"}'
"""
SUITE = """
name = "judged"
dataset = "answers"
[target]
kind = "recorded"
[[scorers]]
use = "judge:right"
name = "right"
"""


def answers() -> list[dict[str, object]]:
    """Forty answers of which the judge cannot read two."""
    said = ["hm" if n in (4, 9) else ("fail", "pass", "pass")[n % 3] for n in range(40)]
    return [
        {"id": f"a{n:02}", "input": {"text": f"question {n}"},
         "metadata": {"language": ("de", "en")[n % 2], "output": word}}
        for n, word in enumerate(said)
    ]  # fmt: skip


def labels() -> list[dict[str, object]]:
    """Two people, who differ from the judge on a few rows and from each other on one."""
    rows: list[dict[str, object]] = []
    for n, answer in enumerate(answers()):
        word = "fail" if '"fail"' in json.dumps(answer) else "pass"
        other = "fail" if n in (1, 13) else word
        rows.append({"item": answer["id"], "rater": "ana", "label": other})
        rows.append({"item": answer["id"], "rater": "bo", "label": word if n == 20 else other})
    return rows


def written(path: Path, rows: list[dict[str, object]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def run_id(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A certified judge, one that nobody measured, and a run that the first one judged."""
    folder = tmp_path_factory.mktemp("judges")
    (folder / "right.toml").write_text(RIGHT)
    (folder / "judged.toml").write_text(SUITE)
    rows = written(folder / "answers.jsonl", answers())
    people = written(folder / "people.jsonl", labels())

    def prepare() -> str:
        command = instance.command
        command("eval", "judges", "create", "right", "--file", str(folder / "right.toml"))
        command("eval", "judges", "create", "polite", "--model", "echo", "--criteria", "Polite.")
        command("datasets", "create", "answers")
        command("datasets", "import", "answers", rows)
        command(
            "eval", "judges", "certify", "right", "--dataset", "answers", "--labels", people,
            "--slice", "metadata.language",
        )  # fmt: skip
        told = json.loads(command("eval", "run", str(folder / "judged.toml"), "--json"))
        return str(told["run"]["id"])

    return await asyncio.to_thread(prepare)


async def test_a_judge_shows_how_far_it_agrees_with_people_and_whether_it_may_gate(
    open_page: Open, run_id: str
) -> None:
    page = await open_page("/judges?project=default")
    row = page.get_by_role("row").filter(has_text="right")
    await expect(row.get_by_text("certified", exact=False).first).to_be_visible()
    await expect(
        page.get_by_role("row").filter(has_text="polite").get_by_text("nobody has measured")
    ).to_be_visible()
    await row.get_by_role("link", name="right").click()
    certificate = page.get_by_role("region", name="Certificate")
    for words in ("All rows", "metadata.language=de", "People among themselves"):
        await expect(certificate.get_by_text(words, exact=True)).to_be_visible()
    await expect(certificate.get_by_text("2 of 40 calls")).to_be_visible()
    await expect(certificate.get_by_text("people would say")).to_be_visible()
    await page.go_back()
    await page.get_by_role("link", name="polite").click()
    await expect(page.get_by_text("may inform, never gate")).to_be_visible()


async def test_a_run_shows_its_judges_certificate_beside_every_figure(
    open_page: Open, run_id: str
) -> None:
    page = await open_page(f"/evals?run={run_id}")
    metrics = page.get_by_role("region", name="Metrics")
    await expect(metrics.get_by_text("certified", exact=False)).to_be_visible()
    judges = page.get_by_role("region", name="Judges")
    await expect(judges.get_by_text("2 unreadable: missing, not 0")).to_be_visible()
    await judges.get_by_role("link", name="judge:right@1").click()
    await expect(page.get_by_role("heading", name="right")).to_be_visible()
