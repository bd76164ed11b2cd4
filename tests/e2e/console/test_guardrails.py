"""Guardrails: a policy with its rules and measured rates, a text to try, and what was found."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
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

RULE = {
    "id": "no-list", "rail": "words", "on": ["input"], "action": "block",
    "settings": {"words": ["falconry"]},
}  # fmt: skip


async def test_a_policy_is_read_a_text_tried_and_a_blocked_call_leads_to_its_trace(
    instance: Instance, open_page: Open, tmp_path: Path
) -> None:
    file = tmp_path / "careful.json"
    file.write_text(json.dumps({"name": "careful", "rules": [RULE]}))
    instance.command("guardrails", "policies", "apply", str(file))
    instance.command("guardrails", "bind", "careful", "--route", "gpt-4o-mini")
    page = await open_page("/guardrails?project=default")
    rules = page.get_by_role("table", name="Rules")
    await expect(rules).to_contain_text("no-list")
    await expect(rules).to_contain_text("finds what it is told to find")
    await page.get_by_label("What would careful make of it?").fill("Is falconry hard?")
    await page.get_by_role("button", name="Test").click()
    await expect(page.locator("mark")).to_contain_text("falconry")
    await expect(page.get_by_role("table", name="What each rule found")).to_contain_text("×1")
    status = 0
    for _ in range(30):  # until every worker has the policy
        answer = httpx.post(
            f"{instance.gateway}/v1/chat/completions",
            json={
                "model": "gpt-4o-mini",
                "messages": [{"role": "user", "content": "Is falconry hard?"}],
            },
            headers={"authorization": f"Bearer {instance.key}"},
            timeout=60,
        )
        status = answer.status_code
        if status == 400:
            break
        await page.wait_for_timeout(100)
    assert status == 400
    found = page.get_by_role("table", name="Recent findings")
    await expect(found).to_contain_text("blocked", timeout=25_000)
    await found.get_by_role("link").first.click()
    await page.wait_for_url("**/traces/**")
    await expect(page.get_by_text("no-list: block").first).to_be_visible()


async def test_a_first_policy_is_made_tried_and_let_hold_without_a_terminal(
    instance: Instance, open_page: Open
) -> None:
    instance.command("projects", "create", "shy")
    page = await open_page("/guardrails?project=shy")
    await page.get_by_role("button", name="Make this policy in shy").click()
    await expect(page.get_by_role("table", name="Rules")).to_contain_text("no-secrets")
    await page.get_by_role("button", name="Let it hold").click()
    sure = page.get_by_role("alertdialog")
    await sure.get_by_role("button", name="Let it hold").click()
    await expect(page.get_by_role("table", name="Policies")).to_contain_text("project shy")
