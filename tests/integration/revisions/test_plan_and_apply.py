"""Planning, applying, rolling back and exporting, through the API over real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from stockpot.gateway import GatewayPart, Snapshot
from stockpot.revisions import turns
from tests.integration.control.plane import Plane, running

pytestmark = pytest.mark.integration

FILE = """
# who we are
[projects.menu]
owner = "ana"
limits = {rpm = 60}
budget = {usd = 12.5}

[providers.lab]  # the machine under the desk
vendor = "vllm"
base_url = "http://127.0.0.1:9/v1"
models = ["small", "large"]

[aliases.fast]
targets = [
  {provider = "lab", model = "small", weight = 3},
  {provider = "lab", model = "large", tier = 1},
]

[keys.menu-app]
project = "menu"
models = ["fast"]
payloads = "masked"
expires = 2031-01-01T00:00:00Z
"""


async def post(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/v1/{path}", json=body)
    assert answer.is_success, answer.text
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


async def apply(client: httpx.AsyncClient, toml: str = FILE, **more: Any) -> dict[str, Any]:
    return await post(client, "apply", toml=toml, **more)


async def part(plane: Plane) -> GatewayPart:
    answer = await (await plane.worker()).get("/internal/snapshot")
    snapshot = msgspec.msgpack.decode(answer.content, type=Snapshot)
    return msgspec.msgpack.decode(snapshot.parts[0].data, type=GatewayPart)


async def test_a_plan_says_what_a_file_would_change_and_changes_nothing(plane: Plane) -> None:
    admin = await plane.admin()
    before = await part(plane)
    made = await post(admin, "plan", toml=FILE)
    assert [(c["kind"], c["name"]) for c in made["changes"]] == [
        ("add", "aliases.fast"),
        ("add", "keys.menu-app"),
        ("add", "projects.menu"),
        ("add", "providers.lab"),
    ]
    assert "+ aliases.fast" in made["text"]
    assert any("'default' stays" in note for note in made["notes"])
    assert await part(plane) == before
    assert len((await admin.get("/api/v1/revisions")).json()) == 1


async def test_what_is_applied_is_what_workers_serve(plane: Plane) -> None:
    admin = await plane.admin()
    done = await apply(admin)
    assert done["revision"]["state"] == "released"
    assert done["revision"]["watched"]["reason"] == "no worker was running"
    (secret,) = done["keys"]
    assert secret["name"] == "menu-app"
    assert secret["key"].startswith("sk-sp-")
    now = await part(plane)
    assert {p.name for p in now.projects} == {"default", "menu"}
    (key,) = [k for k in now.keys if k.name == "menu-app"]
    assert (key.project, key.models, key.payloads) == ("menu", ("fast",), "masked")
    assert key.expires_ms == 1_924_992_000_000
    (route,) = [r for r in now.routes if r.name == "fast"]
    assert [(t.target, t.weight, t.tier) for t in route.targets] == [
        ("lab/small", 3, 0),
        ("lab/large", 1, 1),
    ]
    (project,) = [p for p in now.projects if p.name == "menu"]
    assert (project.limits.rpm, project.budgets[0].limit_nano) == (60, 12_500_000_000)


async def test_applying_the_same_file_again_changes_nothing(plane: Plane) -> None:
    admin = await plane.admin()
    first = await apply(admin)
    again = await apply(admin)
    assert again["changes"] == []
    assert again["revision"]["number"] == first["revision"]["number"]
    exported = (await admin.get("/api/v1/export")).json()["toml"]
    assert (await post(admin, "plan", toml=exported))["changes"] == []


async def test_a_section_that_is_not_named_stays_and_one_that_is_empty_goes(plane: Plane) -> None:
    admin = await plane.admin()
    await apply(admin)
    assert (await post(admin, "plan", toml="base = 1"))["changes"] == []
    gone = await post(admin, "plan", toml="[aliases]")
    assert [(c["kind"], c["name"]) for c in gone["changes"]] == [("remove", "aliases.fast")]
    more = '[aliases.slow]\ntargets = [{provider = "lab", model = "large"}]\n'
    added = await post(admin, "plan", toml=more, partial=True)
    assert [(c["kind"], c["name"]) for c in added["changes"]] == [("add", "aliases.slow")]


async def test_every_change_through_the_api_is_a_revision_with_its_author(plane: Plane) -> None:
    admin = await plane.admin()
    await admin.post("/api/v1/projects", json={"name": "shop"})
    key = (await admin.post("/api/v1/keys", json={"name": "app", "project": "shop"})).json()
    await admin.patch(f"/api/v1/keys/{key['record']['id']}", json={"limits": {"rpm": 5}})
    await admin.delete(f"/api/v1/keys/{key['record']['id']}")
    rows = (await admin.get("/api/v1/revisions")).json()
    assert [row["kind"] for row in rows] == ["edit"] * 4 + ["start"]
    assert [row["number"] for row in rows] == [5, 4, 3, 2, 1]
    assert {row["author"] for row in rows[:4]} == {"command line (cli)"}
    shown = (await admin.get("/api/v1/revisions/4")).json()
    assert [(c["name"], c["after"]) for c in shown["changes"]] == [("keys.app.limits", {"rpm": 5})]
    compared = (await admin.get("/api/v1/revisions/1/diff/5")).json()
    assert [c["name"] for c in compared["changes"]] == ["projects.shop"]


async def test_a_rollback_brings_an_earlier_state_back(plane: Plane) -> None:
    admin = await plane.admin()
    await apply(admin)
    await apply(admin, FILE.replace("weight = 3", "weight = 9").replace("rpm = 60", "rpm = 6"))
    back = await post(admin, "rollback")
    assert back["revision"]["kind"] == "rollback"
    assert sorted(c["name"] for c in back["changes"]) == [
        "aliases.fast.targets",
        "projects.menu.limits",
    ]
    assert (await post(admin, "plan", toml=FILE))["changes"] == []
    rows = (await admin.get("/api/v1/revisions")).json()
    assert rows[0]["digest"] == rows[2]["digest"] != rows[1]["digest"]


async def test_a_rollback_does_not_start_a_key_that_a_person_stopped(plane: Plane) -> None:
    admin = await plane.admin()
    await apply(admin)
    (key,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["name"] == "menu-app"]
    await admin.patch(f"/api/v1/keys/{key['id']}", json={"state": "disabled"})
    number = (await admin.get("/api/v1/revisions")).json()[0]["number"]
    await apply(admin, FILE.replace("rpm = 60", "rpm = 6"), overrule=["keys.menu-app.state"])
    await admin.patch(f"/api/v1/keys/{key['id']}", json={"state": "disabled"})
    plan = await post(admin, "plan", rollback=number)
    assert [c["name"] for c in plan["changes"]] == ["projects.menu.limits"]
    assert plan["conflicts"] == []
    back = await post(admin, "rollback", revision=number)
    assert [c["name"] for c in back["changes"]] == ["projects.menu.limits"]
    (same,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["id"] == key["id"]]
    assert same["state"] == "disabled"


async def test_a_key_that_a_person_stopped_is_not_started_by_a_file(plane: Plane) -> None:
    admin = await plane.admin()
    await apply(admin)
    (key,) = [k for k in (await admin.get("/api/v1/keys")).json() if k["name"] == "menu-app"]
    path = f"/api/v1/keys/{key['id']}"
    await admin.patch(path, json={"state": "disabled"}, params={"reason": "it leaked"})
    (move,) = (await admin.get("/api/v1/pointers")).json()
    assert (move["pointer"], move["after"]) == ("keys.menu-app.state", "disabled")
    assert move["standing"] is True
    # What others define meanwhile neither undoes the move nor makes it a definition.
    await admin.post("/api/v1/projects", json={"name": "shop"})
    made = await post(admin, "plan", toml=FILE, partial=True)
    (conflict,) = made["conflicts"]
    assert conflict["kind"] == "pointer"
    assert "command line" in conflict["message"]
    assert "it leaked" in conflict["message"]
    refused = await admin.post("/api/v1/apply", json={"toml": FILE, "partial": True})
    assert refused.status_code == 409
    assert refused.json()["error"]["code"] == "conflicts"
    assert "--overrule keys.menu-app.state" in refused.json()["error"]["hint"]
    done = await apply(admin, overrule=["keys.menu-app.state"], partial=True)
    assert [c["name"] for c in done["changes"]] == ["keys.menu-app.state"]
    keys = {k["name"]: k["state"] for k in (await admin.get("/api/v1/keys")).json()}
    assert keys["menu-app"] == "active"


async def test_a_file_that_agrees_with_a_move_makes_it_a_definition(plane: Plane) -> None:
    admin = await plane.admin()
    await apply(admin)
    targets = [{"provider": "lab", "model": "large"}]
    wanted = {"path": ["aliases", "fast", "targets"], "value": targets, "reason": "small is down"}
    assert (await admin.post("/api/v1/pointers", json=wanted)).status_code == 201
    (route,) = [r for r in (await part(plane)).routes if r.name == "fast"]
    assert [t.target for t in route.targets] == ["lab/large"]
    exported = (await admin.get("/api/v1/export")).json()["toml"]
    made = await post(admin, "plan", toml=exported.replace("rpm = 60", "rpm = 61"))
    assert made["conflicts"] == []
    await apply(admin, exported.replace("rpm = 60", "rpm = 61"))
    (move,) = (await admin.get("/api/v1/pointers")).json()
    assert move["standing"] is False
    await an_alias_is_followed_wherever_it_goes(plane)


async def an_alias_is_followed_wherever_it_goes(plane: Plane) -> None:
    """Also where it returns to what is defined, which no revision shows."""
    admin = await plane.admin()

    async def moved(model: str) -> None:
        targets = [{"provider": "lab", "model": model}]
        body = {"path": ["aliases", "fast", "targets"], "value": targets, "reason": "down"}
        assert (await admin.post("/api/v1/pointers", json=body)).status_code == 201

    await moved("small")
    large = {"targets": [{"provider": "lab", "model": "large"}]}
    assert (await admin.put("/api/v1/models/fast", json=large)).is_success
    await moved("small")
    defined = {"fast": {"targets": [{"provider": "lab", "model": "large"}]}}
    await post(admin, "apply", definitions={"aliases": defined}, partial=True,
               overrule=["aliases.fast.targets"], now=True)  # fmt: skip
    found = await plane.app.state.control.db.read(lambda c: turns(c, "aliases", "targets"))
    led = [(turn.content or {})["targets"][0]["model"] for turn in found if turn.name == "fast"]
    assert led == ["small", "large", "small", "large", "small", "large"]
    assert [turn.revision is None for turn in found][1:] == [True] * 5


async def test_a_definition_that_was_changed_since_is_a_conflict_where_the_file_differs(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    await apply(admin)
    await admin.patch("/api/v1/projects/menu", json={"limits": {"rpm": 500}})
    made = await post(admin, "plan", toml=FILE)
    assert [(c["kind"], c["name"]) for c in made["conflicts"]] == [
        ("definition", "projects.menu.limits")
    ]
    fresh = (await admin.get("/api/v1/export")).json()["toml"]
    assert (await post(admin, "plan", toml=fresh.replace("500", "7")))["conflicts"] == []
    done = await apply(admin, overrule=["projects.menu"])
    assert [c["name"] for c in done["changes"]] == ["projects.menu.limits"]


async def test_what_was_planned_and_is_another_by_now_is_not_applied(plane: Plane) -> None:
    admin = await plane.admin()
    made = await post(admin, "plan", toml=FILE, partial=True)
    await admin.post("/api/v1/projects", json={"name": "shop"})
    body = {"toml": FILE, "partial": True, "expect": made["digest"]}
    assert (await admin.post("/api/v1/apply", json=body)).status_code == 409


async def test_a_route_that_is_edited_after_its_plan_needs_another_plan(plane: Plane) -> None:
    admin = await plane.admin()
    lab = {"vendor": "vllm", "base_url": "http://127.0.0.1:9/v1", "models": ["small", "large"]}
    await post(admin, "apply", definitions={"providers": {"lab": lab}}, partial=True, now=True)

    def alias(model: str) -> dict[str, Any]:
        route = {"targets": [{"provider": "lab", "model": model}]}
        return {"definitions": {"aliases": {"fast": route}}, "partial": True}

    seen = await post(admin, "plan", **alias("small"))
    edited = {**alias("large"), "now": True}
    refused = await admin.post("/api/v1/apply", json={**edited, "expect": seen["digest"]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "conflict")
    again = await post(admin, "plan", **alias("large"))
    await post(admin, "apply", **edited, expect=again["digest"])
    models = (await admin.get("/api/v1/models")).json()
    fast = next(model for model in models if model["name"] == "fast")
    assert [target["model"] for target in fast["targets"]] == ["large"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[aliases.fast]\nattemps = 2", "line 2: unknown key 'attemps' in aliases.fast."),
        ("\n[alias.x]\n", "line 2: unknown key 'alias'. Did you mean 'aliases'?"),
        ("[keys.a]\nlimits = {\n", "not TOML"),
        ('[keys.a]\nlimits = {rmp = 1}', "Did you mean 'rpm'?"),
        ("[keys.a]\nbudget = {uds = 1}", "Did you mean 'usd'?"),
        ('[keys.a]\n\nproject = "defalt"', "Did you mean 'default'?"),
        ('[keys.a]\nsecret = "sk-real-secret"', "line 2: keys.a.secret"),
        ('[providers.x]\nvendor = "opnai"', "Did you mean 'openai'?"),
        ('[providers.x]\nvendor = "openai"', "needs a secret"),
        ('[aliases.x]\ntargets = [{provider = "no", model = "m"}]', "no provider 'no'"),
        ("[settings]\nprot = 1", "line 2: unknown key 'prot' in settings. Did you mean 'port'?"),
        ("base = 'x'", "base is the number of a revision"),
    ],
)  # fmt: skip
async def test_a_file_that_is_wrong_is_refused_with_the_line(
    plane: Plane, text: str, told: str
) -> None:
    answer = await (await plane.admin()).post("/api/v1/plan", json={"toml": text})
    assert answer.status_code in (404, 422), answer.text
    assert told in answer.json()["error"]["message"]


BY_REFERENCE = """
[providers.by-name]
vendor = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
secret = "env:LAB_SECRET"
models = ["m"]
[providers.by-file]
vendor = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
secret = "file:{secret_file}"
models = ["m"]
[keys.mine]
secret = "env:LAB_SECRET"
"""


async def test_no_secret_is_in_a_revision_a_diff_an_event_or_a_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stored, named, in_file = "sk-stored-1234567890", "sk-named-1234567890", "sk-file-1234567890"
    monkeypatch.setenv("LAB_SECRET", named)
    secret_file = tmp_path / "secret"
    secret_file.write_text(in_file + "\n")
    text = BY_REFERENCE.format(secret_file=secret_file)
    async with running(tmp_path / "home") as plane:
        admin = await plane.admin()
        wanted = {"vendor": "vllm", "base_url": "http://127.0.0.1:9/v1", "secret": stored}
        await admin.put("/api/v1/providers/kept", json=wanted)
        seen = [json.dumps(await post(admin, "plan", toml=text, partial=True))]
        done = await apply(admin, text, partial=True)
        assert done["keys"] == []
        headers = {t.provider: dict(t.headers) for t in (await part(plane)).targets}
        assert headers["by-name"]["authorization"] == f"Bearer {named}"
        assert headers["by-file"]["authorization"] == f"Bearer {in_file}"
        for path in (
            "revisions/2", "revisions/3", "revisions/1/diff/3", "export", "events", "providers",
            "keys", "audit", "pointers",
        ):  # fmt: skip
            seen.append((await admin.get(f"/api/v1/{path}")).text)
        seen.append(await admin_dump(plane))
    told = "\n".join([*seen, caplog.text])
    assert "env:LAB_SECRET" in told
    for secret in (stored, named, in_file):
        assert secret not in told
        assert secret.encode() not in (tmp_path / "home" / "control.db").read_bytes()


async def admin_dump(plane: Plane) -> str:
    """Every revision's state and every move, as the tables hold them."""
    from stockpot.revisions import store

    def read(c: Any) -> str:
        rows = [store.numbered(c, row.number) for row in store.listed(c, 100, None)]
        return repr(rows) + repr(store.list_moves(c, 100, None))

    return str(await plane.app.state.control.db.read(read))


async def test_a_reference_that_leads_nowhere_is_noted_and_not_applied(plane: Plane) -> None:
    admin = await plane.admin()
    text = """
[providers.x]
vendor = "groq"
secret = "env:NOT_SET_ANYWHERE"
"""
    made = await post(admin, "plan", toml=text)
    assert any("'NOT_SET_ANYWHERE' is not set" in note for note in made["notes"])
    refused = await admin.post("/api/v1/apply", json={"toml": text})
    assert refused.status_code == 422
    (newest, _) = (await admin.get("/api/v1/revisions")).json()
    assert newest["state"] == "reverted"


async def test_keys_of_one_name_have_words_of_their_own_in_a_file(plane: Plane) -> None:
    admin = await plane.admin()
    for _ in range(2):
        await admin.post("/api/v1/keys", json={"name": "app"})
    text = (await admin.get("/api/v1/export")).json()["toml"]
    assert "[keys.app]" in text
    assert "[keys.app-2]" in text
    assert (await post(admin, "plan", toml=text))["changes"] == []


async def test_a_viewer_may_look_and_an_editor_may_plan(plane: Plane) -> None:
    browser = await plane.signed_in()
    clients = {}
    for role in ("viewer", "editor"):
        made = await browser.post("/api/v1/tokens", json={"name": role, "role": role})
        clients[role] = await plane.client(made.json()["secret"])
    assert (await clients["viewer"].get("/api/v1/revisions")).status_code == 200
    assert (await clients["viewer"].post("/api/v1/plan", json={"toml": ""})).status_code == 403
    assert (await clients["editor"].post("/api/v1/plan", json={"toml": ""})).status_code == 200
    assert (await clients["editor"].post("/api/v1/apply", json={"toml": ""})).status_code == 403


async def test_an_alias_can_be_changed_while_the_provider_of_a_target_is_away(
    plane: Plane,
) -> None:
    admin = await plane.admin()
    await apply(admin, now=True)
    other = {"vendor": "vllm", "base_url": "http://127.0.0.1:9/v1", "models": ["tiny"]}
    await post(admin, "apply", definitions={"providers": {"desk": other}}, partial=True, now=True)
    both = [{"provider": "lab", "model": "small"}, {"provider": "desk", "model": "tiny"}]
    both_in = {"aliases": {"fast": {"targets": both}}}
    await post(admin, "apply", definitions=both_in, partial=True, now=True)
    assert (await admin.delete("/api/v1/providers/lab")).is_success

    models = (await admin.get("/api/v1/models")).json()
    alias = next(model for model in models if model["name"] == "fast")
    assert [target["provider"] for target in alias["targets"]] == ["desk"]
    assert alias["absent"] == [{"provider": "lab", "model": "small", "weight": 1, "tier": 0}]

    kept = {"aliases": {"fast": {"targets": both, "strategy": "priority"}}}
    changed = await post(admin, "apply", definitions=kept, partial=True, now=True)
    assert [change["name"] for change in changed["changes"]] == ["aliases.fast.strategy"]
    edited = await admin.put(
        "/api/v1/models/fast", json={"targets": both, "strategy": "least_busy"}
    )
    assert edited.is_success, edited.text
    new = {"aliases": {"fast": {"targets": [{"provider": "lab", "model": "large"}]}}}
    refused = await admin.post("/api/v1/plan", json={"definitions": new, "partial": True})
    assert "no provider 'lab'" in refused.text
