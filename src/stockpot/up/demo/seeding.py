"""Making the demo's project through the API. Knows what the demo consists of; what is there
already is left as it is, so that each start may seed again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from stockpot.core.client import ClientError
from stockpot.core.errors import Unavailable
from stockpot.engines import record
from stockpot.up.demo import story

if TYPE_CHECKING:
    from stockpot.core.client import Client
    from stockpot.core.instance import Instance

MODELS_WITHIN_S = 30.0
_KEPT = "demo.sealed"
SEEDED = "demo.seeded"
"""Stands when this start has seeded the demo: guests may come."""


class Demo(msgspec.Struct, frozen=True):
    """Where the demo is and the key of its application."""

    project: str
    key: str
    prompt: str
    alias: str
    experiment: str
    dataset: str
    suite: str
    question: str


def seed(client: Client, instance: Instance) -> Demo:
    """Everything of the demo but its traffic. Raises Unavailable when its models do not come up."""
    for model in story.MODELS:
        record(instance, model, story.recording(model))
    _once(client, "projects", _project())
    key = _key(client, instance)
    _models(client)
    _prompt(client)
    _dataset(client)
    _experiment(client)
    (instance.run / SEEDED).touch()
    return Demo(
        project=story.PROJECT,
        key=key,
        prompt=f"{story.PROMPT}@{story.LABEL}",
        alias=story.ALIAS,
        experiment=story.EXPERIMENT,
        dataset=story.DATASET,
        suite=story.SUITE,
        question=story.questions()[0].text,
    )


def spoil(instance: Instance) -> None:
    """From now on the candidate's model helps nobody."""
    record(instance, story.CANDIDATE, story.broken(story.CANDIDATE))


def mend(instance: Instance) -> None:
    """The candidate's model answers as before."""
    record(instance, story.CANDIDATE, story.recording(story.CANDIDATE))


def kept_key(instance: Instance) -> str:
    """The key of the demo's application, '' where there is none."""
    from cryptography.fernet import InvalidToken

    try:
        return instance.unseal((instance.run / _KEPT).read_bytes()).decode()
    except (FileNotFoundError, InvalidToken):
        return ""


def _once(client: Client, path: str, body: dict[str, Any], **params: Any) -> bool:
    """Make something; False where it is there already."""
    try:
        client.post(f"/api/v1/{path}", body, **params)
    except ClientError as refused:
        if refused.answered != 409:
            raise
        return False
    return True


def _project() -> dict[str, Any]:
    return {
        "name": story.PROJECT,
        "description": "Answers guests' questions on the menus of three invented restaurants.",
        "owner": "menu-team",
        "domain": "restaurants",
        "archetype": "prompt",
        "stage": "walk",
        "risk_tier": "medium",
        "target_metric": "feedback:thumbs",
    }


def _key(client: Client, instance: Instance) -> str:
    kept = kept_key(instance)
    named = [key for key in client.get("/api/v1/keys") if key["name"] == story.KEY]
    if kept and any(key["state"] == "active" for key in named):
        return kept
    for key in named:
        client.delete(f"/api/v1/keys/{key['id']}")
    made = client.post("/api/v1/keys", {"name": story.KEY, "project": story.PROJECT})
    secret = str(made["key"])
    place = instance.run / _KEPT
    place.touch(mode=0o600)
    place.write_bytes(instance.seal(secret.encode()))
    return secret


def _models(client: Client) -> None:
    """Prices and the alias, once the recordings are served."""
    wanted = {f"recorded/{model}" for model in story.MODELS}
    deadline = time.monotonic() + MODELS_WITHIN_S
    while missing := wanted - {model["name"] for model in client.get("/api/v1/models")}:
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the demo's models are not served: {', '.join(sorted(missing))}",
                hint="stockpot status",
            )
        time.sleep(0.2)
    listed = client.get("/api/v1/prices", provider="recorded")
    priced = {model["model"] for model in listed if model["rows"]}
    for model, (dollars_in, dollars_out) in story.PRICES.items():
        if model not in priced:
            body = {"provider": "recorded", "model": model, "source": story.PRICE_SOURCE}
            client.post(
                "/api/v1/prices", {**body, "dollars": {"input": dollars_in, "output": dollars_out}}
            )
    if not any(m["name"] == story.ALIAS for m in client.get("/api/v1/models")):
        target = {"provider": "recorded", "model": story.LARGE, "weight": 1, "tier": 0}
        client.put(f"/api/v1/models/{quote(story.ALIAS)}", {"kind": "chat", "targets": [target]})


def _prompt(client: Client) -> None:
    first, second = story.versions()
    where = {"project": story.PROJECT}
    made = _once(
        client,
        "prompts",
        {
            **where,
            "name": story.PROMPT,
            "description": "Answers a guest's question on the menu.",
            "content": first,
            "message": "What is live",
        },
    )
    if not made:
        return
    path = f"/api/v1/prompts/{story.PROMPT}"
    more = {"content": second, "message": "Shorter, on a model at a tenth of the price"}
    client.post(f"{path}/versions", more, **where)
    moved = {"version": 1, "reason": "The first that guests liked"}
    client.put(f"{path}/labels/{story.LABEL}", moved, **where)


def _dataset(client: Client) -> None:
    where = {"project": story.PROJECT}
    body = {"name": story.DATASET, "description": "What guests ask, with what to say."}
    if _once(client, "datasets", body, **where):
        rows = [question.row for question in story.questions()]
        client.post(
            f"/api/v1/datasets/{story.DATASET}/rows",
            {"rows": rows, "message": "The menus of three restaurants"},
            **where,
        )
    client.put("/api/v1/evals/suites", story.suite(), **where)


def _experiment(client: Client) -> None:
    where = {"project": story.PROJECT}
    if _once(client, "experiments", story.experiment(), **where):
        started = {"reason": "The shorter version passed its evaluation"}
        client.post(f"/api/v1/experiments/{story.EXPERIMENT}/start", started, **where)
