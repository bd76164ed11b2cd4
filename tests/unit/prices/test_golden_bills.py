"""Bills computed by hand: a vendor's raw usage, what it means, and what it costs to the last digit.

Each file of `golden/` names the page that describes the shape, holds an answer as that vendor sends
it, and writes out the arithmetic in dollars. It is read by the product's own reader and priced by
the product's own rows.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from stockpot.catalog.pricing import price_rows
from stockpot.gateway import Target
from stockpot.gateway.bill import heard
from stockpot.prices import Cost, Usage, price_of
from stockpot.providers import Answer, Ask, dialects, wire_named

HERE = Path(__file__).parent / "golden"
GOLDEN = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(HERE.glob("*.json"))}
MOST_WRONG = Decimal("0.001")
NANO = Decimal(10**9)
BOUNDARY = b"----form"

Case = dict[str, Any]
cases = pytest.mark.parametrize("name", GOLDEN)

PATHS = {
    ("openai", "chat"): b"/v1/chat/completions",
    ("openai", "embeddings"): b"/v1/embeddings",
    ("openai", "images"): b"/v1/images/generations",
    ("openai", "transcriptions"): b"/v1/audio/transcriptions",
    ("openai", "speech"): b"/v1/audio/speech",
    ("responses", "responses"): b"/v1/responses",
    ("anthropic", "chat"): b"/v1/messages",
}


def asked(case: Case) -> Ask:
    model, stream = case["model"], "events" in case
    path = PATHS.get((case["dialect"], case["endpoint"]))
    body: Case = {"model": model, "stream": stream, "max_tokens": 9, "input": "soup"}
    headers = {}
    if case["dialect"] == "gemini":
        verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
        path = f"/v1beta/models/{model}:{verb}".encode()
        body = {"contents": [{"role": "user", "parts": [{"text": "soup"}]}]}
    elif case["endpoint"] == "images":
        body = {"model": model, "prompt": "soup"}
    elif case["dialect"] != "responses":
        body["messages"] = [{"role": "user", "content": "soup"}]
    said = json.dumps(case.get("request", body)).encode()
    if case["endpoint"] == "transcriptions":
        said = form(model)
        headers = {b"content-type": b"multipart/form-data; boundary=" + BOUNDARY}
    assert path is not None
    bare = path.partition(b"?")[0]
    for dialect in dialects():
        below = dialect.below and bare.startswith(dialect.below)
        endpoint = dialect.paths.get(bare) or (dialect.endpoint(bare) if below else None)
        if endpoint is not None and dialect.name in (case["dialect"], "openai"):
            return dialect.read(endpoint, said, path, headers)
    raise AssertionError(f"no dialect serves {path!r}")


def form(model: str) -> bytes:
    start = b"--" + BOUNDARY + b'\r\ncontent-disposition: form-data; name="'
    file = b'file"; filename="a.wav"\r\ncontent-type: audio/wav\r\n\r\nRIFF\r\n'
    end = b"--" + BOUNDARY + b"--\r\n"
    return start + b'model"\r\n\r\n' + model.encode() + b"\r\n" + start + file + end


def answer_to(ask: Ask, case: Case) -> Answer:
    """The answer as the product's reader heard it, up to where it was cut off."""
    native = (case["dialect"],)
    target = Target("t", "p", case["wire"], "https://vendor.test", case["model"], native=native)
    answer = wire_named(case["wire"]).answer(ask, target)
    if "answer" in case:
        answer.complete(json.dumps(case["answer"]).encode())
        return answer
    for event in case["events"]:
        answer.feed(event.encode())
    if case.get("cut", "drain") == "drain":
        answer.end()
    return answer


def used(case: Case) -> tuple[Usage, str]:
    ask = asked(case)
    counting = "events" in case and case.get("cut") != "cancel"
    return heard(ask, answer_to(ask, case), counting=counting)


def billed(case: Case, usage: Usage) -> Cost:
    at_ms = int(datetime.fromisoformat(case["at"]).timestamp() * 1000)
    cost = price_of(usage, price_rows(case["priced_as"], case["model"]), at_ms)
    assert cost is not None
    return cost


@cases
def test_raw_usage_is_read_as_what_it_means(name: str) -> None:
    case = GOLDEN[name]
    usage, source = used(case)
    assert usage == Usage(**case["usage"])
    assert source == case.get("usage_source", "provider")


@cases
def test_a_bill_is_what_the_hand_computed(name: str) -> None:
    case = GOLDEN[name]
    usage, source = used(case)
    if case["dollars"] is None:
        assert source == "none"  # the cost is unknown
        return
    nano, exact = billed(case, usage).total, Decimal(case["dollars"]) * NANO
    assert abs(nano - exact) <= MOST_WRONG * exact
    assert abs(nano - exact) <= Decimal("0.5") * len(case["arithmetic"])


@cases
def test_the_arithmetic_in_the_file_adds_up(name: str) -> None:
    case = GOLDEN[name]
    for line in case["arithmetic"]:
        product = line["quantity"] * Decimal(line["dollars"]) / line["per"]
        assert product == Decimal(line["is"]), line["what"]
    total = sum((Decimal(line["is"]) for line in case["arithmetic"]), Decimal(0))
    assert total == Decimal(case["dollars"] or 0)


@pytest.mark.parametrize("name", [name for name, case in GOLDEN.items() if "saved" in case])
def test_what_the_vendors_cache_saved_is_the_difference_to_fresh_tokens(name: str) -> None:
    case = GOLDEN[name]
    usage, _ = used(case)
    saved = Decimal(billed(case, usage).saved) / NANO
    assert saved == Decimal(case["saved"])


def test_every_wire_and_every_end_of_a_stream_has_a_golden_bill() -> None:
    assert {case["wire"] for case in GOLDEN.values()} >= {
        "openai", "anthropic", "gemini", "bedrock", "azure-openai", "vertex",
    }  # fmt: skip
    assert {case.get("cut") for case in GOLDEN.values()} == {None, "partial", "cancel", "drain"}
    read = {bucket for case in GOLDEN.values() for bucket in case["usage"]}
    assert read == set(Usage.__struct_fields__) - {"cache_read_image"}


@pytest.mark.parametrize(
    "told",
    [
        {"completion_tokens": -900},
        {"prompt_tokens": 10**30},
        {"completion_tokens_details": {"reasoning_tokens": -9}},
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
def test_usage_that_cannot_be_is_no_credit(told: dict[str, Any], streamed: bool) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 4, **told}
    said: Case = {"dialect": "openai", "endpoint": "chat", "wire": "openai", "model": "m"}
    body = {"choices": [{"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}]}
    if streamed:
        pieces = {"choices": [{"index": 0, "delta": {"content": "hi"}}]}
        last = {"choices": [], "usage": usage}
        said["events"] = [f"data: {json.dumps(one)}\n\n" for one in (pieces, last)]
        assert used(said) == (Usage(asked(said).input_tokens, len(said["events"])), "estimated")
    else:
        assert used({**said, "answer": {**body, "usage": usage}}) == (Usage(), "none")
