"""Requests in Gemini's format: read into the canonical form and written from it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given

from stockpot.gateway import Target
from stockpot.providers import Ask, BadRequest, CannotExpress, OpenAIDialect, wire_named
from stockpot.providers.canon import (
    Format,
    Loss,
    Media,
    Prompt,
    Reasoning,
    Refusal,
    ServerTool,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolChoice,
    ToolResult,
    Turn,
)
from stockpot.providers.gemini import GeminiDialect
from stockpot.providers.gemini.compose import compose
from stockpot.providers.gemini.schema import json_schema
from stockpot.providers.gemini.signatures import pack
from tests.unit.providers.gemini_prompts import SCHEMA, prompts
from tests.vendors import gemini_stub as stub

GOLDEN = Path(__file__).parent / "golden" / "gemini"
DIALECT = GeminiDialect()
WIRE = wire_named("gemini")
OLD, NEW = "gemini-2.5-flash", "gemini-3-pro-preview"


def ask(body: object, verb: str = "generateContent", model: str = "alias", query: str = "") -> Ask:
    path = f"/v1beta/models/{model}:{verb}{query}".encode()
    endpoint = DIALECT.endpoint(path.partition(b"?")[0])
    assert endpoint is not None
    return DIALECT.read(endpoint, json.dumps(body).encode(), path, {})


def parsed(**body: Any) -> Prompt:
    return ask({"contents": [{"role": "user", "parts": [{"text": "hi"}]}], **body}).prompt


def user(*parts: Any) -> tuple[Turn, ...]:
    return (Turn("user", parts),)


def written(prompt: Prompt, model: str = OLD, vertex: bool = False) -> dict[str, Any]:
    """The body for a prompt, checked with Google's types."""
    body: dict[str, Any] = json.loads(msgspec.json.encode(compose(prompt, model, vertex).body))
    stub.check(body, model)
    return body


def losses(prompt: Prompt, model: str = OLD) -> dict[str, str]:
    return {loss.field: loss.kind for loss in compose(prompt, model).losses}


def target(model: str = OLD, **options: str) -> Target:
    return Target("t", "google", "gemini", "http://h/v1beta", model, options=options)


# --- where a call goes --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "model", "verb", "stream"),
    [
        (b"/v1beta/models/gemini-2.5-flash:generateContent", "gemini-2.5-flash", "chat", False),
        (b"/v1beta/models/a/b-1:streamGenerateContent?alt=sse", "a/b-1", "chat", True),
        (b"/v1beta/models/qwen:7b:streamGenerateContent", "qwen:7b", "chat", True),
        (b"/v1beta/models/a%2Fb:countTokens", "a/b", "count_tokens", False),
        (b"/v1beta/models/e:batchEmbedContents", "e", "embeddings", False),
    ],
)
def test_the_model_and_the_verb_are_in_the_path(
    path: bytes, model: str, verb: str, stream: bool
) -> None:
    endpoint = DIALECT.endpoint(path.partition(b"?")[0])
    assert endpoint == verb
    found = DIALECT.read(endpoint, b'{"generation_config":{"max_output_tokens":9}}', path, {})
    assert (found.model, found.stream) == (model, stream)
    assert found.max_output == (9 if verb == "chat" else 1)


def test_a_path_without_a_known_verb_is_nobodys() -> None:
    assert DIALECT.endpoint(b"/v1beta/models/x:predict") is None
    assert DIALECT.endpoint(b"/v1beta/models/x") is None


def test_a_stream_in_a_form_that_is_not_spoken_is_refused() -> None:
    with pytest.raises(BadRequest, match="alt=sse"):
        ask({}, "streamGenerateContent", query="?alt=proto")


@pytest.mark.parametrize("query", ["", "?alt=sse"])
def test_a_call_between_gemini_and_gemini_changes_in_its_path_only(query: str) -> None:
    asked = ask({"contents": [{"parts": [{"text": "x", "novel": 1}]}]}, "streamGenerateContent",
                query=query)  # fmt: skip
    out = WIRE.outgoing(asked, target("tunedModels/a b"))
    assert out.path == f"/tunedModels/a%20b:streamGenerateContent{query}"
    assert out.body is asked.body


def test_where_a_body_names_the_model_too_it_is_renamed_there() -> None:
    requests = [{"model": "models/alias", "content": {"parts": [{"text": "x"}]}}]
    asked = ask({"requests": requests}, "batchEmbedContents")
    out = json.loads(WIRE.outgoing(asked, target()).body)
    assert out == {"requests": [{**requests[0], "model": f"models/{OLD}"}]}
    counted = ask({"generateContentRequest": {"model": "models/alias", "contents": []}},
                  "countTokens")  # fmt: skip
    out = json.loads(WIRE.outgoing(counted, target()).body)
    assert out["generateContentRequest"] == {"model": f"models/{OLD}", "contents": []}
    talk_of_it = ask({"contents": [{"parts": [{"text": '"model"'}]}]})
    assert WIRE.outgoing(talk_of_it, target()).body is talk_of_it.body


# --- reading ------------------------------------------------------------------------------------


def test_a_full_request_is_read_as_it_always_was() -> None:
    body = json.loads((GOLDEN / "request.json").read_text("utf-8"))
    prompt = json.loads(msgspec.json.encode(ask(body).prompt))
    golden = GOLDEN / "prompt.json"
    assert prompt == json.loads(golden.read_text("utf-8"))


def test_both_spellings_of_a_field_mean_the_same() -> None:
    camel = json.loads((GOLDEN / "request.json").read_text("utf-8"))

    def snaked(value: Any, free: bool = False) -> Any:
        if isinstance(value, list):
            return [snaked(one, free) for one in value]
        if not isinstance(value, dict):
            return value
        # What the user's own words name keeps its spelling.
        return {
            k if free else "".join(f"_{c.lower()}" if c.isupper() else c for c in k): snaked(
                v, free or k in ("args", "response", "properties", "parametersJsonSchema")
            )
            for k, v in value.items()
        }

    snake = snaked(camel)
    assert "generation_config" in snake
    one, other = ask(camel).prompt, ask(snake).prompt
    assert msgspec.structs.replace(one, extra={}) == msgspec.structs.replace(other, extra={})


def test_calls_without_an_id_keep_their_number_as_the_conversation_grows() -> None:
    call = {"functionCall": {"name": "f", "args": {}}}
    other = {"functionCall": {"name": "g", "args": {}}}
    contents: list[Any] = [
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [call, other, call]},
        {"role": "user", "parts": [
            {"functionResponse": {"name": name, "response": {"n": n}}}
            for n, name in enumerate(["g", "f", "f"])
        ]},
    ]  # fmt: skip
    short = ask({"contents": contents}).prompt.turns
    later = ask({"contents": [*contents, {"role": "model", "parts": [call]}]}).prompt.turns
    assert later[: len(short)] == short
    assert [part.ident for part in short[2].parts if isinstance(part, ToolResult)] == [
        "call_2", "call_1", "call_3",
    ]  # fmt: skip


def test_a_response_to_no_call_is_refused_with_its_place() -> None:
    with pytest.raises(BadRequest) as bad:
        parsed(contents=[{"parts": [{"functionResponse": {"name": "f", "response": {}}}]}])
    assert bad.value.param == "contents[0].parts[0].functionResponse"


def test_streamed_pieces_that_a_client_kept_are_joined() -> None:
    pieces: list[Any] = [
        [{"text": "I th", "thought": True}],
        [{"text": "ink", "thought": True}],
        [{"text": "Hel"}],
        [{"text": "lo"}],
        [{"text": "", "thoughtSignature": "QUJD"}],
    ]
    contents = [{"role": "model", "parts": parts} for parts in pieces]
    (turn,) = parsed(contents=contents).turns
    assert turn.parts == (
        Reasoning(text="I think"), Text("Hello"), Reasoning(signature="gemini:QUJD"),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"contents": "hi"}, "contents"),
        ({"contents": [{"role": "robot", "parts": []}]}, "contents"),
        ({"contents": [{"parts": [{"text": 3}]}]}, "contents[0].parts[0].text"),
        ({"generationConfig": {"temperature": "hot"}}, "generationConfig.temperature"),
        ({"generationConfig": {"topK": 1.5}}, "generationConfig.topK"),
        ({"toolConfig": {"functionCallingConfig": {"mode": "MAYBE"}}},
         "toolConfig.functionCallingConfig.mode"),
        ({"cachedContent": "cachedContents/1"}, "cachedContent"),
    ],
)  # fmt: skip
def test_a_bad_field_is_refused_with_its_place(body: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as bad:
        parsed(**body)
    assert bad.value.param == param


def test_what_the_canonical_form_does_not_hold_is_kept_by_its_place() -> None:
    prompt = parsed(
        safetySettings=[{"category": "x"}],
        generationConfig={"speechConfig": {"v": 1}, "responseMimeType": "text/x.enum",
                          "responseSchema": {"type": "STRING", "enum": ["a"]}},
        toolConfig={"functionCallingConfig": {"mode": "VALIDATED"}, "retrievalConfig": {}},
        contents=[{"parts": [{"text": "x", "videoMetadata": {"fps": 2}}]}],
        tools=[{"functionDeclarations": [{"name": "f", "behavior": "BLOCKING"}]}],
    )  # fmt: skip
    assert set(prompt.extra) == {
        "safetySettings", "generationConfig.speechConfig", "generationConfig.responseMimeType",
        "generationConfig.responseSchema", "toolConfig.functionCallingConfig.mode",
        "toolConfig.retrievalConfig", "contents[0].parts[0].videoMetadata",
        "tools[0].functionDeclarations[0].behavior",
    }  # fmt: skip


def test_a_choice_among_some_functions_leaves_the_others_out() -> None:
    names = ["a", "b", "c"]
    prompt = parsed(
        tools=[{"functionDeclarations": [{"name": name} for name in names]}, {"googleSearch": {}}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["a", "c"]}},
    )
    assert prompt.tool_choice == ToolChoice("required")
    assert [tool.name for tool in prompt.tools] == ["a", "c", "googleSearch"]


def test_a_schema_of_googles_becomes_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "propertyOrdering": ["b", "a"],
        "properties": {
            "a": {"type": "STRING", "format": "enum", "enum": ["x"], "nullable": True},
            "b": {"type": "ARRAY", "items": {"type": "INTEGER"}, "maxItems": "4"},
            "type": {"anyOf": [{"type": "STRING"}, {"ref": "#/$defs/D"}], "nullable": True},
        },
        "defs": {"D": {"type": "OBJECT", "example": {"type": "STRING"}}},
    }
    made = json_schema(schema)
    assert made == {
        "type": "object",
        "properties": {
            "b": {"type": "array", "items": {"type": "integer"}, "maxItems": 4},
            "a": {"type": ["string", "null"], "enum": ["x", None]},
            "type": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/D"}, {"type": "null"}]},
        },
        "$defs": {"D": {"type": "object", "examples": [{"type": "STRING"}]}},
    }
    assert list(made["properties"])[:2] == ["b", "a"]


# --- writing ------------------------------------------------------------------------------------


@given(prompts())
def test_what_is_written_for_gemini_is_taken_by_its_types_and_read_back_as_it_was(
    prompt: Prompt,
) -> None:
    made = compose(prompt, OLD)
    assert made.losses == ()
    assert ask(written(prompt)).prompt == prompt


def test_a_full_prompt_is_written_as_it_always_was() -> None:
    prompt = msgspec.json.decode((GOLDEN / "prompt.json").read_bytes())
    assert prompt["extra"]
    read = ask(json.loads((GOLDEN / "request.json").read_text("utf-8"))).prompt
    golden = GOLDEN / "composed.json"
    assert written(msgspec.structs.replace(read, extra={})) == json.loads(golden.read_text("utf-8"))


def test_the_first_call_of_a_step_gets_the_documented_stand_in_for_a_proof() -> None:
    calls = tuple(ToolCall(ident=i, name="f", arguments="{}") for i in ("a", "b"))
    results = tuple(ToolResult(ident=i, parts=(Text("1"),)) for i in ("a", "b"))
    prompt = Prompt(turns=(*user(Text("go")), Turn("assistant", calls), Turn("user", results)))
    first, second = written(prompt, NEW)["contents"][1]["parts"]
    assert first["thoughtSignature"] == "skip_thought_signature_validator"
    assert "thoughtSignature" not in second
    assert "thoughtSignature" not in written(prompt, OLD)["contents"][1]["parts"][0]


def test_results_of_parallel_calls_are_one_content_and_come_first() -> None:
    calls = tuple(ToolCall(ident=i, name=f"f_{i}", arguments="{}") for i in ("a", "b"))
    prompt = Prompt(
        turns=(
            Turn("user", (Text("go"),)),
            Turn("assistant", calls),
            Turn("user", (ToolResult(ident="a", parts=(Text("one"),)),)),
            Turn("user", (ToolResult(ident="b", parts=(Text("no"),), failed=True), Text("and?"))),
        )
    )
    _, _, results, rest = written(prompt)["contents"]
    assert [part["functionResponse"] for part in results["parts"]] == [
        {"id": "a", "name": "f_a", "response": {"output": "one"}},
        {"id": "b", "name": "f_b", "response": {"error": "no"}},
    ]
    assert rest == {"role": "user", "parts": [{"text": "and?"}]}


def test_a_result_of_no_call_is_refused() -> None:
    with pytest.raises(BadRequest, match="no tool call"):
        compose(Prompt(turns=user(ToolResult(ident="x", parts=()))), OLD)


@pytest.mark.parametrize(
    ("thinking", "model", "said", "lost"),
    [
        (Thinking(effort="low"), OLD, {"thinkingBudget": 1024}, []),
        (Thinking(effort="high", show=True), OLD,
         {"includeThoughts": True, "thinkingBudget": 24576}, []),
        (Thinking(effort="none"), OLD, {"thinkingBudget": 0}, []),
        (Thinking(effort="xhigh"), OLD, {"thinkingBudget": 24576}, ["reasoning_effort"]),
        (Thinking(effort="medium"), NEW, {"thinkingLevel": "MEDIUM"}, []),
        (Thinking(effort="none"), NEW, {"thinkingLevel": "MINIMAL"}, ["reasoning_effort"]),
        (Thinking(budget=512), NEW, {"thinkingBudget": 512}, []),
        (Thinking(effort="low", budget=9), NEW, {"thinkingLevel": "LOW"}, ["thinking.budget"]),
        (Thinking(effort="low", budget=9), OLD, {"thinkingBudget": 9}, ["reasoning_effort"]),
    ],
)  # fmt: skip
def test_an_effort_is_a_level_or_a_budget_as_the_model_takes_it(
    thinking: Thinking, model: str, said: dict[str, Any], lost: list[str]
) -> None:
    prompt = Prompt(turns=user(Text("x")), thinking=thinking)
    assert written(prompt, model)["generationConfig"]["thinkingConfig"] == said
    assert list(losses(prompt, model)) == lost


@pytest.mark.parametrize(
    ("prompt", "lost"),
    [
        (Prompt(user="u", service_tier="scale"), {"user": "hint", "service_tier": "hint"}),
        (Prompt(logprobs=2), {"logprobs": "content"}),
        (Prompt(extra={"logit_bias": {}}), {"logit_bias": "hint"}),
        (Prompt(tools=(Tool(name="f", cache="5m"),), parallel_tools=False),
         {"cache_control": "hint", "parallel_tool_calls": "hint"}),
        (Prompt(tools=(ServerTool("openai", "web_search", {}),)),
         {"tools.web_search": "content"}),
        (Prompt(turns=user(Media(kind="image", file_id="file-1"))), {"image": "content"}),
        (Prompt(turns=user(Media(kind="image", url="https://a.example/pot"))),
         {"image": "content"}),
        (Prompt(turns=user(Media(kind="image", media_type="image/png", data="QQ==", name="a.png",
                                 detail="low", cite=True))),
         {"citations": "hint", "filename": "hint", "detail": "hint"}),
        (Prompt(turns=(Turn("assistant", (Reasoning(text="t", signature="x", hidden="h"),)),)),
         {"reasoning.signature": "hint"}),
        (Prompt(turns=(Turn("system", (Text("s"),), name="n"),)),
         {"system": "hint", "name": "hint"}),
        (Prompt(turns=(Turn("assistant", (ToolCall(ident="a", name="f", arguments="{"),)),)),
         {"tool_calls.arguments": "hint"}),
        (Prompt(format=Format(kind="schema", schema={"type": "string", "pattern": "a"})),
         {"response_format.pattern": "hint"}),
        (Prompt(modalities=("text", "video")), {"modalities": "content"}),
        (Prompt(turns=(Turn("assistant", (Refusal("no"),)),), service_tier="default"), {}),
    ],
)  # fmt: skip
def test_what_gemini_cannot_say_is_named(prompt: Prompt, lost: dict[str, str]) -> None:
    assert losses(prompt) == lost


def test_vertex_takes_names_of_files_and_no_tier() -> None:
    named = Media(kind="image", media_type="image/png", data="QQ==", name="a.png")
    prompt = Prompt(turns=user(named), service_tier="flex")
    made = compose(prompt, OLD, vertex=True)
    assert [loss.field for loss in made.losses] == ["service_tier"]
    blob = written(prompt, vertex=True)["contents"][0]["parts"][0]["inlineData"]
    assert blob["displayName"] == "a.png"


def test_strict_tools_are_validated() -> None:
    prompt = Prompt(turns=user(Text("x")), tools=(Tool(name="f", schema=SCHEMA, strict=True),))
    calling = written(prompt)["toolConfig"]["functionCallingConfig"]
    assert calling == {"mode": "VALIDATED"}


def test_the_name_and_the_description_of_a_schema_go_into_it() -> None:
    wanted = Format(kind="schema", schema={"type": "object"}, name="pot", description="a pot")
    config = written(Prompt(turns=user(Text("x")), format=wanted))["generationConfig"]
    assert config == {
        "responseMimeType": "application/json",
        "responseJsonSchema": {"type": "object", "title": "pot", "description": "a pot"},
    }


# --- embeddings ---------------------------------------------------------------------------------


def embedding(**body: Any) -> Ask:
    raw = json.dumps({"model": "alias", "input": "x", **body}).encode()
    return OpenAIDialect().read("embeddings", raw)


def test_openais_embeddings_are_asked_of_gemini_in_one_batch() -> None:
    asked = embedding(input=["a", "b"], dimensions=4, user="u", encoding_format="float")
    out = WIRE.outgoing(asked, target("gemini-embedding-001"))
    assert out.path == "/models/gemini-embedding-001:batchEmbedContents"
    assert json.loads(out.body)["requests"][1] == {
        "model": "models/gemini-embedding-001",
        "outputDimensionality": 4,
        "content": {"parts": [{"text": "b"}]},
    }
    assert out.losses == (Loss("user", "Gemini has nothing like it"),)


def test_lists_of_tokens_cannot_be_embedded() -> None:
    with pytest.raises(CannotExpress, match="tokens"):
        WIRE.outgoing(embedding(input=[1, 2]), target())


# --- proofs of others between Gemini and Gemini -------------------------------------------------


def test_proofs_of_another_vendor_stay_behind_when_the_route_goes_on_with_gemini() -> None:
    foreign, own = pack("EqQB=="), "QUJD"
    parts: list[Any] = [
        {"text": "Hm", "thought": True},
        {"text": "", "thought": True, "thoughtSignature": foreign},
        {"functionCall": {"name": "f", "args": {"big": 12345678901234567890}},
         "thoughtSignature": foreign},
        {"text": "mine", "thoughtSignature": own},
    ]  # fmt: skip
    asked = ask({"contents": [{"role": "model", "parts": parts}]})
    out = WIRE.outgoing(asked, target(NEW))
    assert [loss.field for loss in out.losses] == ["reasoning.signature"]
    stand_in = "skip_thought_signature_validator"
    assert json.loads(out.body)["contents"][0]["parts"] == [
        parts[0], {**parts[2], "thoughtSignature": stand_in}, parts[3],
    ]  # fmt: skip


# --- the documentation --------------------------------------------------------------------------


def test_the_table_of_the_documentation_names_what_gemini_cannot_say() -> None:
    root = Path(__file__).resolve().parents[3]
    page = (root / "docs/how-to/gemini.md").read_text("utf-8")
    rows = re.findall(r"^\| (`.+?) \| .+ \| (hint|content) \|$", page, re.MULTILINE)
    told = {name: kind for names, kind in rows for name in re.findall(r"`([^`]+)`", names)}
    code = "".join(
        (root / "src/stockpot/providers/gemini" / name).read_text("utf-8")
        for name in ("turns.py", "compose.py")
    )
    named = re.findall(r'losses\.add\(\s*f?"([\w.{}]+)"', code)
    said = {re.sub(r"{(.+)}", lambda m: m[1].rpartition(".")[2].upper(), one) for one in named}
    media = {"audio", "document", "image", "video"}
    assert set(told) == said | media
    assert {name for name, kind in told.items() if kind == "content"} == {
        "logprobs", "modalities", "tools.NAME", *media,
    }  # fmt: skip
