"""An instance with two projects, people in each, and a record of every kind in both.

The foreign project's records all carry the word `zebra`, so that one that leaks is seen.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx

from stockpot import traces
from stockpot.core.ids import record_id
from stockpot.gateway import Shipped
from stockpot.monitors import Delivery
from stockpot.monitors.store import telling
from stockpot.pipelines.rightsize import store as sizes
from tests.integration.control.plane import Plane, running
from tests.unit.pipelines.made import found
from tests.unit.traces.made import make_shipment, make_shipped

HOME, FOREIGN, MARK = "home", "zebra-project", "zebra"
ROLES = ("admin", "editor", "viewer", "own")
DOLLAR = 1_000_000_000
COMMON = {"number": "1", "label": "production"}
"""What every project's records have."""


@dataclasses.dataclass
class Records:
    """Ids of one project's records, by the name that path parameters and bodies give them."""

    project: str
    key_id: str
    request_id: str
    trace_id: str
    span_id: str
    subject_id: str
    token_id: str
    user_id: str
    team_id: str
    share_id: str = ""
    view_id: str = ""
    monitor_id: str = ""
    channel_id: str = ""
    silence_id: str = ""
    delivery_id: str = ""
    waiver_id: str = ""
    check_id: str = ""
    check_run_id: str = ""
    policy: str = ""
    rail: str = ""

    prompt: str = ""
    comment_id: str = ""
    proposal_id: str = ""
    run_id: str = ""
    digest: str = ""
    judge: str = ""

    public_key_id: str = ""
    dataset: str = ""
    slice_name: str = ""
    queue_id: str = ""
    item_id: str = ""
    experiment: str = ""
    rightsize_id: str = ""

    def named(self, name: str) -> str | None:
        """What stands for a parameter; None where this table knows none."""
        return COMMON.get(name) or getattr(self, {"name": "project"}.get(name, name), None)


@dataclasses.dataclass
class Template:
    """A world that was built and left: its files, and what its people carried."""

    home: Path
    built_s: float
    people: dict[tuple[str, str], tuple[dict[str, str], httpx.Cookies]]
    ids: dict[str, str]
    records: tuple[Records, Records]


_templates: list[Template] = []
_FRESH_S = 300.0


@contextlib.asynccontextmanager
async def inhabited(home: Path, **changes: Any) -> AsyncIterator[World]:
    """An instance of its own with everybody in it: a copy of one that was built moments ago, since
    building it takes a hundred requests."""
    if not _templates or time.monotonic() - _templates[-1].built_s > _FRESH_S:
        _templates[:] = [await _template()]
    shutil.copytree(_templates[-1].home, home)
    async with running(home, **changes) as plane:
        yield await World(plane).enter(_templates[-1])


async def _template() -> Template:
    home = Path(tempfile.mkdtemp(prefix="stockpot-world-")) / "home"
    async with running(home) as plane:
        world = await World(plane).build()
        people = {
            place: ({name: client.headers[name] for name in _CARRIED if name in client.headers},
                    httpx.Cookies(client.cookies))
            for place, client in world.people()
        }  # fmt: skip
    return Template(home, time.monotonic(), people, world.ids, (world.home, world.foreign))


_CARRIED = ("authorization", "x-stockpot-csrf")


class World:
    """The control plane and everybody in it."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.on_instance: dict[str, httpx.AsyncClient] = {}
        self.in_home: dict[str, httpx.AsyncClient] = {}
        self.ids: dict[str, str] = {}

    async def build(self) -> World:
        self.admin = await self.plane.admin()
        self.nobody = await self.plane.client()
        for name in (HOME, FOREIGN):
            budget = {"limit_nano": 5 * DOLLAR}
            await self.made("/api/v1/projects", {"name": name, "budget": budget})
        for role in ROLES:
            self.on_instance[role] = await self.person(f"{role}@instance.org", role=role)
            project = {HOME: role}
            self.in_home[role] = await self.person(f"{role}@home.org", projects=project)
        self.stranger = await self.person("stranger@home.org")
        self.insider = await self.person(f"{MARK}@foreign.org", projects={FOREIGN: "admin"})
        self.home = await self.records(HOME, "home", self.in_home["admin"], 1)
        self.foreign = await self.records(FOREIGN, MARK, self.insider, 2)
        return self

    async def enter(self, left: Template) -> World:
        """The people and records of another world, in a copy of its files."""
        for (group, name), (headers, cookies) in left.people.items():
            client = await self.plane.client()
            client.headers.update(headers)
            client.cookies = cookies
            if name:
                getattr(self, group)[name] = client
            else:
                setattr(self, group, client)
        self.ids = dict(left.ids)
        self.home, self.foreign = map(dataclasses.replace, left.records)
        return self

    def people(self) -> Iterator[tuple[tuple[str, str], httpx.AsyncClient]]:
        """Everybody, by where they are found here."""
        for group in ("admin", "nobody", "stranger", "insider"):
            yield (group, ""), getattr(self, group)
        for group in ("on_instance", "in_home"):
            for name, client in getattr(self, group).items():
                yield (group, name), client

    async def person(
        self, email: str, *, role: str = "own", projects: dict[str, str] | None = None
    ) -> httpx.AsyncClient:
        """Somebody in a browser, signed in by the link of their invitation."""
        wanted = {"email": email, "name": email, "role": role, "projects": projects or {}}
        made = await self.made("/api/v1/users", wanted)
        self.ids[email] = made["user"]["id"]
        return await self.signed_in(made["link"]["url"])

    async def signed_in(self, url: str) -> httpx.AsyncClient:
        browser = await self.plane.client()
        token = url.partition("=")[2]
        answer = await browser.post("/api/v1/session", json={"token": token})
        assert answer.status_code == 200, answer.text
        browser.headers["x-stockpot-csrf"] = answer.json()["csrf"]
        return browser

    async def token(self, **wanted: Any) -> httpx.AsyncClient:
        """A program with a token of the command line's."""
        made = await self.made("/api/v1/tokens", {"name": "program", **wanted})
        return await self.plane.client(made["secret"])

    async def records(
        self, project: str, word: str, member: httpx.AsyncClient, number: int
    ) -> Records:
        """One of each kind. The key is nobody's, the request is the member's."""
        budget = {"limit_nano": DOLLAR}
        new = {"name": f"{word}-key", "project": project, "models": ["m"], "budget": budget}
        key = (await self.made("/api/v1/keys", new))["record"]
        wanted = {"key_id": key["id"], "limit_nano": 2 * DOLLAR, "reason": f"{word} needs it"}
        request = (await member.post("/api/v1/requests", json=wanted)).json()
        token = (
            await member.post("/api/v1/tokens", json={"name": word, "project": project})
        ).json()
        team = await self.made("/api/v1/teams", {"name": f"{word}-team"})
        access = f"/api/v1/projects/{project}/access/{team['id']}"
        await self.done("PUT", access, {"role": "viewer"})
        user = (await member.get("/api/v1/session")).json()["user"]["id"]
        shipped = self.called(project, word, key["id"], number)
        score = {"project": project, "trace_id": shipped.record.trace_id.hex(), "name": "quality"}
        await self.made("/api/v1/scores", {"scores": [{**score, "value": 1, "comment": word}]})
        setup = {"project": project, "title": word, "state": {"asks": word}}
        share = await self.made("/api/v1/playground/shares", setup)
        look = {"name": f"{word}-view", "project": project, "search": {"q": word}, "shared": True}
        view = await self.made("/api/v1/views", look)
        return Records(
            share_id=share["id"], view_id=view["id"], waiver_id=await self.waived(project, word),
            project=project, key_id=key["id"], request_id=request["id"],
            trace_id=shipped.record.trace_id.hex(), span_id=shipped.record.span_id.hex(),
            subject_id=team["id"], token_id=token["token"]["id"], user_id=user,
            team_id=team["id"], **await self.watched(project, word),
            **await self.checked(project, word),
            **await self.guarded(project, word),
            **await self.prompted(project, word, member), **await self.evaluated(project, word),
            **await self.collected(project, word), **await self.split(project, word),
            **await self.rightsized(project, word),
        )  # fmt: skip

    async def checked(self, project: str, word: str) -> dict[str, str]:
        """A pipeline that was asked for and waits."""
        step = {"id": word, "use": "canary", "options": {"name": word}}
        new = {"name": f"{word}-pipeline", "project": project, "steps": [step]}
        check = await self.done("PUT", "/api/v1/pipelines", new)
        run = await self.made(f"/api/v1/checks/{check['id']}/runs", {})
        return {"check_id": check["id"], "check_run_id": run["id"]}

    async def waived(self, project: str, word: str) -> str:
        """A need of the project that somebody answers for."""
        until = int(time.time() * 1000) + 86_400_000
        new = {"project": project, "need": "judge", "reason": word, "until_ms": until}
        made: str = (await self.made("/api/v1/readiness/waivers", new))["id"]
        return made

    async def split(self, project: str, word: str) -> dict[str, str]:
        """An experiment that nobody has started."""
        name = f"exp-{hashlib.sha256(word.encode()).hexdigest()[:8]}"
        prompt = f"prompt-{hashlib.sha256(word.encode()).hexdigest()[:8]}"
        arms = [{"name": "a", "weight": 5000}, {"name": "b", "weight": 5000}]
        new = {"name": name, "hypothesis": word, "subject": f"{prompt}@production", "arms": arms,
               "metrics": [{"name": "cost", "role": "primary"}]}  # fmt: skip
        await self.made(f"/api/v1/experiments?project={project}", new)
        return {"experiment": name}

    async def collected(self, project: str, word: str) -> dict[str, str]:
        """A public key, a data set with a row and a slice, and a queue to annotate it."""
        site = {"name": f"{word}-site", "project": project}
        public = (await self.made("/api/v1/public-keys", site))["id"]
        name, of = f"set-{hashlib.sha256(word.encode()).hexdigest()[:8]}", f"?project={project}"
        await self.made(f"/api/v1/datasets{of}", {"name": name})
        row_id = f"{word}-row"
        row = {"id": row_id, "input": {"asked": word}}
        await self.made(f"/api/v1/datasets/{name}/rows{of}", {"rows": [row]})
        conditions = [{"field": "id", "value": row_id}]
        path = f"/api/v1/datasets/{name}/slices/{word}-slice{of}"
        await self.done("PUT", path, {"conditions": conditions})
        wanted = {"name": f"{word}-queue", "source": {"dataset": name}}
        queue = await self.made(f"/api/v1/annotation/queues{of}", wanted)
        return {
            "public_key_id": public, "dataset": name, "slice_name": f"{word}-slice",
            "queue_id": queue["id"], "item_id": row_id,
        }  # fmt: skip

    async def rightsized(self, project: str, word: str) -> dict[str, str]:
        """A run that found a cheaper model, and could go on with more money."""
        run = found(project, word)
        await self.plane.app.state.control.db.write(lambda c: sizes.add(c, run))
        return {"rightsize_id": run.id}

    async def evaluated(self, project: str, word: str) -> dict[str, str]:
        """A run of a suite on recorded answers, which its caller does."""
        rows = {
            "name": word,
            "rows": [{"id": word, "input": word, "output": word, "expected": word}],
        }
        kept = await self.made(f"/api/v1/evals/rowsets?project={project}", rows)
        spec = {"name": word, "target": {"kind": "recorded"}, "scorers": [{"use": "exact"}]}
        new = {"spec": spec, "rowset": kept["hash"], "runner": "here"}
        run = await self.made(f"/api/v1/evals/runs?project={project}", new)
        judge = {"name": f"{word}-judge", "kind": "reference", "model": "m"}
        await self.made(f"/api/v1/evals/judges?project={project}", judge)
        return {"run_id": run["id"], "digest": kept["hash"], "judge": judge["name"]}

    async def prompted(self, project: str, word: str, member: httpx.AsyncClient) -> dict[str, str]:
        """A prompt whose label was moved, with a comment and a move that the member proposes."""
        name = f"prompt-{hashlib.sha256(word.encode()).hexdigest()[:8]}"
        new = {"project": project, "name": name, "content": {"body": f"{word} writes"}}
        await self.made("/api/v1/prompts", new)
        at = f"/api/v1/prompts/{name}"
        await self.made(f"{at}/versions", {"content": {"body": f"{word} writes more"}})
        for version in (1, 2):
            await self.done("PUT", f"{at}/labels/production", {"version": version})
        said = await self.made(f"{at}/comments", {"text": f"{word} is short"})
        proposed = await member.post(f"{at}/proposals", json={"version": 1})
        assert proposed.is_success, proposed.text
        return {
            "prompt": name, "comment_id": said["id"], "proposal_id": proposed.json()["id"],
        }  # fmt: skip

    async def guarded(self, project: str, word: str) -> dict[str, str]:
        """A policy that holds for its project, and a calibrated rail."""
        rule = {"id": "r", "rail": "words", "settings": {"words": [word]}}
        digest = hashlib.sha256(word.encode()).hexdigest()[:8]
        new = {"name": f"policy-{digest}", "project": project, "rules": [rule]}
        made = await self.done("PUT", "/api/v1/guardrails/policies", new)
        at = f"/api/v1/guardrails/policies/{made['name']}/bindings?project={project}"
        await self.done("PUT", at, {"kind": "project"})
        measured = {"project": project, "rail": f"rail_{digest}", "threshold": 0.5}
        await self.done("PUT", "/api/v1/guardrails/calibrations", measured)
        return {"policy": made["name"], "rail": measured["rail"]}

    async def watched(self, project: str, word: str) -> dict[str, str]:
        """A monitor, its channel, a silence, and a message that was given up."""
        channel = {"name": f"{word}-ops", "project": project, "url": "http://127.0.0.1:9/hook"}
        sent_to = (await self.made("/api/v1/channels", channel))["channel"]["id"]
        rule = {"kind": "threshold", "metric": "error_rate", "threshold": 0.5}
        new = {"name": f"{word}-monitor", "project": project, "rule": rule}
        monitor = (await self.made("/api/v1/monitors", new))["id"]
        quiet = {"project": project, "monitor_id": monitor, "until_ms": 8e12, "reason": word}
        silence = (await self.made("/api/v1/silences", quiet))["id"]
        dead = Delivery(
            id=record_id("msg"), channel_id=sent_to, channel=f"{word}-ops", project=project,
            monitor_id=monitor, alert_id=f"alr_{word}"[:40], said="firing", state="dead",
            attempts=8, created_ms=1, next_ms=None, delivered_ms=None, status=0, error="away",
        )  # fmt: skip
        db = self.plane.app.state.control.db
        await db.write(lambda c: telling.add_delivery(c, dead, {"type": "monitor.firing"}, 1))
        return {"monitor_id": monitor, "channel_id": sent_to, "silence_id": silence,
                "delivery_id": dead.id}  # fmt: skip

    def called(self, project: str, word: str, key_id: str, number: int) -> Shipped:
        """One call in the span log."""
        shipped = make_shipped(
            number, said=(f"{word} asks", f"{word} answers"), project=project, key_id=key_id,
            target=f"{word}-target", user=f"{word}-user", start_ns=time.time_ns(),
        )  # fmt: skip
        store = traces.open_store(self.plane.instance)
        traces.SpanLog(store).ingest(make_shipment(shipped, stream=f"host-{number}"))
        store.close()
        return shipped

    async def made(self, path: str, body: dict[str, Any]) -> Any:
        return await self.done("POST", path, body)

    async def done(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = await self.admin.request(method, path, json=body)
        assert answer.is_success, (method, path, answer.text)
        return answer.json() if answer.content else None
