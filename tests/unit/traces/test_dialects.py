"""What each dialect becomes. The fixtures were sent by real packages (versions.json says which);
what no fixture shows is told here in a span of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stockpot.prices import PriceRow
from stockpot.traces.dialects import ORDER, bodies
from stockpot.traces.dialects.fields import FIELDS
from stockpot.traces.forward import otlp as forwarded
from stockpot.traces.models import Span
from stockpot.traces.otlp import JSON, PROTOBUF, read_piece
from stockpot.traces.otlp.incoming import Incoming, Under
from stockpot.traces.receiving.batches import Receiver, Taken
from stockpot.traces.receiving.pricing import Prices, no_prices
from stockpot.traces.receiving.spans import MASKED, NONE, Origin
from stockpot.traces.receiving.spans import row as row_of
from stockpot.traces.store import Batch, NewSpan
from stockpot.traces.store.embedded import SqliteSpanStore

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures/otlp"
MENU = Origin("menu")
TRACE, SPAN = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
DOLLAR = (PriceRow("row", 0, input=1_000_000, output=2_000_000, cache_read=500_000),)


def priced(vendor: str, model: str) -> tuple[PriceRow, ...]:
    return DOLLAR if (vendor, model) == ("openai", "gpt-x") else ()


def sent(name: str) -> list[NewSpan]:
    """The rows of a fixture, by the order in which they were sent."""
    body = (FIXTURES / f"{name}.pb").read_bytes()
    return [row for row, _ in take(body, PROTOBUF).rows]


def take(body: bytes, form: str = JSON, origin: Origin = MENU) -> Taken:
    return Receiver(Prices(priced)).take(body, form, "", origin)


def request(*spans: dict[str, Any], **resource: Any) -> bytes:
    """An ExportTraceServiceRequest in JSON."""
    told = [
        {"traceId": TRACE, "spanId": f"{n + 1:016x}", "name": "step",
         "startTimeUnixNano": "1000000000000000000", "endTimeUnixNano": "1000000002000000000",
         **one, "attributes": attributes(one.get("attributes", {}))}
        for n, one in enumerate(spans)
    ]  # fmt: skip
    group = {"resource": {"attributes": attributes(resource)}, "scopeSpans": [{"spans": told}]}
    return json.dumps({"resourceSpans": [group]}).encode()


def attributes(found: dict[str, Any]) -> list[dict[str, Any]]:
    def value(one: Any) -> dict[str, Any]:
        if isinstance(one, bool):
            return {"boolValue": one}
        if isinstance(one, int):
            return {"intValue": str(one)}
        if isinstance(one, float):
            return {"doubleValue": one}
        if isinstance(one, list):
            return {"arrayValue": {"values": [value(inner) for inner in one]}}
        return {"stringValue": one}

    return [{"key": name, "value": value(one)} for name, one in found.items()]


def told(span: dict[str, Any], origin: Origin = MENU, **resource: Any) -> tuple[NewSpan, Any, Any]:
    """One span as a row, with the request and the response that it shows."""
    ((row, payload),) = take(request(span, **resource), JSON, origin).rows
    if payload is None:
        return row, None, None
    shown = (None if body is None else body.decode() for body in bodies(read_piece(payload.raw)))
    return (row, *shown)


def about(row: NewSpan, *names: str) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in names)


def test_tables_point_to_known_fields_alone() -> None:
    for dialect in ORDER:
        unknown = {f for f in dialect.fields.values() if f not in FIELDS and f[:6] != "param:"}
        assert not unknown, dialect.name


@pytest.mark.parametrize(
    ("name", "dialect", "question"),
    [
        ("openinference-openai", "openinference", "Describe leek soup in one line."),
        ("openllmetry-openai", "gen_ai_2", "Describe pea soup in one line."),
        ("otel-openai-v2-latest", "gen_ai_2", "Describe onion soup in one line."),
    ],
)
def test_a_call_of_the_openai_package_reads_alike_in_every_dialect(
    name: str, dialect: str, question: str
) -> None:
    row = sent(name)[0]
    assert about(row, "dialect", "kind", "provider", "route", "finish_reason", "status") == (
        dialect, "llm", "openai", "echo", "stop", "ok",
    )  # fmt: skip
    assert about(row, "input_tokens", "output_tokens", "usage_source") == (9, 6, "provider")
    assert about(row, "input_preview", "output_preview") == (question, question)
    assert about(row, "service", "release", "environment") == ("menu-writer", "1.4.2", "staging")
    assert json.loads(row.params)["temperature"] == 0.3
    body = (FIXTURES / f"{name}.pb").read_bytes()
    _, payload = take(body, PROTOBUF).rows[0]
    assert payload is not None
    assert payload.raw is not None
    asked, answered = bodies(read_piece(payload.raw))
    assert json.loads(asked or b"")["messages"] == [
        {"role": "system", "content": "You describe dishes."},
        {"role": "user", "content": question},
    ]
    assert json.loads(answered or b"")["choices"][0]["message"]["content"] == question


def test_opentelemetrys_own_instrumentation_without_content_still_counts() -> None:
    (row,) = sent("otel-openai-v2")
    assert about(row, "dialect", "kind", "route", "served_model") == (
        "gen_ai_1", "llm", "echo", "echo",
    )  # fmt: skip
    assert about(row, "input_tokens", "output_tokens", "input_preview") == (9, 6, "")
    assert row.response_id.startswith("chatcmpl-")


def test_openinference_tells_who_and_when_the_first_token_came() -> None:
    whole, streamed = sent("openinference-openai")
    for row in (whole, streamed):
        assert about(row, "session", "user", "tags") == ("table-7", "guest-3", '["lunch"]')
    assert not whole.stream
    assert streamed.stream
    assert streamed.ttft_ns is not None
    assert 0 < streamed.ttft_ns <= streamed.duration_ns


def test_a_langchain_chain_is_a_tree_of_which_one_span_is_a_call() -> None:
    rows = sent("openinference-langchain")
    kinds = {row.name: row.kind for row in rows}
    assert kinds == {
        "price_of": "tool", "RunnableLambda": "workflow", "ChatPromptTemplate": "span",
        "ChatOpenAI": "llm", "RunnableSequence": "workflow",
    }  # fmt: skip
    (root,) = (row for row in rows if row.is_root)
    assert root.name == "RunnableSequence"
    (call,) = (row for row in rows if row.input_tokens)
    assert about(call, "input_tokens", "output_tokens", "session") == (13, 5, "table-8")
    tool = next(row for row in rows if row.kind == "tool")
    assert about(tool, "tool", "output_preview") == ("price_of", "leek soup costs 6.50")


def test_a_pydantic_ai_agent_counts_its_calls_and_not_their_sum() -> None:
    rows = sent("pydantic-ai")
    assert [(row.kind, row.agent) for row in rows] == [
        ("llm", "concierge"), ("agent", "concierge"), ("llm", "asking"), ("tool", "asking"),
        ("llm", "asking"), ("agent", "asking"),
    ]  # fmt: skip
    assert all(not row.input_tokens and row.cost_nano == 0 for row in rows if row.kind != "llm")
    asking, tool = rows[2], rows[3]
    assert about(asking, "tools", "output_preview") == ('["soup_of"]', 'soup_of({"day":"Monday"})')
    assert about(tool, "tool", "output_preview") == ("soup_of", "leek soup on Monday")
    assert len({row.session for row in rows[2:]}) == 1
    assert asking.session


def test_the_npm_package_ai_has_one_call_under_each_thing_that_was_asked() -> None:
    rows = sent("vercel-ai")
    assert [(row.dialect, row.kind, row.is_root) for row in rows] == [
        ("vercel", "llm", False), ("vercel", "workflow", True),
        ("vercel", "llm", False), ("vercel", "workflow", True),
    ]  # fmt: skip
    assert [row.input_tokens for row in rows] == [6, 0, 6, 0]
    for row in rows:
        assert about(row, "user", "session", "tags", "trace_name") == (
            "guest-3", "table-9", '["lunch"]', "describe-dish",
        )  # fmt: skip
    call, stream = rows[0], rows[2]
    assert about(call, "provider", "stream", "ttft_ns") == ("stockpot", False, None)
    assert stream.stream
    assert stream.ttft_ns
    assert about(call, "input_preview", "output_preview") == ("Describe leek soup.",) * 2


# --- what no fixture shows ------------------------------------------------------------------------


def test_the_first_generation_says_its_messages_in_events() -> None:
    events = [
        {"name": "gen_ai.system.message", "attributes": attributes({"content": "Be brief."})},
        {"name": "gen_ai.user.message", "attributes": attributes({"content": "Soup?"})},
        {"name": "gen_ai.choice",
         "attributes": attributes({"message": '{"role":"assistant","content":"Leek."}'})},
    ]  # fmt: skip
    row, asked, answered = told({
        "events": events,
        "attributes": {
            "gen_ai.system": "openai", "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "gpt-x", "gen_ai.usage.prompt_tokens": 3,
            "gen_ai.usage.completion_tokens": 2,
        },
    })  # fmt: skip
    assert about(row, "dialect", "provider", "input_tokens") == ("gen_ai_1", "openai", 3)
    assert [m["role"] for m in json.loads(asked)["messages"]] == ["system", "user"]
    assert json.loads(answered)["choices"][0]["message"]["content"] == "Leek."


def test_the_third_generation_counts_what_was_written_to_the_cache() -> None:
    row, _, _ = told({"attributes": {
        "gen_ai.provider.name": "openai", "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-x", "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 40,
        "gen_ai.usage.cache_write.input_tokens": 20, "gen_ai.usage.reasoning.output_tokens": 4,
    }})  # fmt: skip
    assert row.dialect == "gen_ai_3"
    assert about(row, "cache_read_tokens", "cache_write_tokens", "reasoning_tokens") == (40, 20, 4)
    # 40 fresh and 20 written at a micro-dollar, 40 read at half of one, 10 out at two
    assert about(row, "cost_nano", "cost_source", "price_id") == (100_000, "computed", "row")


def test_tokens_that_leave_the_cache_out_are_made_whole() -> None:
    row, _, _ = told({"attributes": {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m",
        "gen_ai.usage.input_tokens": 5, "gen_ai.usage.output_tokens": 1,
        "gen_ai.usage.cache_read.input_tokens": 400,
    }})  # fmt: skip
    assert row.input_tokens == 405


def test_openllmetrys_numbered_messages_and_workflows() -> None:
    row, asked, answered = told({"attributes": {
        "llm.request.type": "chat", "gen_ai.system": "Anthropic", "gen_ai.request.model": "c",
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Soup?",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "",
        "gen_ai.completion.0.tool_calls.0.name": "menu",
        "gen_ai.completion.0.tool_calls.0.arguments": "{}",
        "llm.request.functions.0.name": "menu", "llm.usage.total_tokens": 9,
        "gen_ai.usage.prompt_tokens": 7,
        "traceloop.workflow.name": "lunch", "traceloop.association.properties.user_id": "ana",
        "traceloop.prompt.key": "greeting", "traceloop.prompt.version": 3,
    }})  # fmt: skip
    assert about(row, "dialect", "kind", "provider", "trace_name", "user") == (
        "openllmetry", "llm", "anthropic", "lunch", "ana",
    )  # fmt: skip
    assert about(row, "prompt_name", "prompt_version", "tools") == ("greeting", "3", '["menu"]')
    assert about(row, "input_tokens", "output_tokens", "output_preview") == (7, 2, "menu({})")
    assert json.loads(asked)["messages"] == [{"role": "user", "content": "Soup?"}]
    call = json.loads(answered)["choices"][0]["message"]["tool_calls"][0]
    assert call["function"] == {"name": "menu", "arguments": "{}"}
    task, asked, _ = told({"attributes": {
        "traceloop.span.kind": "task", "traceloop.entity.input": '{"inputs": ["a"]}',
    }})  # fmt: skip
    assert about(task, "kind", "input_preview") == ("workflow", "a")
    assert asked == '{"inputs": ["a"]}'


def test_langfuse_says_usage_and_cost_by_free_names() -> None:
    usage = {"input": 10, "output": 4, "cache_read_input_tokens": 90, "output_reasoning": 2}
    row, asked, _ = told({"attributes": {
        "langfuse.observation.type": "generation", "langfuse.observation.model.name": "m",
        "langfuse.observation.usage_details": json.dumps(usage),
        "langfuse.observation.cost_details": '{"input": 0.001, "output": 0.002}',
        "langfuse.observation.input": '[{"role": "user", "content": "Soup?"}]',
        "langfuse.observation.output": "Leek.",
        "langfuse.observation.prompt.name": "greeting",
        "langfuse.observation.prompt.version": 2,
        "langfuse.observation.model.parameters": '{"temperature": 1}',
        "langfuse.observation.completion_start_time": '"2001-09-09T01:46:40.500000Z"',
        "langfuse.session.id": "s", "langfuse.user.id": "u", "langfuse.trace.tags": ["a", "b"],
        "langfuse.release": "r9", "langfuse.environment": "dev",
    }}, Origin("menu"))  # fmt: skip
    assert about(row, "dialect", "kind", "input_tokens", "cache_read_tokens") == (
        "langfuse", "llm", 100, 90,
    )  # fmt: skip
    assert about(row, "output_tokens", "cost_nano", "cost_source") == (6, 3_000_000, "provided")
    assert about(row, "prompt_name", "prompt_version", "release", "environment") == (
        "greeting", "2", "r9", "dev",
    )  # fmt: skip
    assert about(row, "session", "user", "tags", "params") == (
        "s", "u", '["a","b"]', '{"temperature":1}',
    )  # fmt: skip
    assert row.ttft_ns == 500_000_000
    assert json.loads(asked)["messages"][0]["content"] == "Soup?"
    failed, _, _ = told({"attributes": {
        "langfuse.observation.type": "span", "langfuse.observation.level": "ERROR",
    }})  # fmt: skip
    assert about(failed, "kind", "status") == ("span", "error")


def test_mlflow_writes_every_value_as_json() -> None:
    answer = {"model": "m-1", "choices": [{"message": {"role": "assistant", "content": "Leek."}}]}
    row, _, answered = told({"attributes": {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.spanInputs": '{"model": "m", "messages": [{"role": "user", "content": "Soup?"}]}',
        "mlflow.spanOutputs": json.dumps(answer),
        "mlflow.chat.tokenUsage": '{"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}',
        "mlflow.llm.cost": '{"total_cost": 0.5}', "mlflow.trace.session": '"s"',
    }})  # fmt: skip
    assert about(row, "dialect", "kind", "route", "served_model") == ("mlflow", "llm", "m", "m-1")
    assert about(row, "input_tokens", "output_tokens", "cost_nano") == (3, 1, 500_000_000)
    assert about(row, "session", "input_preview", "output_preview") == ("s", "Soup?", "Leek.")
    assert json.loads(answered)["choices"][0]["message"]["content"] == "Leek."


def test_logfires_announcements_are_not_spans_of_their_own() -> None:
    taken = take(request(
        {"attributes": {"logfire.span_type": "pending_span"}},
        {"attributes": {
            "logfire.span_type": "span", "gen_ai.request.model": "m",
            "request_data": '{"messages": [{"role": "user", "content": "Soup?"}]}',
            "response_data": '{"message": {"role": "assistant", "content": "Leek."}}',
            "gen_ai.usage.input_tokens": 1, "operation.cost": 0.25,
        }},
    ))  # fmt: skip
    ((row, _),) = taken.rows
    assert taken.rejected == 0
    assert about(row, "dialect", "kind", "cost_nano") == ("logfire", "llm", 250_000_000)
    assert about(row, "input_preview", "output_preview") == ("Soup?", "Leek.")


def test_vercels_tools_and_parts() -> None:
    prompt = [
        {"role": "user", "content": [{"type": "text", "text": "Soup?"}]},
        {"role": "assistant", "content": [
            {"type": "tool-call", "toolCallId": "c1", "toolName": "menu", "input": {"day": 1}}]},
        {"role": "tool", "content": [
            {"type": "tool-result", "toolCallId": "c1", "output": {"value": "leek"}}]},
    ]  # fmt: skip
    row, asked, answered = told({"attributes": {
        "ai.operationId": "ai.streamText.doStream", "ai.model.provider": "openai.chat",
        "ai.model.id": "gpt-x", "ai.prompt.messages": json.dumps(prompt),
        "ai.response.toolCalls": '[{"toolCallId": "c2", "toolName": "menu", "input": "{}"}]',
        "ai.usage.inputTokens": 5, "ai.usage.outputTokens": 2, "ai.usage.cachedInputTokens": 1,
        "ai.prompt.tools": ['{"type": "function", "name": "menu"}'],
        "ai.response.msToFirstChunk": 12.5,
    }})  # fmt: skip
    assert about(row, "provider", "stream", "tools", "ttft_ns") == (
        "openai", True, '["menu"]', 12_500_000,
    )  # fmt: skip
    assert about(row, "cache_read_tokens", "cost_source") == (1, "computed")
    messages = json.loads(asked)["messages"]
    assert messages[1]["tool_calls"][0]["function"] == {"name": "menu", "arguments": '{"day":1}'}
    assert about(row, "output_preview") == ("menu({})",)
    assert (messages[2]["role"], messages[2]["tool_call_id"]) == ("tool", "c1")
    assert json.loads(answered)["choices"][0]["message"]["tool_calls"][0]["id"] == "c2"
    tool, asked, answered = told({"attributes": {
        "ai.operationId": "ai.toolCall", "ai.toolCall.name": "menu",
        "ai.toolCall.args": '{"day":1}', "ai.toolCall.result": '"leek"',
    }})  # fmt: skip
    assert about(tool, "kind", "tool", "output_preview") == ("tool", "menu", "leek")
    assert (asked, answered) == ('{"day":1}', '"leek"')


def test_an_exception_is_how_a_span_failed() -> None:
    raised = attributes({"exception.type": "TimeoutError", "exception.message": "too slow"})
    row, _, _ = told({
        "status": {"code": 2}, "events": [{"name": "exception", "attributes": raised}],
    })  # fmt: skip
    assert about(row, "status", "error", "error_message") == ("error", "TimeoutError", "too slow")
    row, _, _ = told({"status": {"code": "STATUS_CODE_ERROR", "message": "no"}})
    assert about(row, "status", "error", "error_message") == ("error", "error", "no")


def test_baggage_that_was_copied_onto_spans_tells_session_and_user() -> None:
    row, _, _ = told({"attributes": {"baggage.session.id": "s", "baggage.user.id": "u"}})
    assert about(row, "session", "user", "kind", "dialect") == ("s", "u", "span", "")


def test_a_span_without_a_proper_id_is_refused_and_the_others_are_kept() -> None:
    taken = take(request({"traceId": "00" * 16}, {"spanId": "12"}, {}))
    assert (len(taken.rows), taken.rejected) == (1, 2)
    assert "16 bytes" in taken.message


NAMES = sorted(
    {name for dialect in ORDER for name in (*dialect.fields, *dialect.kinds)}
    | {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.system_instructions", "events",
       "gen_ai.tool.definitions", "llm.input_messages.0.message.role", "gen_ai.prompt.0.content",
       "llm.input_messages.0.message.contents.0.message_content.type", "ai.prompt.messages",
       "llm.output_messages.0.message.tool_calls.0.tool_call.id", "ai.response.toolCalls",
       "ai.prompt.tools", "request_data", "response_data", "langfuse.observation.input",
       "mlflow.spanInputs", "mlflow.spanOutputs", "input.value", "output.value", "ai.prompt"}
)  # fmt: skip
ODD = st.one_of(
    st.text(max_size=20), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.floats(),
    st.sampled_from(['[]', '{}', '[1]', '[{"role": 5}]', '{"messages": [{"parts": [7, {}]}]}',
                     '[{"role": "user", "content": [{"type": "tool_call"}]}]', 'null', '"x"',
                     '{"choices": [{}]}', '[{"function": 3}]', '{"input": "many"}', '[[[]]]']),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=5), st.lists(st.integers(), max_size=2), max_size=2),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(NAMES), ODD, max_size=12))
def test_no_span_is_too_strange_to_be_kept(told: dict[str, Any]) -> None:
    under = Under({}, "", "", b"", b"")
    span = Incoming(under, JSON, b"{}", b"t" * 16, b"s" * 8, attributes=told)
    made, payload = row_of(span, MENU, Prices(priced))
    assert payload is not None
    bodies(span)
    for name, value in zip(NewSpan.__struct_fields__, msgspec.structs.astuple(made), strict=True):
        assert not isinstance(value, int) or abs(value) < 2**63, name
        assert not isinstance(value, str) or value.encode() is not None, name


CALL = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-x", "gen_ai.usage.input_tokens": 10,
        "gen_ai.usage.output_tokens": 1}  # fmt: skip


# --- what is kept ---------------------------------------------------------------------------------

PERSONAL = {
    **CALL,
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "I am ana@example.org"}]}]
    ),
}


def test_a_policy_of_masked_keeps_no_personal_data_anywhere() -> None:
    body = request({"attributes": {**PERSONAL, "user.email": "ana@example.org"},
                    "status": {"code": 2, "message": "ana@example.org is unknown"}})  # fmt: skip
    ((row, payload),) = take(body, JSON, Origin("menu", payload=MASKED)).rows
    assert payload is not None
    assert payload.raw is not None
    everything = msgspec.json.encode(row).decode() + payload.text + str(payload.raw)
    assert "ana@" not in everything
    assert "I am" in row.input_preview
    assert about(row, "payload", "input_tokens") == (MASKED, 10)
    again = read_piece(payload.raw)
    assert again.attributes["gen_ai.usage.input_tokens"] == 10


def test_a_policy_of_none_keeps_figures_alone() -> None:
    ((row, payload),) = take(request({"attributes": PERSONAL}), JSON,
                             Origin("menu", payload=NONE)).rows  # fmt: skip
    assert payload is None
    assert about(row, "input_tokens", "input_preview", "provenance") == (10, "", b"")


def test_unknown_attributes_are_kept_as_they_came(tmp_path: Path) -> None:
    span = {"attributes": {"house.rule": ["no", "soup"], "deep": "x"}}
    store = SqliteSpanStore(tmp_path)
    rows = take(request(span)).rows
    store.append([Batch(rows)])
    payload = rows[0][1]
    assert payload is not None
    assert payload.raw is not None
    kept: Incoming = read_piece(payload.raw)
    assert kept.attributes == {"house.rule": ["no", "soup"], "deep": "x"}
    store.close()


# --- our own OTLP out -----------------------------------------------------------------------------


def test_an_exposure_that_an_application_says_is_counted_for_its_unit() -> None:
    one = {"stockpot.experiment.name": "tone", "stockpot.experiment.variant": "warm",
           "stockpot.experiment.unit": "u1"}  # fmt: skip
    two = {name: [value, f"{value} 2"] for name, value in one.items()}
    without = {"stockpot.experiment": "tone", "stockpot.variant": "warm"}
    told = [
        about(row, "experiment", "variant", "exposures")
        for attributes in (one, two, without, {"stockpot.experiment.unit": "u1"})
        for row, _ in take(request({"attributes": attributes})).rows
    ]
    assert told == [
        ("tone", "warm", '[["tone","warm","u1"]]'),
        ("tone", "warm", '[["tone","warm","u1"],["tone 2","warm 2","u1 2"]]'),
        ("tone", "warm", '[["tone","warm",""]]'),
        ("", "", ""),
    ]


def test_what_we_send_on_comes_back_the_same(tmp_path: Path) -> None:
    store = SqliteSpanStore(tmp_path)
    first = NewSpan(
        bytes.fromhex(TRACE), bytes.fromhex(SPAN), "menu", "staging", 10**18, 10**18, 2 * 10**9,
        kind="llm", name="chat gpt-x", endpoint="chat", route="quick", provider="openai",
        target="openai-gpt-x", model="gpt-x", served_model="gpt-x-1", status="error",
        status_code=502, error="server", error_message="bad gateway", input_tokens=100,
        output_tokens=10, cache_read_tokens=40, cache_write_tokens=20, cost_nano=123_456_000,
        finish_reason="stop", user="u", session="s", tags='["a","b"]', ttft_ns=10**8,
        usage_source="provider", prompt_name="greeting", prompt_version="3", prompt_label="live",
        experiment="e", variant="v", exposures='[["e","v","u1"],["f","w","u2"]]',
        dataset_run="run", dataset_item="item", agent="waiter", service="shop",
        release="1.2", trace_name="lunch", stream=True, reasoning_tokens=5,
        response_id="r1",
    )  # fmt: skip
    store.append([Batch([(first, None)])])
    (span,) = store.trace(bytes.fromhex(TRACE), None)
    body = msgspec.json.encode(forwarded([span]))
    ((again, _),) = Receiver(Prices(no_prices)).take(body, JSON, "", Origin("menu")).rows
    store.append([Batch([(msgspec.structs.replace(again, project="copy"), None)])])
    (copy,) = store.trace(bytes.fromhex(TRACE), "copy")
    same = [name for name in Span.model_fields if name not in ELSEWHERE]
    assert {n: getattr(copy, n) for n in same} == {n: getattr(span, n) for n in same}
    store.close()


ELSEWHERE = {
    "project", "received_ms", "source", "dialect", "name", "target", "key_id", "price_id", "bill",
    "price_source", "cost_detail", "payload", "provenance", "revision", "stages_ms", "params",
    "input_preview", "output_preview", "tpot_ms", "degraded", "cache", "route_reason", "attempt",
    "saved_nano", "service_tier",
}  # fmt: skip
"""What belongs to one instance, or is never sent on."""
