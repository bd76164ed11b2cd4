"""A Gemini client's request in other vendors' words, checked with their published types."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat.completion_create_params import CompletionCreateParams
from pydantic import ConfigDict, TypeAdapter

from stockpot.gateway import Target
from stockpot.providers import Outgoing, wire_named
from tests.unit.providers.test_gemini_requests import GOLDEN, ask
from tests.vendors import anthropic_stub

_OPENAI: TypeAdapter[Any] = TypeAdapter(CompletionCreateParams, config=ConfigDict(extra="forbid"))
TARGETS = {
    "openai": Target("t", "openai", "openai", "https://api.openai.com/v1", "gpt-4o"),
    "anthropic": Target(
        "t", "anthropic", "anthropic", "https://api.anthropic.com/v1", "claude-sonnet-4-5"
    ),
}


def sent(wire: str, body: dict[str, Any]) -> Outgoing:
    return wire_named(wire).outgoing(ask(body, "streamGenerateContent"), TARGETS[wire])


def request() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / "request.json").read_text("utf-8"))
    return found


@pytest.mark.parametrize("wire", sorted(TARGETS))
def test_a_full_request_is_said_as_it_always_was(wire: str) -> None:
    out = sent(wire, request())
    body = json.loads(out.body)
    if wire == "openai":
        _OPENAI.validate_python(body)
    else:
        version = dict(out.headers)["anthropic-version"]
        anthropic_stub.check(anthropic_stub.CREATE, body, version)
    losses = [f"{loss.kind}: {loss.field}: {loss.why}" for loss in out.losses]
    said = {"body": body, "losses": losses}
    golden = Path(GOLDEN / f"to_{wire}.json")
    assert said == json.loads(golden.read_text("utf-8"))


@pytest.mark.parametrize("wire", sorted(TARGETS))
def test_every_field_of_the_request_is_said_or_named(wire: str) -> None:
    """Nothing is dropped in silence: without a field the body differs, or its loss is gone."""
    whole = sent(wire, request())
    body = request()
    for name in list(body):
        if name == "contents":
            continue
        less = sent(wire, {key: value for key, value in body.items() if key != name})
        assert (less.body, less.losses) != (whole.body, whole.losses), name
    for name in list(body["generationConfig"]):
        config = {k: v for k, v in body["generationConfig"].items() if k != name}
        less = sent(wire, {**body, "generationConfig": config})
        # A schema says the media type of an answer by itself.
        same = (less.body, less.losses) == (whole.body, whole.losses)
        assert same == (name == "responseMimeType"), name
