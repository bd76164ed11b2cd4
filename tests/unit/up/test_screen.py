"""The one screen of `stockpot up`."""

from __future__ import annotations

import ast
import json
import shlex

import msgspec
import pytest

from stockpot.up.facts import Facts, ModelLine
from stockpot.up.screen import as_json, curl, lines, python, show

FACTS = Facts(
    version="0.1.0",
    gateway_url="http://127.0.0.1:4000",
    console_url="http://127.0.0.1:4001",
    sign_in_url="http://127.0.0.1:4001/sign-in#token=abc",
    key="sk-test",
    model="smollm2-135m",
    models=(
        ModelLine("smollm2-135m", "chat", "engine", smoke=True),
        ModelLine("minilm-l6-v2", "embedding", "engine", smoke=False),
        ModelLine("gpt-4o", "chat", "environment", smoke=False),
    ),
    found=("OpenAI by OPENAI_API_KEY: 5 models",),
    notices=("disk is nearly full",),
    home="/data",
    logs="/data/logs",
    pid=1,
    seconds=2.345,
)


def text(facts: Facts) -> str:
    return "\n".join(line for _, line in lines(facts))


def test_the_screen_tells_where_everything_is_and_fits_a_terminal() -> None:
    shown = text(FACTS)
    for wanted in (
        "http://127.0.0.1:4000/v1",
        FACTS.console_url,
        FACTS.sign_in_url,
        "OpenAI by OPENAI_API_KEY: 5 models",
        "disk is nearly full",
        "/data/logs",
        "smollm2-135m (small smoke model)",
        "minilm-l6-v2 (embedding)",
        "after 2.3 s",
    ):
        assert wanted in shown
    assert len(shown.splitlines()) <= 30


def test_the_curl_command_can_be_pasted_and_carries_valid_json() -> None:
    words = shlex.split(curl(FACTS))
    assert words[:2] == ["curl", "http://127.0.0.1:4000/v1/chat/completions"]
    assert json.loads(words[words.index("-d") + 1])["model"] == "smollm2-135m"
    assert "Authorization: Bearer sk-test" in words


def test_the_python_snippet_is_a_program() -> None:
    ast.parse(python(FACTS))
    assert "sk-test" in python(FACTS)


def test_many_models_are_counted_instead_of_listed() -> None:
    many = tuple(ModelLine(f"m{i}", "chat", "local", smoke=False) for i in range(30))
    shown = text(msgspec.structs.replace(FACTS, models=many))
    assert "and 22 more names" in shown
    assert "m29" not in shown


def test_the_model_to_begin_with_is_named_first_and_vendors_models_are_only_counted() -> None:
    (line,) = [line for line in text(FACTS).splitlines() if "Models" in line]
    shown = line.split(maxsplit=1)[1]
    assert shown.startswith("smollm2-135m (small smoke model), minilm-l6-v2 (embedding) and 1 more")
    assert "gpt-4o" not in shown


def test_without_a_control_plane_the_screen_promises_no_key() -> None:
    bare = msgspec.structs.replace(FACTS, key="", sign_in_url="", models=())
    shown = text(bare)
    assert "Sign in" not in shown
    assert "curl" not in shown
    assert "http://127.0.0.1:4000/v1" in shown


def test_json_is_one_line_that_says_ready() -> None:
    line = as_json(FACTS)
    assert "\n" not in line
    told = json.loads(line)
    assert told["ready"] is True
    assert told["key"] == "sk-test"
    assert told["models"][0]["name"] == "smollm2-135m"


def test_where_the_output_is_no_terminal_the_screen_is_plain(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(lines(FACTS))
    printed = capsys.readouterr().out
    assert "\x1b" not in printed
    assert FACTS.sign_in_url in printed
