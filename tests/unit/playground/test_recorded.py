"""A recorded call of any dialect becomes one chat request, and its answer one shape."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from stockpot.core.errors import Conflict, InvalidInput
from stockpot.playground.models import Called
from stockpot.playground.recorded import path_of, recorded_call
from stockpot.traces import Payload, Span, Tokens

PLAIN: dict[str, Any] = {
    "trace_id": "a" * 32, "span_id": "b" * 16, "parent_id": None, "is_root": True,
    "project": "menu", "environment": "dev", "name": "chat m", "kind": "llm", "status": "ok",
    "status_code": 200, "error": "", "error_message": "", "start_ms": 1.0, "duration_ms": 2.0,
    "received_ms": 3.0, "key_id": "key_a", "endpoint": "chat", "provider": "p", "target": "t",
    "requested_model": "support", "model": "m", "served_model": "m", "stream": False, "attempt": 1,
    "ttft_ms": None, "tpot_ms": None, "tokens": Tokens(), "cost_nano": None, "cost_detail": {},
    "price_id": "", "finish_reason": "stop", "user": "", "session": "", "tags": (),
    "stages_ms": {}, "payload": "full", "params": {}, "input_preview": "", "output_preview": "",
    "source": "gateway", "revision": 1, "provenance": "", "dialect": "openai",
}  # fmt: skip


def span(**changes: Any) -> Span:
    return Span(**{**PLAIN, **changes})


def kept(request: Any, response: Any = None) -> Payload:
    said = response if isinstance(response, str | None) else json.dumps(response)
    return Payload(state="full", request=json.dumps(request), response=said)


def events(*bodies: dict[str, Any], named: bool = False) -> str:
    lines = [
        (f"event: {body['type']}\n" if named else "") + f"data: {json.dumps(body)}\n"
        for body in bodies
    ]
    return "\n".join(lines) + "\n"


def test_a_chat_in_openais_form_stays_as_it_is_but_for_streaming() -> None:
    asked = {"model": "support", "messages": [{"role": "user", "content": "hi"}], "seed": 0,
             "logit_bias": {"1": 2}, "stream": True, "stream_options": {}}  # fmt: skip
    call = recorded_call(span(), kept(asked))
    assert call.request == {k: v for k, v in asked.items() if not k.startswith("stream")}
    assert call.lost == ()


def test_anthropics_form_keeps_system_images_tools_and_results() -> None:
    asked = {
        "model": "support", "max_tokens": 9, "system": "Be brief.", "top_k": 4,
        "tools": [{"name": "look", "description": "d", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": [
                {"type": "text", "text": "What is it?"},
                {"type": "image", "source":
                    {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "t1", "content": "a pot"}]},
        ],
    }  # fmt: skip
    answer = {
        "id": "msg", "type": "message", "role": "assistant", "model": "m",
        "stop_reason": "end_turn", "stop_sequence": None,
        "content": [{"type": "text", "text": "A pot."}],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }  # fmt: skip
    call = recorded_call(span(dialect="anthropic"), kept(asked, answer))
    system, user, assistant, tool = call.request["messages"]
    assert (system["role"], system["content"]) == ("system", "Be brief.")
    assert user["content"][1]["image_url"]["url"] == "data:image/png;base64,AAAA"
    assert json.loads(assistant["tool_calls"][0]["function"]["arguments"]) == {"at": 1}
    assert (tool["role"], tool["tool_call_id"], tool["content"]) == ("tool", "t1", "a pot")
    assert call.request["tools"][0]["function"]["name"] == "look"
    assert call.request["max_tokens"] == 9
    assert [lost.field for lost in call.lost] == ["top_k"]
    assert call.answer is not None
    assert call.answer.choices[0].text == "A pot."
    assert (call.answer.input_tokens, call.answer.output_tokens) == (3, 2)


def test_anthropics_stream_is_read_with_its_tool_calls() -> None:
    said = events(
        {"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
         "content": [], "model": "m", "stop_reason": None, "stop_sequence": None,
         "usage": {"input_tokens": 3, "output_tokens": 1}}},
        {"type": "content_block_start", "index": 0,
         "content_block": {"type": "tool_use", "id": "t1", "name": "look", "input": {}}},
        {"type": "content_block_delta", "index": 0,
         "delta": {"type": "input_json_delta", "partial_json": '{"at": 1}'}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None},
         "usage": {"output_tokens": 5}},
        {"type": "message_stop"}, named=True)  # fmt: skip
    asked = {"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    call = recorded_call(span(dialect="anthropic", stream=True), kept(asked, said))
    assert call.answer is not None
    (choice,) = call.answer.choices
    assert choice.tool_calls == (Called(id="t1", name="look", arguments='{"at": 1}'),)
    assert choice.finish == "tool_calls"


def test_geminis_form_gets_its_model_from_the_span() -> None:
    asked = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}],
             "generationConfig": {"temperature": 0.5, "maxOutputTokens": 7}}  # fmt: skip
    answer = {"candidates": [{"content": {"role": "model", "parts": [{"text": "Hello"}]},
              "finishReason": "STOP", "index": 0}],
              "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1}}  # fmt: skip
    one = span(dialect="gemini")
    call = recorded_call(one, kept(asked, answer))
    assert call.request["model"] == "support"
    assert call.request["messages"] == [{"role": "user", "content": "hi"}]
    assert call.request["temperature"] == 0.5
    assert call.answer is not None
    assert call.answer.choices[0].text == "Hello"
    assert path_of(one, "gemini") == "/v1beta/models/support:generateContent"


@pytest.mark.parametrize("streamed", [False, True])
def test_the_responses_form_is_read_whole_and_streamed(streamed: bool) -> None:
    asked = {"model": "support", "instructions": "Be brief.", "input": "hi"}
    whole = {
        "id": "r", "object": "response", "model": "m", "error": None, "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            {"type": "message", "role": "assistant",
             "content": [{"type": "output_text", "text": "Hello", "annotations": []}]},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }  # fmt: skip
    done = {"type": "response.completed", "response": whole}
    said = events({"type": "response.created", "response": {"output": []}}, done)
    call = recorded_call(span(dialect="responses", stream=streamed),
                         kept(asked, said if streamed else whole))  # fmt: skip
    assert [m["role"] for m in call.request["messages"]] == ["system", "user"]
    assert call.answer is not None
    (choice,) = call.answer.choices
    assert (choice.text, choice.reasoning, choice.finish) == ("Hello", "Hm.", "tool_calls")
    assert choice.tool_calls[0].name == "look"


def test_messages_that_another_tracer_recorded_are_a_chat_with_its_parameters() -> None:
    messages = [{"role": "user", "content": "hi"}]
    other = span(source="otlp", dialect="openinference", endpoint="", params={"temperature": 0.5})
    said = [{"role": "assistant", "content": "Hello"}]
    call = recorded_call(other, kept(messages, said))
    assert call.request == {"model": "support", "temperature": 0.5, "messages": messages}
    assert call.answer is not None
    assert call.answer.choices[0].text == "Hello"


def test_a_prompts_variables_stand_beside_the_request() -> None:
    asked = {"model": "m", "prompt_variables": {"dish": "soup"},
             "messages": [{"role": "user", "content": "hi"}]}  # fmt: skip
    one = span(prompt_name="menu", prompt_version="3", prompt_label="production")
    call = recorded_call(one, kept(asked))
    assert (call.prompt, call.variables) == ("menu@3", {"dish": "soup"})
    assert "prompt_variables" not in call.request


def test_what_was_not_kept_is_said() -> None:
    gone = Payload(state="none", request=None, response=None)
    with pytest.raises(Conflict, match="keeps no payloads"):
        recorded_call(span(payload="none"), gone)
    with pytest.raises(Conflict, match="shed"):
        recorded_call(span(payload="shed"), gone)
    with pytest.raises(InvalidInput, match="no chat"):
        recorded_call(span(endpoint="embeddings"), kept({"model": "m", "input": "x"}))


def test_a_stream_that_broke_off_is_no_answer() -> None:
    asked = {"model": "m", "messages": []}
    said = events({"model": "m", "choices": [{"index": 0, "delta": {"content": "Hel"}}]})
    call = recorded_call(span(stream=True), kept(asked, said))
    assert call.answer is not None
    assert "ended before" in call.answer.error
    assert cast("Any", call.answer).choices[0].text == "Hel"


def test_a_translated_call_is_read_from_its_upstreams_bytes() -> None:
    asked = {"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}
    said = {"id": "c", "object": "chat.completion", "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "candidates"},
         "finish_reason": "stop"}]}  # fmt: skip
    call = recorded_call(span(dialect="anthropic"), kept(asked, said))
    assert call.answer is not None
    assert call.answer.choices[0].text == "candidates"
