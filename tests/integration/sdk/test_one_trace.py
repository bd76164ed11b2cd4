"""An application with the SDK beside a whole instance: its spans and the gateway's in one trace."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from stockpot.sdk import Experiments, Feedback, Observer, Options, Prompts
from tests.running import BIN, Instance, eventually, running

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    home = tmp_path_factory.mktemp("home")
    with running(home, environ={"STOCKPOT_ENGINES": "none"}) as started:
        yield started


@pytest.fixture
def observe(instance: Instance) -> Observer:
    told = Options(url=instance.console, key=instance.key, send_every_s=0.05, service="bistro")
    return Observer(told)


def ask(instance: Instance, headers: dict[str, str]) -> str:
    """A call of the echo model through the gateway; gives its trace."""
    body = {"model": "echo", "messages": [{"role": "user", "content": "soup"}]}
    headers = {"authorization": f"Bearer {instance.key}", **headers}
    answer = httpx.post(
        f"{instance.gateway}/v1/chat/completions", json=body, headers=headers, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return answer.headers["x-stockpot-trace-id"]


@pytest.fixture(scope="module")
def admin(instance: Instance) -> Iterator[httpx.Client]:
    """The API with an admin's token."""
    words = ("--name", "test", "--role", "admin", "--json")
    token = json.loads(instance.command("tokens", "create", *words))
    headers = {"authorization": f"Bearer {token['secret']}"}
    with httpx.Client(base_url=instance.console, headers=headers, timeout=60) as client:
        yield client


def spans(admin: httpx.Client, trace: str, count: int) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        answer = admin.get(f"/api/v1/traces/{trace}")
        return answer.json()["spans"] if answer.status_code == 200 else []

    eventually(lambda: len(found()) >= count)
    return {one["source"] + ":" + one["kind"]: one for one in found()}


def test_the_applications_span_is_the_root_and_the_gateways_hangs_below_it(
    instance: Instance, admin: httpx.Client, observe: Observer
) -> None:
    @observe(kind="tool")
    def describe(dish: str) -> str:
        return ask(instance, observe.headers())

    with observe("order", kind="workflow", session="table 7", user="ann") as top:
        assert describe("ramen") == top.trace_id
    found = spans(admin, top.trace_id, 3)
    order, tool, call = found["sdk:workflow"], found["sdk:tool"], found["gateway:llm"]
    assert (order["parent_id"], order["name"]) == (None, "order")
    assert (tool["parent_id"], call["parent_id"]) == (order["span_id"], tool["span_id"])
    assert {(one["session"], one["user"]) for one in found.values()} == {("table 7", "ann")}
    assert order["service"] == "bistro"
    where = {"session": "table 7", "trace_prefix": top.trace_id}
    listed = admin.get("/api/v1/traces", params=where).json()["items"]
    assert [(one["root"]["name"], one["spans"]) for one in listed] == [("order", 3)]


KETTLE = {
    "name": "kettle", "kind": "alias", "subject": "echo", "unit": "user",
    "arms": [{"name": "now", "weight": 5000}, {"name": "new", "weight": 5000}],
    "metrics": [{"name": "latency_ms", "role": "primary"}],
}  # fmt: skip


def said_of(instance: Instance, user: str) -> str:
    """Which experiment the gateway says for a user's call."""
    answer = httpx.post(
        f"{instance.gateway}/v1/chat/completions",
        json={"model": "echo", "messages": [{"role": "user", "content": "soup"}]},
        headers={"authorization": f"Bearer {instance.key}", "x-stockpot-user": user},
        timeout=60,
    )
    return str(answer.headers.get("x-stockpot-experiment", ""))


def test_an_application_assigns_as_the_gateway_does_and_its_units_are_counted(
    instance: Instance, admin: httpx.Client, observe: Observer
) -> None:
    assert admin.post("/api/v1/experiments", json=KETTLE).status_code == 201
    started = admin.post("/api/v1/experiments/kettle/start", json={"reason": "try it"})
    assert started.status_code == 200, started.text
    experiments = Experiments(instance.console, instance.key, observer=observe)
    arms: dict[str, str] = {}
    for user in (f"user {number}" for number in range(8)):
        with observe("work", kind="workflow", user=user):
            arms[user] = experiments.assign("kettle", user).arm
    assert set(arms.values()) == {"now", "new"}
    eventually(lambda: said_of(instance, "user 0"))  # the workers have the experiment
    assert {user: said_of(instance, user) for user in arms} == {
        user: f"kettle; arm={arm}" for user, arm in arms.items()
    }
    assert observe.flush()

    def counted() -> bool:  # by the application and by the gateway: the same units
        report = admin.get("/api/v1/experiments/kettle/report").json()
        found = {arm["name"]: (arm["units"], arm["calls"]) for arm in report["arms"]}
        return all(found[arm][0] == list(arms.values()).count(arm) for arm in found) and (
            sum(calls for _, calls in found.values()) >= 2 * len(arms)
        )

    eventually(counted)
    admin.post("/api/v1/experiments/kettle/stop", json={"reason": "done"})


APP = """
import os
import httpx
from stockpot.sdk import Observer, Options

observe = Observer(Options(url=os.environ["CONSOLE"], key=os.environ["KEY"], send_every_s=0.05))

def describe(row, headers=None):
    if row["dish"] == "glue":
        raise ValueError("nobody eats glue")
    with observe("describe", kind="agent", parent=headers):
        body = {"model": "echo", "messages": [{"role": "user", "content": row["dish"]}]}
        sent = {"authorization": "Bearer " + os.environ["KEY"], **observe.headers()}
        url = os.environ["GATEWAY"] + "/v1/chat/completions"
        answer = httpx.post(url, json=body, headers=sent).raise_for_status().json()
    observe.flush()
    return answer["choices"][0]["message"]["content"]
"""


class Evaluated:
    """Another host: an empty home, and an application in a folder, also as an endpoint."""

    def __init__(self, instance: Instance, token: str, folder: Path) -> None:
        self.folder = folder
        (folder / "bistro_app.py").write_text(APP)
        rows = [{"id": dish, "input": {"dish": dish}, "expected": dish}
                for dish in ("soup", "ramen", "glue")]  # fmt: skip
        (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        self.environ = {
            **os.environ, "STOCKPOT_HOME": str(folder / "home"), "STOCKPOT_URL": instance.console,
            "STOCKPOT_TOKEN": token, "CONSOLE": instance.console,
            "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]),
            "KEY": instance.key, "GATEWAY": instance.gateway,
        }  # fmt: skip

    def run(self, target: str) -> tuple[int, dict[str, Any]]:
        """`stockpot eval run`: its exit code, and what it printed."""
        suite = f'rows = "rows.jsonl"\n[target]\n{target}\n[[scorers]]\nuse = "regex"\n'
        options = '[scorers.options]\npattern = "soup|ramen"\n[gate.metrics.regex]\nminimum = 0.5\n'
        (self.folder / "menu.toml").write_text(suite + options)
        words = ("eval", "run", "menu.toml", "--gate", "--junit", "gate.xml", "--json")
        done = subprocess.run([BIN / "stockpot", *words], cwd=self.folder, env=self.environ,
                              capture_output=True, text=True, timeout=120)  # fmt: skip
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    @contextlib.contextmanager
    def served(self) -> Iterator[str]:
        """The application as an endpoint that takes the caller's trace up."""
        code = (
            "import http.server, json, bistro_app\n"
            "class Face(http.server.BaseHTTPRequestHandler):\n"
            "    def do_POST(self):\n"
            "        row = json.loads(self.rfile.read(int(self.headers['content-length'])))\n"
            "        try: status, told = 200, bistro_app.describe(row, dict(self.headers))\n"
            "        except ValueError as bad: status, told = 422, str(bad)\n"
            "        self.send_response(status); self.end_headers()\n"
            "        self.wfile.write(told.encode())\n"
            "server = http.server.HTTPServer(('127.0.0.1', 0), Face)\n"
            "print(server.server_port, flush=True); server.serve_forever()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", code], env=self.environ, text=True, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as server:  # fmt: skip
            assert server.stdout is not None
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}/describe"
            server.terminate()


def test_each_row_of_an_evaluation_elsewhere_is_a_trace_that_goes_on_in_the_application(
    instance: Instance, admin: httpx.Client, tmp_path: Path
) -> None:
    token = admin.headers["authorization"].removeprefix("Bearer ")
    elsewhere = Evaluated(instance, token, tmp_path)
    check_rows(admin, elsewhere, 'kind = "python"\ncallable = "bistro_app:describe"')
    with elsewhere.served() as url:
        check_rows(admin, elsewhere, f'kind = "http"\nurl = "{url}"')
    assert not (tmp_path / "home" / "control.db").exists()
    elsewhere.environ["STOCKPOT_URL"] = "http://127.0.0.1:9"
    with pytest.raises(AssertionError, match=r"control plane at http://127\.0\.0\.1:9 does not"):
        elsewhere.run('kind = "recorded"')


def check_rows(admin: httpx.Client, elsewhere: Evaluated, target: str) -> None:
    """Run a suite, and find each row with what it was given and gave, and the calls below it."""
    code, told = elsewhere.run(target)
    run = told["run"]
    assert (code, told["gate"]["passed"]) == (1, False)  # one of three rows has no answer
    assert "glue" in (elsewhere.folder / "gate.xml").read_text()
    answer = admin.get(f"/api/v1/evals/runs/{run['id']}/rows")
    assert answer.status_code == 200, answer.text
    rows = answer.json()["items"]
    places = {row["item"]: row["trace_id"] for row in rows}
    assert len({*places.values()}) == 3
    for dish in ("soup", "ramen"):
        found = spans(admin, places[dish], 3)
        top, agent, call = found["sdk:workflow"], found["sdk:agent"], found["gateway:llm"]
        assert (agent["parent_id"], call["parent_id"]) == (top["span_id"], agent["span_id"])
        assert (top["dataset_run"], top["dataset_item"]) == (run["id"], dish)
        assert (top["parent_id"], top["environment"]) == (None, "dev")
        assert dish in top["input_preview"]
        assert dish in top["output_preview"]
        assert top["duration_ms"] >= call["duration_ms"] > 0
        scores = admin.get("/api/v1/scores", params={"trace_id": places[dish]}).json()["items"]
        assert [(one["name"], one["value"]) for one in scores] == [("regex", 1.0)]
    failed = spans(admin, places["glue"], 1)["sdk:workflow"]
    assert failed["status"] == "error"
    assert "nobody eats glue" in failed["error_message"]


def test_a_foreign_parent_that_never_arrives_leaves_a_trace_of_its_own_root(
    instance: Instance, admin: httpx.Client, observe: Observer
) -> None:
    foreign = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with observe("handler", parent=foreign) as span:
        ask(instance, observe.headers())
    assert span.trace_id == foreign["traceparent"][3:35]
    spans(admin, span.trace_id, 2)
    (listed,) = admin.get("/api/v1/traces", params={"trace_prefix": span.trace_id}).json()["items"]
    assert (listed["root"]["name"], listed["spans"]) == ("handler", 2)


def test_a_moved_label_reaches_the_application_and_the_calls_name_their_version(
    instance: Instance, admin: httpx.Client, observe: Observer
) -> None:
    made = {"name": "menu", "content": {"body": "One {{ dish }}."}}
    assert admin.post("/api/v1/prompts", json=made).status_code == 201
    more = {"content": {"body": "Two {{ dish }}."}}
    assert admin.post("/api/v1/prompts/menu/versions", json=more).is_success

    def move(number: int) -> None:
        answer = admin.put(
            "/api/v1/prompts/menu/labels/production", json={"version": number, "reason": "test"}
        )
        assert answer.is_success, answer.text

    move(1)
    prompts = Prompts(instance.console, instance.key)
    prompt = prompts.get("menu")
    assert (prompt.number, prompt.render(dish="soup").text) == (1, "One soup.")
    taken = []
    for number in (2, 1, 2, 1, 2):  # on a busy machine the best of five counts
        move(number)
        moved = time.monotonic()
        eventually(lambda wanted=number: prompts.get("menu").number == wanted)
        taken.append(time.monotonic() - moved)
    assert min(taken) < 1, taken
    with observe("cook") as span:
        span.set(prompt=prompts.get("menu"))
        ask(instance, observe.headers())
    prompts.close()
    call = spans(admin, span.trace_id, 2)["gateway:llm"]
    assert (call["prompt_name"], call["prompt_version"], call["prompt_label"]) == (
        "menu", "2", "production",
    )  # fmt: skip


def test_feedback_and_scores_of_code_reach_their_trace(
    instance: Instance, admin: httpx.Client, observe: Observer
) -> None:
    feedback = Feedback(observe)
    with observe("answer") as span:
        observe.score("grounded", 0.5)
    feedback(trace_id=span.trace_id, thumb="up", user="ann", comment="warm")
    assert observe.flush()
    assert observe.counts()["refused"] == 0
    items = admin.get("/api/v1/scores", params={"trace_id": span.trace_id}).json()["items"]
    assert {one["name"]: one["value"] for one in items}["grounded"] == 0.5
    assert len(items) == 2


def built() -> Path:
    """The SDK for TypeScript, compiled once, whichever test process comes first."""
    folder = Path(__file__).resolve().parents[3] / "sdk-ts"
    with (folder / ".install.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "node_modules").exists():
            subprocess.run(["npm", "ci", "--silent"], cwd=folder, check=True, timeout=300)
        subprocess.run(["npm", "run", "--silent", "build"], cwd=folder, check=True, timeout=100)
    return folder


@pytest.mark.needs("node")
def test_the_sdk_for_typescript_joins_the_same_way(instance: Instance, admin: httpx.Client) -> None:
    folder = built()
    environ = {
        **os.environ,
        "STOCKPOT_URL": instance.console,
        "STOCKPOT_GATEWAY": instance.gateway,
        "STOCKPOT_KEY": instance.key,
    }
    done = subprocess.run(["node", "test/application.mjs"], cwd=folder, env=environ,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = spans(admin, done.stdout.strip(), 2)
    order, call = found["sdk:workflow"], found["gateway:llm"]
    assert call["parent_id"] == order["span_id"]
    assert (call["session"], order["session"]) == ("table 7", "table 7")


def test_it_is_python_of_its_own() -> None:
    """Nothing of the server is loaded by an application that uses all of the SDK."""
    code = (
        "import sys; from stockpot import observe; from stockpot.sdk import prompts, feedback\n"
        "print(sorted({'fastapi', 'sqlalchemy', 'httpx', 'stockpot.gateway'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
