"""Calls that ask the same at one time, and answers that are told again in the other form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from stockpot.gateway import CachePolicy
from tests.unit.gateway.walk import STREAM_END, STREAM_HEAD, Line, Walk, chunk, whole

KEPT = CachePolicy(60)
ASK: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "soup?"}]}
STREAMED = {**ASK, "stream": True}
ANSWER: dict[str, Any] = {
    "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{
        "index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": "Leek soup."},
    }],
    "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10},
}  # fmt: skip


def events(*texts: str) -> list[bytes]:
    """A stream of OpenAI's, one event a text; usage comes last."""
    base: dict[str, Any] = {
        "id": "c1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
    }
    said: list[dict[str, Any]] = [
        {"choices": [{"index": 0, "delta": {"content": t}}]} for t in texts
    ]
    said.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    said.append({"choices": [], "usage": ANSWER["usage"]})
    return [
        *(b"data: %b\n\n" % json.dumps(base | event).encode() for event in said),
        b"data: [DONE]\n\n",
    ]  # fmt: skip


def streams(line: Line, said: list[bytes]) -> None:
    for event in said:
        line.says(chunk(event))


def told(line: Line) -> str:
    return line.head["x-stockpot-cache"]


def text_of(body: bytes) -> str:
    """What a client puts together out of a stream."""
    found = [json.loads(e[6:]) for e in body.split(b"\n\n") if e.startswith(b"data: {")]
    return "".join(c["delta"].get("content") or "" for e in found for c in e["choices"])


async def test_calls_that_ask_the_same_at_once_go_upstream_as_one(tmp_path: Path) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    first, second, third = (walk.asks(ASK) for _ in range(3))
    other = walk.asks({**ASK, "temperature": 0})
    mine = next(line for line in walk.asked if b"temperature" not in line.wrote)
    assert len(walk.asked) == 2
    assert not second.wrote + third.wrote
    mine.says(whole(ANSWER))
    await walk.settle()
    assert [told(line) for line in (first, second, third)] == ["miss", "hit", "hit"]
    assert first.body == second.body == third.body == json.dumps(ANSWER).encode()
    assert not other.wrote
    records = (await walk.close())[:3]
    assert [record.cache for record in records] == ["miss", "hit", "hit"]
    assert [record.input_tokens for record in records] == [7, 0, 0]


async def test_when_the_first_call_fails_those_who_wait_go_upstream_themselves(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    first, second, third = (walk.asks(ASK) for _ in range(3))
    (leader,) = walk.asked
    leader.wrote = b""
    leader.says(whole({"error": {"message": "no"}}, 500))
    await walk.settle()
    assert len(walk.asked) == 2
    assert first.head["status"] == "500"
    for line in walk.asked:
        line.says(whole(ANSWER))
    await walk.settle()
    assert [second.head["status"], third.head["status"]] == ["200", "200"]
    hit = walk.asks(ASK)
    await walk.settle()
    assert [told(second), told(third), told(hit)] == ["miss", "miss", "hit"]
    await walk.close()


async def test_who_asks_while_a_stream_runs_gets_what_was_said_and_then_the_rest(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    first = walk.asks(STREAMED)
    early = walk.asks(STREAMED)
    (upstream,) = walk.asked
    said = events("Leek ", "soup.")
    upstream.says(STREAM_HEAD + chunk(said[0]))
    late = walk.asks(STREAMED)
    assert text_of(first.body) == text_of(early.body) == text_of(late.body) == "Leek "
    first.close()  # its client leaves: the others still get theirs
    await walk.settle()
    streams(upstream, said[1:])
    upstream.says(STREAM_END)
    await walk.settle()
    assert walk.asked == [upstream]
    assert early.body == late.body
    assert text_of(late.body) == "Leek soup."
    assert late.body.endswith(b"data: [DONE]\n\n")
    assert [told(early), told(late)] == ["hit", "hit"]
    records = await walk.close()
    assert [(r.cache, r.error, r.cost_nano) for r in records[1:]] == [("hit", "", 0)] * 2
    assert all(0 < record.ttft_ns <= record.duration_ns for record in records[1:])


async def test_a_stream_that_breaks_breaks_for_all_who_follow_it_and_is_not_kept(
    tmp_path: Path,
) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    first, second = walk.asks(STREAMED), walk.asks(STREAMED)
    (upstream,) = walk.asked
    upstream.says(STREAM_HEAD + chunk(events("Leek ")[0]) + STREAM_END)
    await walk.settle()
    assert first.body == second.body
    assert b'"error"' in second.body
    assert not walk.asks(STREAMED).wrote
    records = await walk.close()
    assert [record.error for record in records[:2]] == ["stream_truncated"] * 2


async def test_a_client_that_leaves_alone_takes_its_call_along(tmp_path: Path) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    walk.asks(ASK).close()
    await walk.settle()
    again = walk.asks(ASK)
    assert len(walk.asked) == 2
    fresh = next(line for line in walk.asked if not line.closed)
    fresh.says(whole(ANSWER))
    await walk.settle()
    assert told(again) == "miss"
    await walk.close()


async def test_a_whole_answer_serves_streams_with_and_without_usage(tmp_path: Path) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    walk.asks(ASK)
    walk.asked[0].says(whole(ANSWER))
    await walk.settle()
    plain = walk.asks(STREAMED)
    with_usage = walk.asks({**STREAMED, "stream_options": {"include_usage": True}})
    again = walk.asks(STREAMED)
    await walk.settle()
    for line in (plain, with_usage, again):
        assert told(line) == "hit"
        assert line.head["content-type"].startswith("text/event-stream")
        assert text_of(line.body) == "Leek soup."
        assert line.body.endswith(b"data: [DONE]\n\n")
    assert plain.body == again.body
    assert b'"prompt_tokens":7' not in plain.body
    assert b'"prompt_tokens":7' in with_usage.body
    records = await walk.close()
    assert [record.cache for record in records] == ["miss", *3 * ["hit"]]
    assert records[1].stream


@pytest.mark.parametrize("usage", [False, True])
async def test_a_stream_serves_a_whole_answer_with_its_usage(tmp_path: Path, usage: bool) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    walk.asks({**STREAMED, "stream_options": {"include_usage": usage}})
    walk.asked[0].says(STREAM_HEAD)
    streams(walk.asked[0], events("Leek ", "soup."))
    walk.asked[0].says(STREAM_END)
    await walk.settle()
    hit = walk.asks(ASK)
    await walk.settle()
    assert (told(hit), hit.head["content-type"]) == ("hit", "application/json")
    said = json.loads(hit.body)
    assert said["choices"][0]["message"]["content"] == "Leek soup."
    assert said["choices"][0]["finish_reason"] == "stop"
    assert said["usage"]["prompt_tokens"] == 7
    await walk.close()


async def test_what_the_other_form_could_not_say_goes_upstream(tmp_path: Path) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    walk.asks({**ASK, "logprobs": True})
    walk.asked[0].says(whole(ANSWER))
    await walk.settle()
    line = walk.asks({**STREAMED, "logprobs": True})
    assert not line.wrote
    await walk.close()


async def test_the_forms_of_other_dialects_serve_each_other_too(tmp_path: Path) -> None:
    walk = Walk(tmp_path, cache=KEPT)
    said = {"contents": [{"role": "user", "parts": [{"text": "soup?"}]}]}
    messages = {**ASK, "max_tokens": 9}
    for path, ask, mark in (
        ("/v1beta/models/m:generateContent", said, b'"text":"Leek soup."'),
        ("/v1/messages", messages, b'"text":"Leek soup."'),
        ("/v1/responses", {"model": "m", "input": "soup?", "background": False},
         b'"delta":"Leek soup."'),
    ):  # fmt: skip
        walk.asks(ask, path)
        walk.asked[0].says(whole(ANSWER))
        for line in walk.asked:
            line.wrote = b""
        await walk.settle()
        streamed = ask if "Content" in path else {**ask, "stream": True}
        other = path.replace("generateContent", "streamGenerateContent?alt=sse")
        hit = walk.asks(streamed, other)
        await walk.settle()
        assert told(hit) == "hit"
        assert hit.head["content-type"].startswith("text/event-stream")
        assert mark in hit.body
    assert not walk.asked
    await walk.close()
