"""Requests in Anthropic's dialect: read shallowly, read in full, and passed on untouched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from inline_snapshot import snapshot

from stockpot.gateway import Target
from stockpot.providers import BadRequest, CannotExpress, wire_named
from stockpot.providers.anthropic import AnthropicDialect
from stockpot.providers.anthropic.compose import compose
from stockpot.providers.anthropic.parse import parse
from stockpot.providers.anthropic.traits import traits_of
from stockpot.providers.base import Ask
from stockpot.providers.canon import Media
from tests.vendors.anthropic_stub import CREATE, check

DIALECT = AnthropicDialect()
WIRE = wire_named("anthropic")
OLD = "claude-sonnet-4-5"
GOLDEN = Path(__file__).parent / "golden" / "anthropic"
FULL = (GOLDEN / "request.json").read_bytes()


def target(model: str = OLD) -> Target:
    return Target("t", "p", "anthropic", "http://h/v1", model)


def body(**fields: object) -> bytes:
    base = {"model": "alias", "max_tokens": 64, "messages": [{"role": "user", "content": "hi"}]}
    return json.dumps({**base, **fields}).encode()


def lean(value: Any) -> Any:
    """Without what says nothing."""
    if isinstance(value, dict):
        return {k: lean(v) for k, v in value.items() if v not in ("", None, (), [], {}, False)}
    return [lean(each) for each in value] if isinstance(value, (list, tuple)) else value


def test_a_request_with_everything_is_read_in_full() -> None:
    check(CREATE, json.loads(FULL), "2026-10-21")
    expected = json.loads((GOLDEN / "prompt.json").read_bytes())
    assert lean(msgspec.to_builtins(parse(FULL))) == lean(expected)
    assert parse(FULL).extra == {}


def test_a_request_with_everything_comes_back_as_it_was() -> None:
    made = compose(parse(FULL), OLD, traits_of(OLD, {}), stream=True, native=True)
    assert (made.losses, made.version) == ((), "2026-10-21")
    expected = json.loads(FULL) | {"model": OLD}
    del expected["tools"][1]["type"]
    assert json.loads(made.body) == expected


def test_what_the_form_cannot_hold_is_kept_by_name() -> None:
    prompt = parse(
        body(
            container={"id": "c"},
            speed="fast",
            metadata={"user_id": "u", "team": "x"},
            output_config={"effort": "max"},
            messages=[
                {"role": "user", "content": [
                    {"type": "image", "source": {"type": "url", "url": "u"},
                     "transformations": {"oversize": "downscale"}},
                    {"type": "search_result", "source": "s", "title": "T",
                     "content": [{"type": "text", "text": "found"}]},
                    {"type": "container_upload", "file_id": "f"},
                ]},
            ],
            tools=[{"name": "f", "input_schema": {"type": "object"}, "defer_loading": True}],
        )
    )  # fmt: skip
    assert prompt.extra == snapshot(
        {
            "messages[].content[].transformations": {"oversize": "downscale"},
            "messages[].content[].source": "s",
            "messages[].content[].container_upload": {"file_id": "f"},
            "tools[].defer_loading": True,
            "output_config.effort": "max",
            "metadata.team": "x",
            "container": {"id": "c"},
            "speed": "fast",
        }
    )
    assert prompt.turns[0].parts[1] == Media(
        kind="document", media_type="text/plain", text="found", name="T"
    )


def test_fields_of_an_answer_that_is_handed_back_are_no_loss() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": {}, "caller": {"type": "direct"}}
    said = {"type": "text", "text": "x", "citations": None}
    turns = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": [said, block | {"toolset_name": None}]},
    ]
    assert parse(body(messages=turns)).extra == {}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "bot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]},
         "messages[0].content[0].text"),
        ({"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "x"}}]}]},
         "messages[0].content[0].source.type"),
        ({"tools": [{"description": "x"}]}, "tools[0].name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, "thinking.budget_tokens"),
        ({"output_config": {"effort": "huge"}}, "output_config.effort"),
        ({"max_tokens": "64"}, "max_tokens"),
        ({"stop_sequences": [1]}, "stop_sequences[0]"),
    ],
)  # fmt: skip
def test_a_bad_request_names_the_field_at_fault(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as bad:
        parse(body(**fields))
    assert bad.value.param == param


# --- shallow reading ----------------------------------------------------------------------------


def test_a_request_is_read_shallowly() -> None:
    ask = DIALECT.read("chat", body(stream=True, metadata={"user_id": "u"}), b"/v1/messages")
    assert (ask.model, ask.stream, ask.max_output, ask.user) == ("alias", True, 64, "u")
    assert ask.input_tokens > 5


@pytest.mark.parametrize(
    ("raw", "param", "code"),
    [
        (b"{", "", "invalid_json"),
        (b'{"model":"m"}', "", "invalid_request"),
        (b'{"model":1,"messages":[]}', "model", "invalid_request"),
    ],
)
def test_a_bad_body_is_refused_with_the_field_at_fault(raw: bytes, param: str, code: str) -> None:
    with pytest.raises(BadRequest) as bad:
        DIALECT.read("chat", raw)
    assert (bad.value.param, bad.value.code) == (param, code)


def test_errors_have_anthropics_shape_and_types() -> None:
    made = json.loads(DIALECT.error(529, "too much", "upstream_error", "model"))
    assert made == {
        "type": "error",
        "error": {
            "type": "overloaded_error",
            "message": "too much",
            "details": {"error_code": "upstream_error", "field": "model"},
        },
        "request_id": None,
    }
    kinds = {s: json.loads(DIALECT.error(s, "", ""))["error"]["type"] for s in (400, 401, 404, 429)}
    assert kinds == {
        400: "invalid_request_error",
        401: "authentication_error",
        404: "not_found_error",
        429: "rate_limit_error",
    }


# --- the same dialect ---------------------------------------------------------------------------


def test_a_body_for_the_same_model_passes_byte_for_byte() -> None:
    sent = body(model=OLD, temperature=0.30000000000000004)
    ask = DIALECT.read("chat", sent, b"/v1/messages", {})
    assert WIRE.passes(ask, target())
    assert WIRE.outgoing(ask, target()).body is sent


def test_another_model_name_changes_nothing_else() -> None:
    sent = body(odd={"model": "alias"}, big=123456789012345678901234567890)
    out = WIRE.outgoing(DIALECT.read("chat", sent), target()).body
    assert json.loads(out) == {**json.loads(sent), "model": OLD}


def test_reasoning_of_another_vendor_stays_behind_and_that_is_told() -> None:
    own = {"type": "thinking", "thinking": "a", "signature": "EqQB=="}
    said = {"type": "text", "text": '"signature":""'}
    others = [
        {"type": "thinking", "thinking": "b", "signature": ""},
        {"type": "thinking", "thinking": "c", "signature": "gemini:x"},
        {"type": "redacted_thinking", "data": "stockpot-call:1:t:x"},
    ]
    hello = {"role": "user", "content": "hi"}

    def passed(content: list[dict[str, str]]) -> tuple[list[object], list[str]]:
        sent = body(messages=[hello, {"role": "assistant", "content": content}, hello])
        sent = sent.replace(b'"alias"', json.dumps(OLD).encode())
        out = WIRE.outgoing(DIALECT.read("chat", sent), target())
        assert (out.body is sent) == (out.losses == ())
        return json.loads(out.body)["messages"], [loss.field for loss in out.losses]

    expected = [hello, {"role": "assistant", "content": [own, said]}, hello]
    assert passed([own, said]) == (expected, [])
    assert passed([own, *others, said]) == (expected, ["reasoning"])
    assert passed(others) == ([hello, hello], ["reasoning"])


def test_version_and_betas_of_the_client_go_on_and_its_credential_does_not() -> None:
    headers = {
        b"anthropic-version": b"2026-10-21",
        b"anthropic-beta": b"files-api-2025-04-14,x",
        b"x-api-key": b"sk-sp-secret",
        b"authorization": b"Bearer sk-sp-secret",
    }
    out = WIRE.outgoing(DIALECT.read("chat", body(), b"/v1/messages", headers), target())
    assert (out.path, out.headers) == (
        "/messages",
        (("anthropic-version", "2026-10-21"), ("anthropic-beta", "files-api-2025-04-14,x")),
    )
    silent = WIRE.outgoing(DIALECT.read("chat", body(), b"/v1/messages", {}), target())
    assert silent.headers == (("anthropic-version", "2023-06-01"),)


def test_counting_tokens_passes_to_its_own_path() -> None:
    ask = DIALECT.read("count_tokens", body(), b"/v1/messages/count_tokens", {})
    assert WIRE.outgoing(ask, target()).path == "/messages/count_tokens"
    assert not ask.stream
    with pytest.raises(CannotExpress):
        wire_named("openai").outgoing(ask, target())


def test_embeddings_cannot_be_expressed() -> None:
    ask = Ask("openai", "embeddings", b"{}", "m", False, True, 1, 0, 1, "")
    with pytest.raises(CannotExpress):
        WIRE.outgoing(ask, target())
