"""A prompt named in a call: rendered by every worker, moved while they run, without a control
plane."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.core.instance import Instance
from stockpot.gateway import Record
from stockpot.gateway.spool import read_entries
from tests.integration.revisions.fleet import KEY, Fleet
from tests.running import eventually

pytestmark = pytest.mark.integration

SCHEMA = {
    "type": "object",
    "required": ["dish"],
    "additionalProperties": False,
    "properties": {
        "dish": {"type": "string"},
        "price": {"type": "number"},
        "history": {"type": "array", "format": "messages"},
    },
}
CONTENT = {
    "kind": "chat",
    "model": "main",
    "params": {"temperature": 0.5, "max_tokens": 50},
    "messages": [
        {"role": "system", "content": "{% include 'tone' %}Write for {{ dish }}."},
        {"insert": "history"},
        {"role": "user", "content": "Describe {{ dish }}{% if price %} at {{ price }}{% endif %}."},
    ],
    "variables_schema": SCHEMA,
    "tools": [{"name": "look_up", "parameters": {"type": "object", "properties": {}}}],
}


def made(fleet: Fleet, path: str, body: dict[str, Any], method: str = "POST") -> Any:
    answer = fleet.api.request(method, path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


def prepared(fleet: Fleet) -> None:
    """The prompt `menu`, whose version 1 is in production in both workers."""
    if fleet.api.get("prompts/menu").status_code == 404:
        made(fleet, "prompts", {"name": "tone", "content": {"body": "Be kind. "}})
        made(fleet, "prompts", {"name": "menu", "content": CONTENT})
    to = {"version": 1, "reason": "first"}
    fleet.api.put("prompts/menu/labels/production", json=to)  # refused where it is there already
    eventually(lambda: all(used(ask(fleet, n)) == "menu@1" for n in range(2)))


def used(answer: httpx.Response) -> str:
    return answer.headers.get("x-stockpot-prompt", "")


def ask(fleet: Fleet, worker: int, model: str = "prompt:menu", **more: Any) -> httpx.Response:
    body = {"model": model, "prompt_variables": {"dish": "soup"}, **more}
    return fleet.clients[worker].post("chat/completions", json=body)


def records(home: Path) -> list[Record]:
    files = sorted((Instance(home).spool).glob("*/*.ledger"))
    found = (entry for path in files for _, entry, _ in read_entries(path))
    return [entry for entry in found if isinstance(entry, Record)]


def test_a_prompt_is_rendered_for_the_model_that_it_names(fleet: Fleet) -> None:
    prepared(fleet)
    fleet.stub.requests.clear()
    later = [{"role": "user", "content": "Shorter."}]
    answer = ask(
        fleet, 0, "prompt:menu@1", messages=later, temperature=0.9,
        prompt_variables={"dish": "soup", "price": 3.5,
                          "history": [{"role": "assistant", "content": "Hello."}]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-stockpot-prompt"] == "menu@1"
    (sent,) = fleet.stub.requests
    assert sent["messages"] == [
        {"role": "system", "content": "Be kind. Write for soup."},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "Describe soup at 3.5."},
        {"role": "user", "content": "Shorter."},
    ]
    assert (sent["model"], sent["temperature"], sent["max_tokens"]) == ("good", 0.9, 50)
    assert sent["tools"][0]["function"]["name"] == "look_up"
    assert "prompt_variables" not in sent


def test_a_moved_label_is_in_force_in_all_workers_within_a_second(fleet: Fleet) -> None:
    prepared(fleet)
    taken, newest = [60.0], []
    while len(taken) < 3 or (
        min(taken) >= 1.0 and len(taken) < 6
    ):  # on a busy machine the best of five counts
        number = fleet.api.get("prompts/menu").json()["prompt"]["latest"] + 1
        newest.append(number)
        text = [{"role": "user", "content": f"Version {number} of {{{{ dish }}}}"}]
        content = {**CONTENT, "messages": text, "variables_schema": {}}
        made(fleet, "prompts/menu/versions", {"content": content, "message": f"v{number}"})
        to = {"version": number, "reason": "better"}
        begun = time.monotonic()
        made(fleet, "prompts/menu/labels/production", to, "PUT")
        for worker in range(2):
            while used(ask(fleet, worker)) != f"menu@{number}":
                assert time.monotonic() - begun < 60
        taken.append(time.monotonic() - begun)
    assert min(taken) < 1.0, taken
    made(fleet, "prompts/menu/labels/production/rollback", {"reason": "worse"})
    first, second = newest[-2:]
    eventually(lambda: used(ask(fleet, 1)) == f"menu@{first}")
    moves = fleet.api.get("prompts/menu/history").json()
    assert [move["after"] for move in moves][:3] == [first, second, first]


def test_every_dialect_takes_a_prompt_and_says_what_is_wrong_in_its_own_words(
    fleet: Fleet,
) -> None:
    prepared(fleet)
    fleet.stub.requests.clear()
    base = f"http://127.0.0.1:{fleet.ports[0]}"
    keyed = {"authorization": f"Bearer {KEY}"}
    variables = {"prompt_variables": {"dish": "soup"}}
    asks = {
        "/v1/messages": {"model": "prompt:menu@production", **variables},
        "/v1beta/models/prompt%3Amenu%40production:generateContent": variables,
        "/v1/responses": {"model": "prompt:menu@production", **variables},
    }
    for path, body in asks.items():
        answer = httpx.post(base + path, json=body, headers=keyed, timeout=60)
        assert answer.status_code == 200, (path, answer.text)
        sent = fleet.stub.requests[-1]
        said = [(m["role"], _plain(m["content"])) for m in sent["messages"]]
        assert said == [
            ("system", "Be kind. Write for soup."), ("user", "Describe soup."),
        ], path  # fmt: skip
        assert sent["temperature"] == 0.5
        assert sent["tools"][0]["function"]["name"] == "look_up"
        wrong = {**body, "prompt_variables": {"dish": 7}}
        refused = httpx.post(base + path, json=wrong, headers=keyed, timeout=60)
        assert refused.status_code == 400, path
        told = refused.json()["error"]["message"]
        assert "the variable 'dish' must be a text, not the number 7" in told
    headed = {**keyed, "x-stockpot-prompt": "menu"}
    body = {"model": "prompt", "messages": [], **variables}
    answer = httpx.post(base + "/v1/chat/completions", json=body, headers=headed, timeout=60)
    assert answer.status_code == 200, answer.text


def _plain(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def test_the_records_name_the_prompt_and_refusals_teach(fleet: Fleet) -> None:
    prepared(fleet)
    missing = ask(fleet, 0, prompt_variables={})
    assert missing.status_code == 400
    error = missing.json()["error"]
    assert (error["code"], error["param"]) == (
        "invalid_prompt_variables", "prompt_variables.dish",
    )  # fmt: skip
    unknown = ask(fleet, 0, "prompt:meny")
    assert unknown.status_code == 404
    assert "Did you mean 'menu'?" in unknown.json()["error"]["message"]
    nowhere = ask(fleet, 0, "prompt:menu@staging")
    assert "it has production" in nowhere.json()["error"]["message"]
    row = eventually(lambda: _root(fleet))
    assert (row.prompt_name, row.prompt_version, row.prompt_label) == ("menu", "1", "production")


def _root(fleet: Fleet) -> Record | None:
    return next((r for r in records(fleet.home) if r.prompt_name and r.status == 200), None)


def test_a_key_that_may_not_use_the_prompts_model_is_refused(fleet: Fleet) -> None:
    prepared(fleet)
    key = made(fleet, "keys", {"name": "narrow", "models": ["other"]})["key"]
    headers = {"authorization": f"Bearer {key}"}
    body = {"model": "prompt:menu", "prompt_variables": {"dish": "soup"}}

    def asked() -> httpx.Response:
        return fleet.clients[0].post("chat/completions", json=body, headers=headers)

    answer = eventually(lambda: (a := asked()).status_code != 401 and a)
    assert answer.status_code == 403
    assert "may not use 'main'" in answer.json()["error"]["message"]


def test_a_repeated_answer_is_that_of_the_same_rendered_text(fleet: Fleet) -> None:
    prepared(fleet)
    key = made(fleet, "keys", {"name": "cached", "cache": {"ttl_s": 60}})["key"]
    headers = {"authorization": f"Bearer {key}"}

    def asked(dish: str, model: str = "prompt:menu") -> httpx.Response:
        body = {"model": model, "prompt_variables": {"dish": dish}}
        return fleet.clients[0].post("chat/completions", json=body, headers=headers)

    eventually(lambda: asked("bread").status_code == 200)
    told = [asked(d).headers["x-stockpot-cache"] for d in ("soup", "soup", "rice", "soup")]
    assert told == ["miss", "hit", "miss", "hit"]
    assert asked("soup", "prompt:menu@1").headers["x-stockpot-cache"] == "hit"


def test_prompts_are_served_while_the_control_plane_is_dead_and_after_a_restart(
    fleet: Fleet,
) -> None:
    prepared(fleet)
    control, *_ = fleet.processes
    eventually(lambda: (fleet.home / "run" / "snapshot.sealed").exists())
    control.kill()
    control.wait(60)
    assert ask(fleet, 0).status_code == 200
    fleet.processes[1].kill()
    fleet.processes[1].wait(60)
    fleet.start("stockpot.worker", "0", fleet.ports[0])
    eventually(lambda: _answers(fleet))
    assert used(ask(fleet, 0)) == "menu@1"
    fleet.start("stockpot.app", "control")
    eventually(lambda: _is_back(fleet))


def _is_back(fleet: Fleet) -> bool:
    try:
        return fleet.api.get("prompts/menu").is_success
    except httpx.TransportError:
        return False


def _answers(fleet: Fleet) -> bool:
    try:
        return ask(fleet, 0).status_code == 200
    except httpx.TransportError:
        return False
