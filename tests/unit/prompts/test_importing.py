"""Exports of other tools become prompts, and what is lost is named."""

from __future__ import annotations

import json

import pytest

from stockpot.core.errors import InvalidInput
from stockpot.prompts.importing import read_export

LANGFUSE = [
    {
        "name": "Movies/Movie Critic", "version": 2, "type": "chat", "labels": ["production",
        "latest"], "tags": ["movies"], "commitMessage": "shorter", "createdAt": "2026-01-01",
        "config": {"model": "gpt-4o", "temperature": 0.5, "supported_languages": ["en"]},
        "prompt": [
            {"type": "chatmessage", "role": "system",
             "content": "@@@langfusePrompt:name=Tone|label=production@@@ A {{level}} critic."},
            {"type": "placeholder", "name": "history"},
            {"role": "user", "content": "Do you like {{movie}}?"},
        ],
    },
    {"name": "Movies/Movie Critic", "version": 1, "type": "chat", "labels": [], "config": {},
     "prompt": [{"role": "tool-ish", "content": "{{movie}}"}]},
    {"name": "Tone", "version": 4, "type": "text", "labels": ["production"], "tags": [],
     "prompt": "Be kind.", "config": {}},
]  # fmt: skip


@pytest.mark.parametrize("form", ["list", "data", "lines"])
def test_langfuse_prompts_come_with_versions_labels_partials_and_places(form: str) -> None:
    told = {
        "list": json.dumps(LANGFUSE),
        "data": json.dumps({"data": LANGFUSE, "meta": {}}),
        "lines": "\n".join(map(json.dumps, LANGFUSE)),
    }
    critic, tone = read_export(told[form], "langfuse")
    assert (critic.name, critic.folder, critic.tags) == ("movie-critic", "Movies", ("movies",))
    first, second = critic.versions
    assert second.labels == ("production",)
    assert second.message == "shorter"
    content = second.content
    assert (content.model, content.params, content.syntax) == (
        "gpt-4o", {"temperature": 0.5}, "mustache",
    )  # fmt: skip
    assert content.messages[0].content == "{{> tone@production }} A {{level}} critic."
    assert content.messages[1].insert == "history"
    assert first.content.messages[0].role == "user"
    assert set(critic.lost) == {
        "config.supported_languages", "createdAt", "the role 'tool-ish' became 'user'",
        "the name 'Movies/Movie Critic' became 'movie-critic'",
    }  # fmt: skip
    assert tone.lost == ("the name 'Tone' became 'tone'", "versions [4] are counted from 1 here")


def test_mlflow_prompts_come_from_the_client_and_from_the_registry() -> None:
    client = {
        "name": "summary", "version": 1, "template": [{"role": "system", "content": "{{style}}"}],
        "commit_message": "first", "aliases": ["champion"], "tags": {"team": "docs"},
        "response_format": {"type": "object"}, "creation_timestamp": 1,
        "model_config": {"model_name": "gpt-4o", "max_tokens": 9, "provider": "openai"},
    }  # fmt: skip
    tags = {
        "mlflow.prompt.is_prompt": "true", "mlflow.prompt.text": '[{"role":"user","content":"x"}]',
        "_mlflow_prompt_type": "chat", "_mlflow_prompt_model_config": '{"temperature": 1}',
    }  # fmt: skip
    registry = {
        "name": "summary", "version": "2", "description": "second",
        "tags": [{"key": k, "value": v} for k, v in tags.items()],
    }  # fmt: skip
    (found,) = read_export(json.dumps({"model_versions": [registry, client]}), "mlflow")
    one, two = found.versions
    assert one.labels == ("champion",)
    assert one.content.response_schema == {"type": "object"}
    assert (one.content.model, one.content.params) == ("gpt-4o", {"max_tokens": 9})
    assert two.content.messages[0].content == "x"
    assert two.content.params == {"temperature": 1}
    assert found.tags == ("team=docs",)
    assert set(found.lost) == {"model_config.provider", "creation_timestamp"}


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '[{"name": "x"}]', "no json"])
def test_what_is_no_export_is_refused(text: str) -> None:
    for tool in ("langfuse", "mlflow"):
        with pytest.raises(InvalidInput):
            read_export(text, tool)
