"""What a step can do: a table of verbs. Each tells the hash of its inputs and does its work, by the
API of the control plane alone. Knows routes; knows no order of steps.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx

from stockpot.core.errors import InvalidInput, StockpotError, Unavailable, did_you_mean
from stockpot.pipelines.declared.files import digest_of, read_text
from stockpot.pipelines.declared.models import Step, VerbName

_LOOK_S = 0.5
_AWAY_S = 120.0
"""So long a control plane may be away before a step that waits for it fails."""


class StepFailed(StockpotError):
    """A step ended without what it was to bring."""

    code, status = "step_failed", 409


class Api:
    """The control plane's API, in one project. Every call is tried again while nobody answers."""

    def __init__(self, client: httpx.AsyncClient, project: str) -> None:
        self._client = client
        self.project = project

    async def get(self, path: str, **query: Any) -> Any:
        return await self._call("GET", path, None, query)

    async def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return await self._call("POST", path, body, query)

    async def put(self, path: str, body: Any = None, **query: Any) -> Any:
        return await self._call("PUT", path, body, query)

    async def _call(self, method: str, path: str, body: Any, query: Mapping[str, Any]) -> Any:
        asked = {"project": self.project, **query}
        until = asyncio.get_running_loop().time() + _AWAY_S
        while True:
            try:
                found = await self._client.request(
                    method, f"/api/v1{path}", json=body, params=asked
                )
                break
            except httpx.ConnectError:
                if asyncio.get_running_loop().time() > until:
                    raise Unavailable("the control plane does not answer") from None
                await asyncio.sleep(_LOOK_S)
        if found.is_error:
            raise StepFailed(_message(found))
        return found.json() if found.content else None


class Doing(NamedTuple):
    """A step under way. `before` are the outputs of the steps that it needs; `ref` is what an
    earlier process began, and `begun` puts down what this one does."""

    api: Api
    folder: Path
    step: Step
    before: Mapping[str, Mapping[str, Any]]
    ref: str
    begun: Callable[[str], Awaitable[None]]
    stop: asyncio.Event


class Did(NamedTuple):
    """What came of a step, in words, as a link and as facts for those after it."""

    words: str
    link: str
    output: dict[str, Any]


class Verb(NamedTuple):
    """A verb: what it is, its options in words, its inputs' hash ('' is never the same), its
    work."""

    about: str
    options: dict[str, str]
    inputs: Callable[[Doing], Awaitable[str]]
    do: Callable[[Doing], Awaitable[Did]]


def checked(step: Step) -> None:
    """Refuse options that a verb does not have, and one that it cannot do without."""
    known = VERBS[step.use].options
    for name in step.options:
        if name not in known:
            near = did_you_mean(name, known)
            raise InvalidInput(
                f"the verb {step.use!r} of the step {step.id!r} has no option {name!r}.{near}",
                hint="stockpot pipelines verbs",
            )
    for name, about in known.items():
        if about.startswith("(needed)") and not step.options.get(name):
            raise InvalidInput(f"the step {step.id!r} needs the option {name!r}")


def page(path: str, api: Api, **search: str) -> str:
    """A page of the console."""
    return f"/{path}?{urlencode({**search, 'project': api.project})}"


# --- ingest and harvest ---------------------------------------------------------------------------


async def _ingest_inputs(doing: Doing) -> str:
    told = doing.step.options
    return _hash([told, await asyncio.to_thread(digest_of, doing.folder, told["file"])])


async def _ingest(doing: Doing) -> Did:
    told = doing.step.options
    name, dataset = str(told["file"]), str(told["dataset"])
    text = await asyncio.to_thread(read_text, doing.folder, name)
    await _dataset(doing.api, dataset)
    body = {
        "format": told.get("format") or name.rpartition(".")[2].lower(), "text": text,
        "columns": told.get("columns", {}), "message": f"from {name}",
    }  # fmt: skip
    made = await doing.api.post(f"/datasets/{quote(dataset)}/import", body)
    if made["faults"]:
        fault = made["faults"][0]
        raise StepFailed(f"{name}, line {fault['line']}: {fault['message']}")
    return _added(doing.api, dataset, made["added"])


async def _harvest(doing: Doing) -> Did:
    told = doing.step.options
    dataset, source = str(told["dataset"]), told.get("source", "traces")
    if source not in ("traces", "feedback"):
        raise InvalidInput(f"rows are harvested from traces or feedback, not from {source!r}")
    await _dataset(doing.api, dataset)
    body = {name: value for name, value in told.items() if name not in ("dataset", "source")}
    made = await doing.api.post(f"/datasets/{quote(dataset)}/from-{source}", body)
    return _added(doing.api, dataset, made)


async def _dataset(api: Api, name: str) -> None:
    known = await api.get("/datasets")
    if name not in [one["name"] for one in known]:
        await api.post("/datasets", {"name": name})


def _added(api: Api, dataset: str, made: Mapping[str, Any] | None) -> Did:
    version = (made or {}).get("version") or {}
    number = version.get("number")
    words = f"{dataset}@{number}: {version.get('rows', 0)} rows"
    return Did(words, page("datasets", api, set=dataset), {"dataset": f"{dataset}@{number}"})


# --- evaluate, gate, release ----------------------------------------------------------------------


async def _eval_inputs(doing: Doing) -> str:
    """The suite as it is, the rows by their hash, and the prompt's version."""
    told, api = doing.step.options, doing.api
    spec = (await api.get(f"/evals/suites/{quote(told['suite'])}"))["spec"]
    name, _, number = str(told.get("dataset") or spec["dataset"]).partition("@")
    versions = await api.get(f"/datasets/{quote(name)}/versions") if name else []
    rows = next(
        (v["content_hash"] for v in versions if not number or str(v["number"]) == number), ""
    )
    target = {**spec["target"], **{n: told[n] for n in ("prompt", "model") if told.get(n)}}
    prompt = ""
    if target.get("prompt"):
        asked, _, ref = target["prompt"].partition("@")
        named = {"version": ref} if ref.isdigit() else {"label": ref}
        found = await api.get(f"/prompts/{quote(asked)}/resolved", **named)
        prompt = found["content_hash"]
    return _hash([told, spec, rows, prompt])


async def _eval(doing: Doing) -> Did:
    told, api, run_id = doing.step.options, doing.api, doing.ref
    if not run_id:
        suite = await api.get(f"/evals/suites/{quote(told['suite'])}")
        new: dict[str, Any] = {"suite": told["suite"], "message": "by a pipeline"}
        target = {**suite["spec"]["target"]}
        if changed := {name: told[name] for name in ("prompt", "model") if told.get(name)}:
            new["target"] = {**target, **changed}
        run_id = (await api.post("/evals/runs", new))["id"]
        await doing.begun(run_id)
    while True:
        run = await api.get(f"/evals/runs/{run_id}")
        if run["state"] in ("done", "failed", "cancelled"):
            break
        if doing.stop.is_set():
            raise StepFailed("it was cancelled")
        await asyncio.sleep(_LOOK_S)
    if run["state"] != "done":
        raise StepFailed(f"the run {run_id} is {run['state']}: {run['error']}")
    figures = [f"{m['metric']} {m['value']:.3g}" for m in run["metrics"] if not m["slice"]]
    output = {
        "run": run_id, "prompt": run["arm"].get("prompt", ""),
        "version": run["arm"].get("prompt_version"),
    }  # fmt: skip
    return Did(", ".join(figures[:4]), page("evals", api, run=run_id), output)


async def _gate_inputs(doing: Doing) -> str:
    return _hash([doing.step.options, _from(doing, "run")])


async def _gate(doing: Doing) -> Did:
    run_id = str(_from(doing, "run"))
    base = doing.step.options.get("base")
    query = {"base": base} if base else {}
    gate = await doing.api.post(f"/evals/runs/{run_id}/gate", **query)
    if not gate["passed"]:
        why = next((c["words"] for c in gate["checks"] if not c["passed"]), "it did not pass")
        raise StepFailed(f"the run {run_id}: {why}")
    words = f"passed, {len(gate['checks'])} checks"
    return Did(words, page("evals", doing.api, run=run_id), {**_all_before(doing), "passed": True})


async def _release_inputs(doing: Doing) -> str:
    return _hash([doing.step.options, _all_before(doing)])


async def _release(doing: Doing) -> Did:
    told = doing.step.options
    prompt = told.get("prompt") or _from(doing, "prompt")
    version = told.get("version") or _from(doing, "version")
    label = told.get("label", "production")
    body = {"version": int(version), "reason": f"pipeline step {doing.step.id}"}
    await doing.api.put(f"/prompts/{quote(str(prompt))}/labels/{quote(label)}", body)
    words = f"{label} of {prompt} is version {version}"
    link = page(f"prompts/{quote(str(prompt))}", doing.api, prompt_part="labels")
    return Did(words, link, {"prompt": prompt, "version": version})


# --- checks ---------------------------------------------------------------------------------------


async def _check(doing: Doing) -> Did:
    """Start a check and wait for what it finds."""
    told, api, kind = doing.step.options, doing.api, doing.step.use
    known = {one["name"]: one["id"] for one in await api.get("/checks", kind=kind)}
    name = str(told["name"])
    if name not in known:
        raise StepFailed(f"no {kind} {name!r}.{did_you_mean(name, known)}")
    run_id = doing.ref
    if not run_id:
        run_id = (await api.post(f"/checks/{known[name]}/runs"))["id"]
        await doing.begun(run_id)
    while True:
        run = await api.get(f"/check-runs/{run_id}")
        if run["state"] in ("done", "failed", "cancelled"):
            break
        if doing.stop.is_set():
            raise StepFailed("it was cancelled")
        await asyncio.sleep(_LOOK_S)
    if run["state"] != "done" or (run["alarm"] and not told.get("go_on")):
        raise StepFailed(run["words"] or run["error"] or run["state"])
    link = page("pipelines", api, check=known[name], run=run_id)
    return Did(run["words"], link, {"check_run": run_id, "alarm": run["alarm"]})


async def _never_the_same(doing: Doing) -> str:
    return ""


_CHECK_OPTIONS = {
    "name": "(needed) the check's name",
    "go_on": "true: an alarm does not fail the step",
}
_HARVEST_OPTIONS = {
    "dataset": "(needed) where the rows go; it is made when it is not there",
    "source": "traces (default) or feedback",
    "filter": "which traces, as in GET /api/v1/traces",
    "limit": "at most so many rows",
    "expected": "output, correction or none (traces)",
    "thumb": "up, down or any (feedback)",
    "corrected": "those with a correction alone (feedback)",
    "split": "the rows' split",
}
VERBS: dict[VerbName, Verb] = {
    "ingest": Verb(
        "Rows of a file (CSV or JSON lines) become a new version of a data set.",
        {
            "file": "(needed) below the folder of pipelines",
            "dataset": "(needed) where the rows go; it is made when it is not there",
            "format": "csv or jsonl; by the file's name",
            "columns": "what each column is, as in an import",
        },
        _ingest_inputs, _ingest,
    ),
    "harvest": Verb(
        "Rows out of traces or feedback become a new version of a data set.",
        _HARVEST_OPTIONS, _never_the_same, _harvest,
    ),
    "eval": Verb(
        "Run a suite to its end.",
        {
            "suite": "(needed) its name",
            "prompt": "evaluate this prompt instead, NAME@VERSION or NAME@LABEL",
            "model": "evaluate on this model instead",
        },
        _eval_inputs, _eval,
    ),
    "gate": Verb(
        "Fail unless the run of the step before it passes its gate.",
        {"base": "the run to compare with: an id, last or none"}, _gate_inputs, _gate,
    ),
    "release": Verb(
        "Move a label to the version that was evaluated.",
        {
            "label": "production unless said",
            "prompt": "instead of the one that was evaluated",
            "version": "instead of the one that was evaluated",
        },
        _release_inputs, _release,
    ),
    "online": Verb("Run an online rule.", _CHECK_OPTIONS, _never_the_same, _check),
    "canary": Verb("Run a canary; its alarm fails the step.", _CHECK_OPTIONS, _never_the_same,
                   _check),
    "drift": Verb("Run a drift check; its alarm fails the step.", _CHECK_OPTIONS, _never_the_same,
                  _check),
}  # fmt: skip


def _from(doing: Doing, name: str) -> Any:
    """A fact of the steps before. Raises StepFailed where none has it."""
    for output in reversed(list(doing.before.values())):
        if output.get(name) not in (None, ""):
            return output[name]
    raise StepFailed(f"no step before {doing.step.id!r} tells a {name}")


def _all_before(doing: Doing) -> dict[str, Any]:
    return {name: value for output in doing.before.values() for name, value in output.items()}


def _hash(told: Any) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()


def _message(found: httpx.Response) -> str:
    try:
        return str(found.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"{found.status_code}: {found.text[:200]}"
