"""What translation costs: requests in OpenAI's format, answers of an upstream in Anthropic's.

    .venv/bin/python bench/translated.py [--rounds 60]

The walk of `bench/walk.py`, with every feature on and without sockets, a 2 KB prompt and an answer
of 1 KB or a stream of 50 events; the same call with an upstream that speaks OpenAI's format beside
it, in turns. Prints the best of the rounds in microseconds of CPU time, of a request and of an
event of a stream.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec
from walk import (
    EVENTS,
    RESPONSE,
    STREAM,
    FakeTransport,
    connected,
    gateway_of,
    part_of,
    spool_in,
    upstream,
    walk,
)

from stockpot.bench.rig import Rig, request
from stockpot.gateway.http.upstream import UpstreamClient
from stockpot.gateway.models import GatewayPart
from stockpot.gateway.snapshot import Carried, View

TEXT = ("apple pie and custard, " * 40)[:800]
USAGE = {"input_tokens": 500, "output_tokens": 200}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "mock",
           "stop_reason": None, "stop_sequence": None}  # fmt: skip


def event(kind: str, **fields: Any) -> bytes:
    """One event of Anthropic's stream, as a chunk of its own."""
    data = json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
    said = b"event: %b\ndata: %b\n\n" % (kind.encode(), data)
    return b"%x\r\n%b\r\n" % (len(said), said)


def whole() -> tuple[bytes, ...]:
    told = {**MESSAGE, "content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn",
            "usage": USAGE}  # fmt: skip
    body = json.dumps(told, separators=(",", ":")).encode()
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
    return (head % len(body) + body,)


def streamed() -> tuple[bytes, ...]:
    head = (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    begin = event("message_start", message={**MESSAGE, "content": [], "usage": USAGE})
    block = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    word = event("content_block_delta", index=0, delta={"type": "text_delta", "text": " word"})
    last = event("content_block_stop", index=0)
    last += event("message_delta", delta={"stop_reason": "end_turn"}, usage=USAGE)
    last += event("message_stop") + b"0\r\n\r\n"
    return (head + begin + block + word, *(EVENTS - 1) * (word,), last)


def translating(part: GatewayPart) -> GatewayPart:
    """The same routes to targets that speak Anthropic's format."""
    targets = [msgspec.structs.replace(one, wire="anthropic") for one in part.targets]
    return msgspec.structs.replace(part, targets=tuple(targets))


class Side:
    """A gateway whose upstream answers in one format."""

    def __init__(self, folder: Path, part: GatewayPart, answer: tuple[bytes, ...]) -> None:
        self.answer = answer
        self.best = 1e9
        folder.mkdir()
        self.spool = spool_in(folder)
        self.client = UpstreamClient(proxy="")
        gateway = gateway_of(self.spool, self.client, View(1, part, Carried()))
        self.inward = FakeTransport()
        self.connection = connected(gateway, self.inward)

    async def round(self, rig: Rig, asked: bytes, walks: int) -> None:
        outward = await upstream(self.client, rig)
        begun, told = time.process_time(), self.inward.wrote
        await walk(self.connection, outward, asked, self.answer, walks)
        took = (time.process_time() - begun) / walks / len(self.answer) * 1e6
        if self.inward.wrote - told < walks * len(self.answer):
            raise SystemExit("an answer did not arrive")
        self.best = min(self.best, took)


async def measured(folder: Path, rounds: int, stream: bool) -> tuple[float, float]:
    """µs of CPU as it came and translated."""
    rig = Rig(folder)
    part = part_of(rig, False)
    same = Side(folder / "same", part, STREAM if stream else (RESPONSE,))
    other = Side(folder / "other", translating(part), streamed() if stream else whole())
    asked = request(4000, stream=stream)
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for side in (same, other):
            await side.round(rig, asked, 20 if stream else 200)
    for side in (same, other):
        side.spool.close()
    return round(same.best, 1), round(other.best, 1)


async def main(rounds: int) -> None:
    found: dict[str, float] = {}
    for stream, what in ((False, "request"), (True, "event")):
        with tempfile.TemporaryDirectory() as folder:
            same, other = await measured(Path(folder), rounds, stream)
        print(f"{what}: {same} µs of CPU as it came, {other} µs translated, without sockets")
        found |= {f"{what}_same_us": same, f"{what}_translated_us": other}
    print(json.dumps(found))


if __name__ == "__main__":
    import uvloop

    gc.set_threshold(20_000, 20, 20)  # as in a worker
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60, help="of 200 requests, of 20 streams")
    uvloop.run(main(parser.parse_args().rounds))
