"""The process that plays recordings, asked by the stock OpenAI client."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import openai
import pytest

from stockpot.engines import EngineAddress, player, record, running
from tests.integration.engines.conftest import Engines

pytestmark = pytest.mark.integration

ANSWER = "Baked pasta with beef, in layers."
LINES: list[dict[str, Any]] = [
    {"question": "What is lasagna?", "answer": ANSWER, "latency_ms": 300, "ttft_ms": 100,
     "usage": {"prompt_tokens": 31, "completion_tokens": 9}},
    {"question": "And risotto?", "answer": "Rice", "finish_reason": "length"},
]  # fmt: skip


def recording(*lines: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(line) for line in lines).encode()


def until_played(engines: Engines, name: str) -> EngineAddress:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for address in running(engines.instance):
            if address.model == name:
                return address
        time.sleep(0.02)
    raise AssertionError(f"{name} was not announced in time")


def test_a_recording_is_played_with_its_tokens_its_time_and_its_gaps_told(
    own_engines: Engines,
) -> None:
    record(own_engines.instance, "cook", recording(*LINES))
    own_engines.start(player(own_engines.instance))
    address = until_played(own_engines, "cook")
    assert (address.engine, address.name) == ("recorded", "recorded.cook")
    client: Any = openai.OpenAI(base_url=address.url, api_key="none", max_retries=0)
    began = time.monotonic()
    asked = [{"role": "user", "content": "What is lasagna?"}]
    told = client.chat.completions.create(model="cook", messages=asked)
    assert time.monotonic() - began >= 0.3
    assert told.choices[0].message.content == ANSWER
    assert (told.usage.prompt_tokens, told.usage.completion_tokens) == (31, 9)
    began, pieces, first = time.monotonic(), [], 0.0
    for chunk in client.chat.completions.create(
        model="cook", messages=asked, stream=True, stream_options={"include_usage": True}
    ):
        if chunk.choices and chunk.choices[0].delta.content:
            first = first or time.monotonic() - began
            pieces.append(chunk.choices[0].delta.content)
        usage = chunk.usage
    assert 0.1 <= first < time.monotonic() - began >= 0.3
    assert ("".join(pieces), len(pieces) > 3, usage.total_tokens) == (ANSWER, True, 40)
    with pytest.raises(openai.NotFoundError, match="nearest recorded question is 'What is lasag"):
        client.chat.completions.create(
            model="cook", messages=[{"role": "user", "content": "What is a lasagna like?"}]
        )
    record(own_engines.instance, "brief", recording(LINES[1]))  # while it runs
    assert until_played(own_engines, "brief").url == address.url
    ended = client.chat.completions.create(
        model="brief", messages=[{"role": "user", "content": "And risotto?"}]
    )
    assert ended.choices[0].finish_reason == "length"


def test_the_command_keeps_lists_and_removes_recordings(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from stockpot.engines.cli import models

    file = tmp_path / "answers.jsonl"
    file.write_bytes(recording(*LINES))
    run = CliRunner(env={"STOCKPOT_HOME": str(tmp_path / "home")})
    assert run.invoke(models, ["add-recorded", "cook", str(file)]).output == (
        "recorded/cook: 2 recorded answers\n"
    )
    (row,) = [
        one for one in json.loads(run.invoke(models, ["list", "--json"]).output)
        if one["source"] == "recorded"
    ]  # fmt: skip
    assert (row["name"], row["state"], row["title"]) == ("cook", "installed", "2 recorded answers")
    assert "removed cook" in run.invoke(models, ["remove", "cook"]).output
