"""An experiment on a prompt's label in front of real workers: units stay in their arms, exposures
reach the span log, and an arm that fails is rolled back while calls go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.integration.revisions.fleet import Fleet, file
from tests.running import eventually
from tests.vendors.openai_stub import Behaviour, OpenAIStub

pytestmark = pytest.mark.integration

BROKEN = """
[aliases.broken]
targets = [{provider = "stub", model = "bad"}]
attempts = 1
"""
NEW = {
    "name": "tone", "subject": "menu@production",
    "arms": [{"name": "now", "weight": 5000}, {"name": "new", "weight": 5000, "target": "menu@2"}],
    "metrics": [{"name": "error", "role": "guardrail", "margin": 0.05},
                {"name": "tokens", "role": "primary"}],
}  # fmt: skip
USERS = [f"user-{number}" for number in range(60)]


@pytest.fixture
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    behaviours = {"bad": [Behaviour(status=500)]}
    home = tmp_path_factory.mktemp("experiments") / "home"
    with OpenAIStub(behaviours=behaviours) as stub, Fleet(home, stub) as made:
        for module, word in (("stockpot.ingest", "ingest"), ("stockpot.worker", "ship")):
            made.start(module, word)
        made.apply(file(stub, "good", BROKEN), now=True)
        yield made


def ask(fleet: Fleet, worker: int, user: str) -> httpx.Response:
    body = {"model": "prompt:menu", "user": user, "prompt_variables": {"dish": "soup"}}
    return fleet.clients[worker].post("chat/completions", json=body)


def said(fleet: Fleet, path: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
    answer = fleet.api.request("GET" if body is None else "POST", path, json=body, params=query)
    assert answer.is_success, answer.text
    return answer.json()


def test_an_arm_that_fails_is_rolled_back_and_the_next_call_is_served_by_the_control(
    fleet: Fleet,
) -> None:
    calls, arms = prepared_and_called(fleet)
    eventually(lambda: _state(fleet) == "rolled_back")
    hurt = next(user for user, arm in arms.items() if arm == "new")
    for worker in range(2):
        eventually(lambda: not arm_of(ask(fleet, worker, hurt), hurt, calls))  # noqa: B023
    assert ask(fleet, 0, hurt).headers["x-stockpot-prompt"] == "menu@1"

    what_is_told(fleet, calls)


NAMED: dict[bool, dict[str, Any]] = {True: {"name": "menu"}, False: {}}


def begin(fleet: Fleet) -> None:
    """Two versions of a prompt, the second on a model that fails, and half of the users on each."""
    for model in ("main", "broken"):
        messages = [{"role": "user", "content": f"Of {{{{ dish }}}} by {model}."}]
        new = {"content": {"kind": "chat", "messages": messages, "model": model}}
        of_first = model == "main"
        said(fleet, "prompts" if of_first else "prompts/menu/versions", {**new, **NAMED[of_first]})
    fleet.api.put("prompts/menu/labels/production", json={"version": 1}).raise_for_status()
    said(fleet, "experiments", NEW)
    said(fleet, "experiments/tone/start", {"reason": "ready"})


def what_is_told(fleet: Fleet, calls: list[tuple[str, str]]) -> None:
    """Every call and every unit is counted in its arm, and the decision has its figures."""
    arms = dict(calls)
    counted = {arm: sum(one == arm for _, one in calls) for arm in ("now", "new")}
    where = {"experiment": "tone", "variant": "new", "limit": 200}
    eventually(lambda: len(said(fleet, "traces", **where)["items"]) == counted["new"])
    found = said(fleet, "traces", **where)["items"]
    assert all(row["root"]["status"] == "error" for row in found)
    report = said(fleet, "experiments/tone/report")
    told = {arm["name"]: (arm["units"], arm["calls"]) for arm in report["arms"]}
    for arm in ("now", "new"):
        assert told[arm] == (sum(one == arm for one in arms.values()), counted[arm])
    decision = report["decisions"][0]
    assert (decision["kind"], decision["actor"]) == ("rolled_back", "stockpot")
    errors = next(m for m in decision["figures"]["metrics"] if m["metric"] == "error")
    assert errors["low"] > 0.05


def prepared_and_called(fleet: Fleet) -> tuple[list[tuple[str, str]], dict[str, str]]:
    """Users call both workers while the experiment runs; each call with its arm, and each user."""
    begin(fleet)
    calls: list[tuple[str, str]] = []
    for worker in range(2):
        eventually(lambda: arm_of(ask(fleet, worker, "first"), "first", calls), 5)  # noqa: B023
    for number, user in enumerate(USERS):
        for worker in (number % 2, 1 - number % 2):
            answer = ask(fleet, worker, user)
            arm = arm_of(answer, user, calls)
            assert answer.status_code == (500 if arm == "new" else 200)
    arms = dict(calls)
    assert set(calls) == set(arms.items())  # nobody was in two
    assert set(arms.values()) == {"now", "new"}
    return calls, arms


def arm_of(answer: httpx.Response, user: str, calls: list[tuple[str, str]]) -> str:
    """The arm that an answer comes from, '' for none; the call is noted when it was in one. An
    upstream's error names no arm, but one arm alone fails."""
    told = answer.headers.get("x-stockpot-experiment", "")
    arm = "new" if answer.status_code == 500 else told.rpartition("=")[2]
    if arm:
        calls.append((user, arm))
    return str(arm)


def _state(fleet: Fleet) -> str:
    state: str = said(fleet, "experiments/tone")["experiment"]["state"]
    return state
